//! One component at a time: what it does with what its neighbours do.

use super::bus::{Kind, Notes, Output};
use super::engine::Plant;
use super::event::{Change, PlantEvent};

impl Plant {
    pub(super) fn tell(&mut self, component: &str, notes: Notes) {
        for (cause, change) in notes {
            self.events.push(PlantEvent {
                t_us: self.now,
                component: component.to_string(),
                cause,
                change,
            });
        }
    }

    fn output_of(&self, bus: Option<usize>) -> Output {
        bus.map_or(Output::DEAD, |bus| self.graph.buses[bus].out)
    }

    pub(super) fn refresh_bus(&mut self, index: usize) {
        let now = self.now;
        let bus = &self.graph.buses[index];
        let inputs = [bus.parent, bus.second].map(|bus| self.output_of(bus));
        let watched = bus.watches.map(|bus| self.output_of(Some(bus)));
        let mut notes = Notes::new();
        let bus = &mut self.graph.buses[index];
        let before = bus.pdu().map(|pdu| pdu.switchings);
        let mut cause = String::new();
        let inner = match &mut bus.kind {
            Kind::Utility(utility) => {
                cause = utility.cause.to_string();
                utility.cause = "profile";
                utility.output(now, index)
            }
            Kind::Generator(it) => {
                cause = "load steps".to_string();
                it.react(now, watched, index, &mut notes)
            }
            Kind::Transfer(it) => it.react(now, inputs, &mut notes),
            Kind::Ups(ups) => ups.react(now, inputs, index, &mut notes),
            Kind::Bess(it) => it.react(now, inputs[0], index, &mut notes),
            Kind::Cooling(it) => {
                it.react(now, inputs[0], &mut notes);
                self.stale_rooms.insert(it.room);
                Output::DEAD
            }
            Kind::Pdu(pdu) => {
                let cut = bus.cuts > 0;
                pdu.react(now, if cut { Output::DEAD } else { inputs[0] }, &mut notes)
            }
        };
        let out = if bus.cuts > 0 { Output::DEAD } else { inner };
        let changed = out != bus.out;
        let switched = bus.pdu().map(|pdu| pdu.switchings) != before;
        if changed {
            let cause = self.bus_cause(index, cause, &notes);
            self.graph.buses[index].out = out;
            let change = self.supply_change(index, out);
            notes.push((cause, change));
        }
        let bus = &self.graph.buses[index];
        if changed {
            self.stale_buses.extend(&bus.children);
            self.stale_buses.extend(&bus.watchers);
        }
        if changed || switched {
            self.stale_nodes.extend(&bus.nodes);
        }
        self.stale_loads.insert(index);
        if !notes.is_empty() {
            let name = bus.name.clone();
            self.tell(&name, notes);
        }
    }

    fn bus_cause(&self, index: usize, own: String, notes: &Notes) -> String {
        let bus = &self.graph.buses[index];
        let above = match &bus.kind {
            Kind::Transfer(it) if it.active == Some(1) => bus.second,
            _ => bus.parent,
        };
        match (notes.last(), above) {
            _ if bus.cuts > 0 => "cut".to_string(),
            (Some((cause, _)), _) => cause.clone(),
            (None, Some(above)) => format!("follows {}", self.graph.buses[above].name),
            (None, None) => own,
        }
    }

    fn supply_change(&self, index: usize, out: Output) -> Change {
        match self.graph.buses[index].kind {
            Kind::Utility(_) | Kind::Generator(_) => Change::Supply {
                voltage_pu: out.voltage_pu,
                frequency_hz: out.frequency_hz,
            },
            _ => Change::Bus {
                voltage_pu: out.voltage_pu,
                source: self.graph.source_name(out.source),
            },
        }
    }

    pub(super) fn refresh_load(&mut self, index: usize) {
        let (now, nominal_v) = (self.now, self.nominal_v);
        let mut notes = Notes::new();
        let input = self.output_of(self.graph.buses[index].parent);
        let bus = &mut self.graph.buses[index];
        let load = bus.load;
        let (draws, due) = match &mut bus.kind {
            Kind::Utility(utility) => {
                utility.meter.set(now, load);
                ([load, 0], utility.next_due(now))
            }
            Kind::Generator(it) => {
                it.carry(now, load, &mut notes);
                ([load, 0], it.next_due(now))
            }
            Kind::Transfer(it) => {
                let on = |input| if it.active == Some(input) { load } else { 0 };
                ([on(0), on(1)], it.next_due())
            }
            Kind::Ups(ups) => {
                let draws = ups.carry(now, load, &mut notes);
                (draws, ups.next_due(now))
            }
            Kind::Bess(it) => {
                let draw = it.carry(now, load, bus.out.voltage_pu <= 0.0);
                ([draw, 0], it.next_due())
            }
            Kind::Cooling(it) => ([it.carry(now, input), 0], it.next_due()),
            Kind::Pdu(pdu) => {
                pdu.load(now, load, bus.out.voltage_pu, nominal_v);
                ([load, 0], pdu.next_due())
            }
        };
        let more = [draws[0] - bus.draws[0], draws[1] - bus.draws[1]];
        bus.draws = draws;
        for (parent, more) in [bus.parent, bus.second].into_iter().zip(more) {
            if let Some(parent) = parent.filter(|_| more != 0) {
                self.graph.buses[parent].load += more;
                self.stale_loads.insert(parent);
            }
        }
        self.timers.set(index, due);
        if !notes.is_empty() {
            let name = self.graph.buses[index].name.clone();
            self.tell(&name, notes);
        }
    }

