// The tracks of states: faults, who feeds what, and state machines.

const STRIP = 14;
// Faults and machines beyond these are told by the tables.
const FAULT_TRACKS = 8;
const MACHINE_TRACKS = 12;

// A fault as asked (the frame) and as its witness saw it (filled).
function faultTracks(model) {
  return model.faults.slice(0, FAULT_TRACKS).map((fault, n) => ({
    name: `${n ? "" : "fault: "}${showState(fault.name)}`,
    height: STRIP,
    space: n ? 0 : 2,
    draw(pen, { scale, ink, y, height }) {
      const bar = ([from, to]) => [scale.x(from), scale.x(to ?? model.endUs)];
      if (fault.seen[0] !== null) {
        const [from, to] = bar(fault.seen);
        pen.fillStyle = ink.dead;
        pen.globalAlpha = 0.28;
        pen.fillRect(from, y, Math.max(2, to - from), height);
        pen.globalAlpha = 1;
      }
      const [from, to] = bar(fault.asked);
      pen.strokeStyle = ink.dead;
      pen.setLineDash(fault.effective ? [] : [3, 3]);
      pen.strokeRect(from + 0.5, y + 0.5, Math.max(2, to - from - 1), height - 1);
      pen.setLineDash([]);
      pen.fillStyle = ink.ink;
      write(pen, `${fault.target}${fault.effective ? "" : " (not shown by its witness)"}`,
        Math.max(from, scale.left) + 5, y + height / 2, Math.max(60, to - from - 8));
    },
    read(t) {
      const on = fault.asked[0] <= t && t < fault.asked[1];
      return { text: on ? "on" : "", colour: "dead" };
    },
  }));
}

const MARKS = { noticed: "noticed", decided: "decided", acted: "acted", note: "✎", stopped: "stop" };

// What the crew of a game day did, each at its moment.
function crewTracks(model) {
  const marks = model.humans.filter(({ act }) => MARKS[act]);
  if (!marks.length) return [];
  return [{
    name: "crew",
    height: STRIP,
    space: 2,
    draw(pen, { scale, ink, y, height }) {
      let free = -Infinity;
      for (const { t, act } of marks) {
        const x = scale.x(t);
        pen.fillStyle = ink.generator;
        pen.fillRect(x - 1, y, 2, height);
        pen.fillStyle = ink.ink;
        if (x > free) {
          write(pen, MARKS[act], x + 4, y + height / 2, 60);
          free = x + 8 + pen.measureText(MARKS[act]).width;
        }
      }
    },
    read(t) {
      const last = marks.filter((mark) => mark.t <= t).at(-1);
      return { text: last ? last.text || MARKS[last.act] : "", colour: "generator" };
    },
  }];
}

const FEEDERS = ["utility", "generator", "transfer", "bess", "ups", "pdu"];

function supplyTracks(model) {
  const fed = model.parts.filter((part) => FEEDERS.includes(part.kind));
  const known = fed.filter((part) => model.levels.get(part.name)?.has("voltage"));
  return known.map((part, n) => ({
    name: n ? part.name : `volts: ${part.name}`,
    height: 16,
    space: n ? 0 : 8,
    draw: (pen, at) => drawSupply(pen, at, part.name),
    read(t) {
      const volts = model.volts(part.name, t);
      const supply = model.supplyOf(part.name, t);
      const shown = `${Math.round(volts * model.nominal.volts)} V`;
      const text = supply === "mains" ? shown : supply === "off" ? "off" : `${shown} ${supply}`;
      return { text, short: shown, colour: supply };
    },
  }));
}

