// What each event of a record adds to a model: as report/page/follow.rs has it.

const TAKE = {
  phase(model, e) {
    if (!model.phases.length) {
      model.originUs = e.t_us;
      model.bins = new Bins(e.t_us, model.bins.width, model.groups);
    }
    model.phases.push({ name: e.name, start: e.t_us, end: e.end_us });
    model.endUs = Math.max(model.endUs, e.end_us);
  },
  meters(model, e) {
    for (const [what, values] of [["voltage", e.voltage_pu], ["charge", e.charge], ["watts", e.watts]]) {
      for (const [of, value] of Object.entries(values)) model.setLevel(e.t_us, of, what, value);
    }
  },
  air(model, e) {
    for (const [of, value] of Object.entries(e.celsius)) model.setLevel(e.t_us, of, "celsius", value);
  },
  plant: (model, e) => takeChange(model, e.t_us, e.component, e.change),
  node_boot: (model, e) => model.setState(e.t_us, e.node, "machine", "booting"),
  node_up: (model, e) => model.setState(e.t_us, e.node, "machine", "up"),
  node_down: (model, e) => model.setState(e.dark_us, e.node, "machine", "off"),
  service_ready: (model, e) => model.setState(e.t_us, e.node, "machine", "ready"),
  uplink(model, e) {
    for (const node of e.nodes) model.setState(e.t_us, node, "uplink", e.up ? "up" : "dark");
  },
  state: (model, e) => model.setState(e.t_us, e.of, "service", e.to),
  observed(model, e) {
    if (e.variable === "ups.status") model.setState(e.t_us, e.device, "published", e.value);
  },
  fault_injected(model, e) {
    model.faults.push({
      number: e.fault, name: e.fault_kind, target: e.target,
      asked: [e.requested_us, e.until_us], seen: [null, null], effective: false,
    });
  },
  witness(model, e) {
    const fault = model.faults.find((one) => one.number === e.fault);
    if (!fault || !e.effective) return;
    fault.seen[e.stage === "injected" ? 0 : 1] = e.observed_us;
    fault.effective = true;
  },
  // While a fault waited for its crew, its phase went on.
  resumed(model, e) {
    const phase = model.phases.at(-1);
    if (phase) phase.end += e.held_us;
  },
  human(model, e) {
    model.humans.push({ t: e.t_us, act: e.act, text: e.text ?? "" });
  },
  attempt(model, e) {
    const { index, replica, from_token: from, tokens } = e;
    const attempt = {
      index, gateway: e.source, replica, start: e.start_us, end: e.end_us, from, tokens, how: e.end,
    };
    const row = model.byId.get(e.request);
    if (row) row.attempts.push(attempt);
    else model.open.set(e.request, [...(model.open.get(e.request) ?? []), attempt]);
  },
  request(model, e) {
    const row = rowOfEvent(e, model.open.get(e.id) ?? []);
    model.open.delete(e.id);
    model.byId.set(e.id, row);
    model.rows.push(row);
    model.total += 1;
    model.bins.add(row);
  },
};

function takeEvent(model, event) {
  TAKE[event.kind]?.(model, event);
}

const WORDED = ["ups", "battery", "bess", "generator", "transfer", "cooling"];

function takeChange(model, t, of, change) {
  const { kind } = change;
  if (kind === "supply" || kind === "bus") model.setLevel(t, of, "voltage", change.voltage_pu);
  if (kind === "bus") model.setState(t, of, "source", change.source);
  if (WORDED.includes(kind)) model.setState(t, of, kind, change.to);
  if (typeof change.charge === "number" && kind !== "bbu") model.setLevel(t, of, "charge", change.charge);
  if (kind === "breaker" || kind === "grid_breaker") {
    model.setState(t, of, "breaker", change.closed ? "closed" : "open");
  }
  if (kind === "hold_up") model.setState(t, of, "input", change.active ? "hold-up" : "fed");
  if (kind === "node_power") {
    model.setState(t, of, "input", "fed");
    if (!change.on) model.setState(t, of, "machine", "off");
  }
  if (kind === "brake") model.setLevel(t, of, "clocks", change.clocks);
}
