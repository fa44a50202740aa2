// The live page: the report's components, fed by what the server sends.

const part = (name) => document.getElementById(name);
const boot = JSON.parse(part("boot").textContent);
const site = JSON.parse(part("site").textContent);
// Older requests and what the eye cannot follow are let go.
const ROWS = 6000;
const REDRAW_MS = 500;
const SPANS = [["last minute", 60e6], ["last 5 minutes", 300e6], ["the whole run", Infinity]];

class Live {
  constructor() {
    this.story = new Story(part("story"));
    this.span = SPANS[1][1];
    this.desk = { waiting: [], manual: [], stopping: false, verdict: null };
    this.controls();
    this.begin();
    this.connect();
    this.forms();
    setInterval(() => this.redraw(), REDRAW_MS);
    window.addEventListener("resize", () => (this.dirty = true));
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (this.dirty = true));
  }

  // Everything anew: at the start, and where this page missed too much.
  begin() {
    this.model = new Model();
    if (site) Object.assign(this.model, { parts: site.parts, nominal: site.nominal });
    for (const name of ["diagram", "axis", "lanes"]) part(name).replaceChildren();
    this.story.clear();
    this.scale = new Scale(0, 1e6);
    this.diagram = site ? new Diagram(part("diagram"), this.model) : null;
    this.axis = new Axis(part("axis"), this.model, this.scale);
    this.lanes = new Lanes(part("lanes"), this.model, this.scale);
    this.lanes.show("all", "newest");
    this.values = {};
    this.ended = false;
    this.drawn = false;
    this.healed = new Set();
    this.seen = performance.now();
    this.dirty = true;
  }

  controls() {
    const select = element(part("now"), "select");
    select.setAttribute("aria-label", "How much of the run");
    for (const [text, us] of SPANS) element(select, "option", "", text).value = String(us);
    select.value = String(this.span);
    select.addEventListener("change", () => {
      this.span = Number(select.value);
      this.dirty = true;
    });
    this.words = element(part("now"), "span", "quiet");
  }

  connect() {
    const query = boot.token ? `?token=${encodeURIComponent(boot.token)}` : "";
    const source = new EventSource(`/events${query}`);
    source.addEventListener("anew", () => this.begin());
    source.addEventListener("message", (message) => this.take(JSON.parse(message.data)));
    source.addEventListener("desk", (message) => this.setDesk(JSON.parse(message.data)));
    source.addEventListener("open", () => this.link(true));
    source.addEventListener("error", () => this.link(false));
  }

  link(there) {
    this.linked = there;
    this.badge();
  }

  take(events) {
    for (const event of events) {
      if (boot.blind && !this.model.originUs) this.guessOrigin(event);
      this.model.append(event);
      this.story.take(event, this.model.originUs);
      if (event.kind === "progress") this.values[event.source] = event;
      if (event.kind === "fault_injected") this.offerFault(event);
      if (event.kind === "fault_healed") this.healed.add(event.fault);
      if (event.kind === "end") this.ended = true;
    }
    const { rows, byId } = this.model;
    if (rows.length > ROWS) for (const row of rows.splice(0, rows.length - ROWS + 1000)) byId.delete(row.id);
    this.seen = performance.now();
    this.dirty = true;
    if (!this.drawn) this.redraw();
  }

  // A blind crew is told of no phases: its time begins with the first request.
  guessOrigin(event) {
    if (event.kind !== "request") return;
    this.model.originUs = event.scheduled_us;
    this.model.bins = new Bins(event.scheduled_us, this.model.bins.width, this.model.groups);
  }

  offerFault(event) {
    const select = document.querySelector("#marks select");
    if (!select || [...select.options].some((one) => one.value === String(event.fault))) return;
    element(select, "option", "", `${showState(event.fault_kind)}, ${event.target}`).value = String(event.fault);
  }

  setDesk(desk) {
    const before = this.desk;
    // What a blind crew may see at the end needs the parts that were kept from it.
    if (boot.blind && !desk.blind && desk.verdict) return location.reload();
    this.desk = desk;
    if (JSON.stringify(before.waiting) !== JSON.stringify(desk.waiting)) this.holds();
    const hands = ({ manual, verdict }) => JSON.stringify([manual, verdict]);
    if (hands(before) !== hands(desk)) this.hand();
    const stop = part("stop");
    if (stop && (desk.stopping || this.ended) && !stop.disabled) {
      stop.disabled = true;
      stop.firstChild.textContent = this.ended ? "OVER" : "HEALING";
    }
    this.badge();
  }

  badge() {
    const { verdict } = this.desk;
    const badge = part("badge");
    const word = verdict?.verdict ?? (this.ended ? "over" : this.linked === false ? "lost" : "live");
    badge.className = `badge ${word}`;
    badge.textContent = word.toUpperCase();
    if (verdict) part("clock").textContent = verdict.sentence;
  }

  holds() {
    part("holds").replaceChildren();
    for (const { fault, name, question } of this.desk.waiting) {
      const box = element(part("holds"), "section", "hold");
      element(box, "p", "", `Before ${showState(name)}`);
      element(box, "h2", "", question);
      if (boot.role !== "conductor") continue;
      this.button(box, "release", "Yes, go on", { fault });
      this.button(box, "skip", "Leave it out", { fault });
    }
  }

  hand() {
    const parent = part("hand");
    parent.replaceChildren();
    if (!this.desk.manual.length || this.desk.verdict) return;
    const box = element(parent, "section", "hand");
    element(box, "h2", "", "By hand");
    for (const { fault, name, target, for_ms: ms, live, armed_ms: armed } of this.desk.manual) {
      const text = `${showState(name)}, ${target}, ${showTime(ms * 1e3)}`;
      if (armed) this.button(box, "confirm", `Inject ${text} (${Math.ceil(armed / 1e3)})`, { fault }, "armed");
      else this.button(box, "arm", live ? `${text}: on` : `Arm ${text}`, { fault }).disabled = live;
    }
  }

  button(box, act, text, fields, name) {
    const form = element(box, "form");
    const made = element(form, "button", name ?? act, text);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.post(act, { name: document.querySelector("#note [name=name]")?.value ?? "", ...fields });
    });
    return made;
  }

  // Forms of the page go the same way, without leaving it.
  forms() {
    document.addEventListener("submit", (event) => {
      const form = event.target;
      if (form.method !== "post") return;
      event.preventDefault();
      const to = event.submitter?.getAttribute("formaction") ?? form.getAttribute("action");
      const name = document.querySelector("#note [name=name]")?.value ?? "";
      this.post(to.replace("/do/", ""), { name, ...Object.fromEntries(new FormData(form)) });
      const text = form.querySelector("[name=text]");
      if (text) text.value = "";
    });
  }

  async post(act, fields) {
    const body = new URLSearchParams({ ...fields, token: boot.token ?? "" });
    let said = "";
    try {
      const answer = await fetch(`/do/${act}`, { method: "POST", body, headers: { accept: "application/json" } });
      if (!answer.ok) said = (await answer.json()).error;
    } catch {
      said = "the server cannot be reached; Ctrl-C where it runs stops everything";
    }
    part("said").textContent = said;
  }

  // Between two messages the clock goes on.
  nowUs() {
    const { endUs } = this.model;
    return this.ended ? endUs : this.lastUs() + Math.min(2e6, (performance.now() - this.seen) * 1e3);
  }

  lastUs() {
    return this.model.lastUs ?? 0;
  }

  redraw() {
    const { model } = this;
    if (!model.originUs) return;
    const now = this.nowUs();
    this.say(now);
    if (!this.dirty) return;
    this.dirty = false;
    const from = Math.max(model.originUs, now - this.span);
    // A phase that is announced reaches beyond now: what is to come is not drawn.
    Object.assign(this.scale, { from, to: Math.max(from + 10e6, now) });
    const end = model.endUs;
    model.endUs = now;
    this.diagram?.setTime(now);
    this.axis.time = now;
    this.axis.update();
    this.lanes.time = now;
    this.lanes.update();
    model.endUs = end;
    this.figures(now);
    this.drawn = true;
    document.documentElement.classList.add("begun");
    // What a test asks.
    const { rows, faults, humans } = model;
    const seen = { rows: rows.length, faults: faults.length, humans: humans.length, problems: problems.length };
    document.documentElement.dataset.live = JSON.stringify(seen);
  }

  say(now) {
    const { model } = this;
    if (this.desk.verdict) return;
    const phase = model.phases.at(-1)?.name ?? "";
    part("clock").textContent = `${showMoment(now - model.originUs)}${phase ? ` · ${phase}` : ""}`
      + (this.desk.waiting.length ? " · the timeline stands" : "");
    this.words.textContent = this.linked === false ? "the connection is lost; trying again" : "";
  }

  figures(now) {
    const { model } = this;
    const sum = (name) => Object.values(this.values).reduce((all, { values }) => all + (values[name] ?? 0), 0);
    const recent = model.rows.filter((row) => row.end > now - 10e6);
    const first = recent.filter((row) => row.times.length).map((row) => row.times[0] - row.at).sort((a, b) => a - b);
    const rank = (share) => (first.length ? showTime(first[Math.ceil(share * first.length) - 1]) : "–");
    const bad = model.bins.requests.slice(2).flat().reduce((all, one) => all + one, 0);
    const shed = model.bins.requests[1]?.reduce((all, one) => all + one, 0) ?? 0;
    const all = [
      ["requests/s", showCount(sum("requests_per_s"))],
      ["in flight", showCount(sum("in_flight"))],
      ["first token, p99", rank(0.99)],
      ["turned away", showCount(shed)],
      ["torn, lost or wrong", showCount(bad), bad > 0],
      ["supervisor", showState(model.state("supervisor", "service", now) ?? "–")],
    ];
    const charges = [...model.levels.keys()].map((of) => model.level(of, "charge", now)).filter((v) => v !== undefined);
    if (charges.length) all.push(["lowest battery", `${trimmed(Math.min(...charges) * 100, 1)}%`]);
    if (!boot.blind) all.push(["faults now", String(model.faults.length - this.healed.size)]);
    part("figures").replaceChildren();
    for (const [name, value, wrong] of all) {
      const box = element(part("figures"), "div", wrong ? "bad" : "");
      element(box, "dt", "", name);
      element(box, "dd", "", value);
    }
  }
}

// The time of the last event, beside that of what was announced.
const append = Model.prototype.append;
Model.prototype.append = function (event) {
  this.lastUs = Math.max(this.lastUs ?? 0, event.t_us);
  append.call(this, event);
};

window.live = new Live();
