// What happened, in lines for people: newest first, and no more than fit a table.

const STORY = 60;

const TOLD = {
  phase: (e) => `phase ${e.name}`,
  fault_injected: (e) => ["fault", `${showState(e.fault_kind)} hits ${e.target}`],
  fault_healed: (e) => ["fault", `fault ${e.fault} is healed`],
  witness: (e) => (e.effective ? null : ["fault", `${e.witness} could not show fault ${e.fault}: ${e.problem}`]),
  node_down: (e) => `${e.node} lost its power`,
  node_up: (e) => `${e.node} runs`,
  state: (e) => (e.of === "supervisor" || e.of.startsWith("shed") ? `${e.of}: ${showState(e.to)} (${e.cause})` : null),
  observed: (e) => (e.variable === "ups.status" ? `${e.device} says ${e.value}` : null),
  held: (e) => ["crew-said", `waiting: ${e.question}`],
  resumed: (e) => `the timeline goes on after ${showTime(e.held_us)}`,
  human: (e) => ["crew-said", `${e.name || e.role}: ${didWhat(e)}`],
  note: (e) => e.text,
  invalid: (e) => ["fault", `invalid: ${e.reason}`],
  end: (e) => `the run ended: ${e.how}`,
};

const DID = {
  noticed: "noticed", decided: "decided what to do", acted: "acted", released: "released", skipped: "left out",
  armed: "armed", confirmed: "injected by hand", stopped: "stopped the run",
};

function didWhat(e) {
  if (e.act === "note") return e.text;
  return DID[e.act] + (e.fault === undefined || e.fault === null ? "" : ` (fault ${e.fault})`);
}

class Story {
  constructor(list) {
    this.list = list;
  }

  clear() {
    this.list.replaceChildren();
  }

  take(event, originUs) {
    // How the stack came up is of no interest once it is there.
    if (!originUs && !["invalid", "note", "human", "end"].includes(event.kind)) return;
    const told = TOLD[event.kind]?.(event);
    if (!told) return;
    const [name, text] = Array.isArray(told) ? told : ["", told];
    const line = document.createElement("li");
    element(line, "time", "", originUs ? showMoment(event.t_us - originUs) : "");
    element(line, "span", name, text);
    this.list.prepend(line);
    while (this.list.children.length > STORY) this.list.lastChild.remove();
  }
}
