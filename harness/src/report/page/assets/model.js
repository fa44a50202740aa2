// What is known of a run. It is built whole from a report's data, or grows with
// each event of a record as that is written; what shows it asks the same either way.

class Model {
  constructor() {
    this.originUs = 0;
    this.endUs = 0;
    this.phases = [];
    this.faults = [];
    this.humans = [];
    this.parts = [];
    this.nominal = { volts: 230, hertz: 50 };
    this.groups = ["whole", "shed", "torn", "lost", "corrupted"];
    this.levels = new Map();
    this.states = new Map();
    this.rows = [];
    this.bins = new Bins(0, 1e6, this.groups);
    this.total = 0;
    this.withoutTokens = 0;
    this.listeners = [];
    this.tokenTimes = new Map();
    // Of a run that goes on: attempts at requests that are not over, and rows.
    this.open = new Map();
    this.byId = new Map();
  }

  static from(data) {
    const model = new Model();
    model.originUs = data.origin_us;
    model.endUs = data.end_us;
    model.phases = data.phases.map(([name, start, end]) => ({ name, start, end }));
    model.faults = data.faults;
    model.humans = data.humans ?? [];
    model.parts = data.parts;
    model.nominal = data.nominal;
    model.groups = data.groups;
    for (const { of, what, t, v } of data.levels) {
      place(model.levels, of).set(what, { t: unpackGrowing(t), v });
    }
    for (const { of, what, t, v } of data.states) {
      place(model.states, of).set(what, { t: unpackGrowing(t), v: v.map((n) => data.words[n]) });
    }
    model.bins = Bins.from(data.bins, data.groups);
    model.total = data.requests.total;
    model.withoutTokens = data.requests.without_tokens;
    model.rows = rowsOf(data.requests, data.words);
    return model;
  }

  // Takes one event of a record, as JSON has it, and tells who listens.
  append(event) {
    this.endUs = Math.max(this.endUs, event.t_us);
    takeEvent(this, event);
    this.flight = null;
    for (const listener of this.listeners) listener(event);
  }

  // Calls back after each event.
  listen(listener) {
    this.listeners.push(listener);
  }

  setLevel(t, of, what, value) {
    push(place(this.levels, of), what, t, value);
  }

  setState(t, of, what, value) {
    push(place(this.states, of), what, t, value);
  }

  // A number at a time; undefined before it is known.
  level(of, what, t) {
    return valueAt(this.levels.get(of)?.get(what), t);
  }

  state(of, what, t) {
    return valueAt(this.states.get(of)?.get(what), t);
  }

  // When each token of a request came, in run time; empty where that is not known.
  times(row) {
    if (row.times) return row.times;
    let times = this.tokenTimes.get(row);
    if (!times) {
      times = unpackTokens(row.packed, row.unit).map((us) => us + row.at);
      if (this.tokenTimes.size > 400) this.tokenTimes.clear();
      this.tokenTimes.set(row, times);
    }
    return times;
  }

  // Requests that were sent and not yet over.
  inFlight(t) {
    if (!this.flight) {
      const sorted = (of) => this.rows.map(of).sort((a, b) => a - b);
      this.flight = [sorted((row) => row.sent), sorted((row) => row.end)];
    }
    return upTo(this.flight[0], t) - upTo(this.flight[1], t);
  }

  // The voltage of a part, of 1. Before its first word a generator stands still and
  // all else is fed.
  volts(name, t) {
    return this.level(name, "voltage", t) ?? (this.part(name)?.kind === "generator" ? 0 : 1);
  }

  // What a bus lives on: `mains`, `battery`, `generator`, `storage`, `off` (a
  // generator that stands still) or `dead`.
  supplyOf(name, t) {
    if (this.volts(name, t) < 0.1) return this.part(name)?.kind === "generator" ? "off" : "dead";
    const source = this.state(name, "source", t);
    if (source === undefined) return this.supplyAbove(name, t, 0);
    if (source === "") return "dead";
    if (source.endsWith("battery")) return "battery";
    return SUPPLIES[this.part(source)?.kind] ?? "mains";
  }

  // Before a bus has moved, it lives on what is at the top of its first way up.
  supplyAbove(name, t, depth) {
    const part = this.part(name);
    if (!part || depth > 16) return "mains";
    if (SUPPLIES[part.kind] && part.kind !== "bess") return SUPPLIES[part.kind];
    return part.from.length ? this.supplyAbove(part.from[0], t, depth + 1) : "mains";
  }

  part(name) {
    if (this.partsOf !== this.parts) {
      this.partsOf = this.parts;
      this.byName = new Map(this.parts.map((part) => [part.name, part]));
    }
    return this.byName.get(name);
  }

  // A machine's state; before its first word it is off.
  machine(name, t) {
    if (this.state(name, "uplink", t) === "dark") return "dark";
    const state = this.state(name, "machine", t) ?? "off";
    return state === "ready" && this.state(name, "input", t) === "hold-up" ? "hold-up" : state;
  }

  phaseAt(t) {
    return this.phases.find((phase) => phase.start <= t && t < phase.end)?.name ?? "";
  }
}

const SUPPLIES = { utility: "mains", generator: "generator", bess: "storage" };

function place(map, of) {
  if (!map.has(of)) map.set(of, new Map());
  return map.get(of);
}

function push(map, what, t, value) {
  const steps = map.get(what) ?? { t: [], v: [] };
  if (steps.v.at(-1) !== value) {
    steps.t.push(t);
    steps.v.push(value);
  }
  map.set(what, steps);
}

// How many of some sorted times are not after t.
function upTo(times, t) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

function valueAt(steps, t) {
  return steps ? steps.v[upTo(steps.t, t) - 1] : undefined;
}
