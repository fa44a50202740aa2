// The site's one-line diagram, coloured by the state at a time.

const BOX = { width: 132, height: 42, across: 18, down: 30, chip: 19 };

class Diagram {
  constructor(parent, model) {
    this.model = model;
    this.box = element(parent, "div", "diagram");
    this.time = model.originUs;
    this.update();
  }

  // The site has changed.
  update() {
    this.box.replaceChildren();
    this.boxes = [];
    this.wires = [];
    const places = layOut(this.model.parts);
    if (!places.size) return;
    const all = [...places.values()];
    const width = Math.max(...all.map((at) => at.x + at.width)) + 2;
    const height = Math.max(...all.map((at) => at.y + at.height)) + 2;
    this.svg = shape(this.box, "svg", {
      viewBox: `-2 -2 ${width + 4} ${height + 4}`, role: "img", "aria-label": "One-line diagram of the site",
    });
    this.svg.style.maxWidth = `${(width + 4) * 1.15}px`;
    this.svg.style.minWidth = `${Math.min(width, 1400) * 0.62}px`;
    for (const [name, at] of places) this.wire(name, at, places);
    for (const [name, at] of places) this.draw(name, at);
    this.setTime(this.time);
  }

  wire(name, at, places) {
    this.model.part(name).from.forEach((feeder, n, all) => {
      const from = places.get(feeder);
      if (!from) return;
      const [x1, y1] = [from.x + from.width / 2, from.y + from.height];
      const x2 = at.x + (at.width * (n + 1)) / (all.length + 1);
      const middle = at.y - BOX.down / 2 + (n - (all.length - 1) / 2) * 5;
      const path = shape(this.svg, "path", { d: `M${x1} ${y1}V${middle}H${x2}V${at.y}`, class: "wire" });
      this.wires.push({ path, feeder, last: "" });
    });
  }

  draw(name, at) {
    const part = this.model.part(name);
    const group = shape(this.svg, "g", { transform: `translate(${at.x} ${at.y})` });
    const title = shape(group, "title", {});
    title.textContent = `${name} (${part.kind}${part.note ? `: ${part.note}` : ""})`;
    const frame = shape(group, "rect", { width: at.width, height: at.height, rx: 3, class: "part" });
    const bar = shape(group, "rect", { width: 4, height: at.height, rx: 1 });
    const head = shape(group, "text", { x: 11, y: 16, class: "head" });
    head.textContent = shorten(name, at.width / 7.4);
    const words = part.kind === "rack" ? null : shape(group, "text", { x: 11, y: 32 });
    const chips = at.machines.map((machine, n) => {
      const y = 25 + n * BOX.chip;
      const dot = shape(group, "rect", { x: 11, y, width: 8, height: 8, rx: 4 });
      const text = shape(group, "text", { x: 24, y: y + 8 });
      return { machine, dot, text, last: "" };
    });
    this.boxes.push({ name, part, frame, bar, words, chips, last: "", width: at.width });
  }

  setTime(t) {
    this.time = t;
    for (const wire of this.wires) {
      const supply = this.model.supplyOf(wire.feeder, t);
      if (supply !== wire.last) wire.path.setAttribute("class", `wire ${supply}`);
      wire.last = supply;
    }
    for (const box of this.boxes) {
      const { colour, text } = partState(this.model, box.part, t);
      const now = `${colour} ${text}`;
      if (now !== box.last) {
        box.bar.setAttribute("class", `fill ${colour}`);
        box.frame.setAttribute("class", `part ${colour}`);
        if (box.words) box.words.textContent = shorten(text, box.width / 6);
      }
      box.last = now;
      for (const chip of box.chips) this.setChip(chip, t);
    }
  }

  setChip(chip, t) {
    const state = this.model.machine(chip.machine, t);
    const watts = this.model.level(chip.machine, "watts", t);
    const text = state === "ready" ? (watts === undefined ? "" : showPower(watts)) : showState(state);
    const now = `${state} ${text}`;
    if (now === chip.last) return;
    chip.last = now;
    chip.dot.setAttribute("class", `fill ${moodOf(state)}`);
    chip.text.textContent = `${shorten(chip.machine, 12)}  ${text}`;
  }
}