    /// A machine is cut off from everything.
    fn is_cut(&self, node: usize) -> bool {
        let node = &self.graph.nodes[node];
        node.cuts > 0 || self.graph.racks[node.rack].cuts > 0
    }

    /// The voltage at each cord of a machine, behind outlets and cuts.
    pub(super) fn inputs(&self, node: usize) -> Vec<f64> {
        let cut = self.is_cut(node);
        let node = &self.graph.nodes[node];
        let input = |(pdu, outlet): (&usize, &usize)| {
            let bus = &self.graph.buses[*pdu];
            let on = !cut && bus.pdu().is_some_and(|pdu| pdu.conducts(*outlet));
            if on { bus.out.voltage_pu } else { 0.0 }
        };
        node.cords.iter().zip(&node.outlets).map(input).collect()
    }

    pub(super) fn refresh_node(&mut self, index: usize) {
        let inputs = self.inputs(index);
        let cut = self.is_cut(index);
        let rack = self.graph.nodes[index].rack;
        let backup = !cut && self.graph.racks[rack].backs_up();
        let mut notes = Notes::new();
        let node = &mut self.graph.nodes[index];
        let (before, power) = (node.drawn.clone(), node.power());
        node.react(self.now, &inputs, backup, &mut notes);
        let warmer = node.power() - power;
        for ((pdu, now), before) in node.cords.iter().zip(&node.drawn).zip(&before) {
            if now != before {
                self.graph.buses[*pdu].load += now - before;
                self.stale_loads.insert(*pdu);
            }
        }
        if let Some(room) = self.graph.racks[rack].room.filter(|_| warmer != 0) {
            self.graph.rooms[room].heat += warmer;
            self.stale_rooms.insert(room);
        }
        let node = &self.graph.nodes[index];
        let (due, waits) = (node.next_due(), node.waits(&inputs));
        let dark = node.is_dark(&inputs) && !cut;
        let asks = dark.then(|| node.power());
        if let Some(bbu) = &mut self.graph.racks[rack].bbu {
            bbu.hear(self.now, index, asks);
            self.stale_racks.insert(rack);
        }
        if self.graph.racks[rack].wait(index, waits) {
            self.stale_racks.insert(rack);
        }
        let (buses, racks) = (self.graph.buses.len(), self.graph.racks.len());
        self.timers.set(buses + racks + index, due);
        if !notes.is_empty() {
            let name = self.graph.nodes[index].name.clone();
            self.tell(&name, notes);
        }
    }

    pub(super) fn refresh_rack(&mut self, index: usize) {
        while let Some(node) = self.graph.racks[index].release(self.now) {
            let mut notes = Notes::new();
            let model = &mut self.graph.nodes[node];
            model.power_on(self.now, "input good", &mut notes);
            let name = model.name.clone();
            self.tell(&name, notes);
            self.stale_nodes.insert(node);
        }
        if self.graph.racks[index].bbu.is_some() {
            self.refresh_bbu(index);
        }
        let due = self.graph.racks[index].next_due();
        self.timers.set(self.graph.buses.len() + index, due);
    }

    /// A backup unit takes over, gives up, or takes charge from its cords.
    fn refresh_bbu(&mut self, index: usize) {
        let rack = &mut self.graph.racks[index];
        let cut = rack.cuts > 0;
        let buses = &self.graph.buses;
        let live: Vec<bool> = rack
            .cords
            .iter()
            .map(|cord| !cut && buses[*cord].out.voltage_pu >= 0.5)
            .collect();
        let Some(bbu) = &mut rack.bbu else {
            return;
        };
        let mut notes = Notes::new();
        let before = bbu.drawn.clone();
        let (did, dark) = (bbu.delivers(), bbu.dark());
        bbu.react(self.now, &live, &mut notes);
        if bbu.delivers() != did {
            self.stale_nodes.extend(dark);
        }
        for ((pdu, now), before) in rack.cords.iter().zip(&bbu.drawn).zip(&before) {
            if now != before {
                self.graph.buses[*pdu].load += now - before;
                self.stale_loads.insert(*pdu);
            }
        }
        if !notes.is_empty() {
            let name = format!("{}.shelf", self.graph.racks[index].name);
            self.tell(&name, notes);
        }
    }

    /// The temperature of a room, and what it does to the machines in it.
    pub(super) fn refresh_room(&mut self, index: usize) {
        let graph = &mut self.graph;
        let room = &mut graph.rooms[index];
        let units = room
            .units
            .iter()
            .filter_map(|unit| match &graph.buses[*unit].kind {
                Kind::Cooling(it) if it.runs() => Some(it.capacity),
                _ => None,
            });
        let cooling = units.sum();
        let before = room.effect();
        let mut notes = Notes::new();
        room.react(self.now, cooling, &mut notes);
        let (after, due) = (room.effect(), room.next_due());
        let base = graph.buses.len() + graph.racks.len() + graph.nodes.len();
        self.timers.set(base + index, due);
        if !notes.is_empty() {
            let name = room.name.clone();
            self.tell(&name, notes);
        }
        if before == after {
            return;
        }
        for rack in self.graph.rooms[index].racks.clone() {
            for node in self.graph.racks[rack].nodes.clone() {
                let mut notes = Notes::new();
                self.graph.nodes[node].heat(after.0, after.1, &mut notes);
                let name = self.graph.nodes[node].name.clone();
                self.tell(&name, notes);
                self.stale_nodes.insert(node);
            }
        }
    }
}