// A band in the colour of the supply, with the voltage as a line from 0 to 1.2.
function drawSupply(pen, { scale, ink, model, y, height }, name) {
  const moments = new Set([scale.from]);
  for (const what of ["source", "voltage"]) {
    const steps = model.states.get(name)?.get(what) ?? model.levels.get(name)?.get(what);
    for (const t of steps?.t ?? []) if (t > scale.from && t < scale.to) moments.add(t);
  }
  const all = [...moments].sort((a, b) => a - b);
  const place = (volts) => y + height - 2 - (Math.min(volts, 1.2) / 1.2) * (height - 3);
  let last = null;
  all.forEach((t, n) => {
    const [from, to] = [scale.x(t), scale.x(all[n + 1] ?? Math.min(scale.to, model.endUs))];
    const supply = model.supplyOf(name, t);
    pen.fillStyle = ink[supply];
    pen.globalAlpha = supply === "dead" ? 0.5 : ["mains", "off"].includes(supply) ? 0.16 : 0.42;
    pen.fillRect(from, y, Math.max(supply === "mains" ? 0 : 1, to - from), height);
    pen.globalAlpha = 1;
    const volts = place(model.volts(name, t));
    pen.fillRect(from, volts, Math.max(1, to - from), 1.5);
    if (last !== null && last !== volts) pen.fillRect(from, Math.min(last, volts), 1, Math.abs(last - volts));
    last = volts;
  });
}

const COLOUR_OF = { calm: "ink", battery: "battery", dead: "dead", between: "between" };

function stripTrack(model, name, of, what, space, stateAt) {
  const at = stateAt ?? ((t) => model.state(of, what, t));
  return {
    name,
    height: STRIP,
    space,
    draw(pen, { scale, ink, y, height }) {
      const maps = [model.states.get(of)?.get(what)];
      if (stateAt) maps.push(model.states.get(of)?.get("input"), model.states.get(of)?.get("uplink"));
      const times = maps.flatMap((steps) => steps?.t ?? []).sort((a, b) => a - b);
      const moments = [scale.from, ...times.filter((t) => t > scale.from && t < scale.to)];
      moments.forEach((t, n) => {
        const state = at(t);
        if (state === undefined) return;
        const [from, to] = [scale.x(t), scale.x(moments[n + 1] ?? Math.min(scale.to, model.endUs))];
        const mood = moodOf(state);
        pen.fillStyle = ink[mood];
        pen.globalAlpha = mood === "calm" ? 0.2 : 0.5;
        pen.fillRect(from, y, Math.max(1, to - from - 0.5), height);
        pen.globalAlpha = 1;
        pen.fillStyle = ink.ink;
        if (mood !== "calm" || n === 0) write(pen, showState(state), from + 4, y + height / 2, to - from - 6);
      });
    },
    read(t) {
      const state = at(t);
      return { text: state === undefined ? "" : showState(state), colour: COLOUR_OF[moodOf(state ?? "")] };
    },
  };
}

// Supervisor, gateways, and machines that did not just stay up.
function stateTracks(model) {
  const all = [...model.states.keys()];
  const services = all.filter((of) => model.states.get(of).has("service") && !of.startsWith("door:"));
  const order = (of) => ["supervisor", "shed", "shedding"].indexOf(of) + 1 || 9;
  services.sort((a, b) => order(a) - order(b) || a.localeCompare(b));
  const tracks = services.slice(0, 16).map((of, n) =>
    stripTrack(model, of.replace("replica:", "gateway: ").replace("order:", "order: "), of, "service", n ? 0 : 8));
  const told = all.filter((of) => model.states.get(of).has("published"));
  tracks.push(...told.map((of, n) => stripTrack(model, `published: ${of}`, of, "published", n ? 0 : 6)));
  const machines = model.parts.filter((part) => part.kind === "machine").map((part) => part.name);
  const moved = (of) => model.states.get(of)?.get("machine")?.t.some((t) => t > model.originUs);
  const shown = machines.length > MACHINE_TRACKS ? machines.filter(moved) : machines;
  tracks.push(...shown.slice(0, MACHINE_TRACKS).map((of, n) =>
    stripTrack(model, n ? of : `machine: ${of}`, of, "machine", n ? 0 : 6, (t) => model.machine(of, t))));
  return tracks;
}