function shape(parent, tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

function shorten(text, most) {
  return text.length > most ? `${text.slice(0, Math.max(1, Math.floor(most) - 1))}…` : text;
}

// What a box says and its colour.
function partState(model, part, t) {
  const { name, kind } = part;
  const volts = FEEDERS.includes(kind) ? model.volts(name, t) : undefined;
  const shown = volts === undefined ? "" : `${Math.round(volts * model.nominal.volts)} V`;
  const charge = model.level(name, "charge", t);
  const percent = charge === undefined ? "" : ` ${trimmed(charge * 100, 1)}%`;
  if (kind === "rack") {
    const supplies = part.from.map((from) => model.supplyOf(from, t));
    const own = model.parts.filter(({ kind: of, from }) => of === "machine" && from.includes(name));
    if (own.length && own.every((machine) => model.machine(machine.name, t) === "off")) {
      return { colour: "dead", text: "" };
    }
    const best = ["mains", "generator", "storage", "battery"].find((one) => supplies.includes(one));
    return { colour: best ?? "dead", text: "" };
  }
  if (kind === "cooling") {
    const state = model.state(name, "cooling", t) ?? "running";
    const air = model.level(name, "celsius", t);
    return { colour: moodOf(state), text: `${showState(state)}${air === undefined ? "" : ` ${air} °C`}` };
  }
  if (kind === "switch") return { colour: model.supplyOf(part.from[0], t), text: part.note };
  const own = model.state(name, kind, t);
  if (kind === "generator") {
    const state = own ?? "off";
    const colour = ["loaded", "ready"].includes(state) ? "generator" : state === "fault" ? "dead" : "between";
    return { colour, text: `${showState(state)} ${shown}` };
  }
  const colour = model.supplyOf(name, t);
  if (kind === "ups") {
    const open = model.state(name, "battery", t) === "open" ? " BATTERY OPEN" : "";
    return { colour, text: `${showState(own ?? "normal")}${percent}${open}` };
  }
  if (kind === "pdu" && model.state(name, "breaker", t) === "open") return { colour, text: "BREAKER OPEN" };
  return { colour, text: `${own ? `${showState(own)} ` : ""}${shown}${percent}` };
}

// Where each part stands: ranks from the sources down, machines in their racks.
function layOut(parts) {
  const machines = parts.filter((part) => part.kind === "machine");
  const boxes = parts.filter((part) => part.kind !== "machine");
  const byName = new Map(boxes.map((part) => [part.name, part]));
  const rank = new Map();
  const rankOf = (name, depth) => {
    const part = byName.get(name);
    if (!part || depth > 16) return -1;
    if (!rank.has(name)) rank.set(name, 1 + Math.max(-1, ...part.from.map((from) => rankOf(from, depth + 1))));
    return rank.get(name);
  };
  boxes.forEach((part) => rankOf(part.name, 0));
  const ends = Math.max(0, ...rank.values());
  for (const part of boxes) if (part.kind === "rack") rank.set(part.name, ends);
  const rows = Array.from({ length: ends + 1 }, (_, n) => boxes.filter((part) => rank.get(part.name) === n));
  const widest = Math.max(...rows.map((row) => row.length));
  const places = new Map();
  rows.forEach((row, n) => placeRow(row, n, widest, places, machines));
  return places;
}

// A row's boxes keep close to what feeds them, and their order.
function placeRow(row, rank, widest, places, machines) {
  const step = BOX.width + BOX.across;
  const middle = (part) => {
    const above = part.from.map((from) => places.get(from)).filter(Boolean);
    return above.length ? above.reduce((sum, at) => sum + at.x, 0) / above.length : null;
  };
  const wanted = row.map((part, n) => ({ part, n, x: middle(part) ?? ((widest - row.length) / 2 + n) * step }));
  wanted.sort((a, b) => a.x - b.x || a.n - b.n);
  const spread = ((widest - row.length) / 2) * step;
  const free = wanted.every((at, n) => n === 0 || at.x - wanted[n - 1].x >= step);
  wanted.forEach((at, n) => {
    const own = machines.filter((machine) => at.part.kind === "rack" && machine.from.includes(at.part.name));
    const shown = own.slice(0, 8).map((machine) => machine.name);
    places.set(at.part.name, {
      x: free ? at.x : spread + n * step,
      y: rank * (BOX.height + BOX.down),
      width: BOX.width,
      height: Math.max(BOX.height, 26 + shown.length * BOX.chip),
      machines: shown,
    });
  });
}
