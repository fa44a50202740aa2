//! The running plant: voltages go down the graph, powers come up, and time
//! jumps from one event to the next.

use std::collections::BTreeSet;

use super::bus::{Kind, Notes, Output};
use super::event::{Change, NodeLoad, PlantEvent};
use super::graph::Graph;
use super::site::Site;
use super::timers::Timers;
use super::validate::{SiteError, problems};
use crate::clock::Micros;

/// Rounds of timers that one instant may need; what is due after that comes a
/// microsecond later. Physics needs a handful: a higher number would only
/// hide two components that chase each other.
const ROUNDS_PER_INSTANT: u32 = 64;

/// The running physics of a site. Pure: it knows no clock and does no I/O.
///
/// Powers are constant between events, so that every threshold is crossed at a
/// time that is known in closed form; many small steps of [`Plant::advance`]
/// give the same events as one large step.
#[derive(Clone, Debug)]
pub struct Plant {
    pub(super) graph: Graph,
    pub(super) nominal_v: f64,
    pub(super) now: Micros,
    pub(super) timers: Timers,
    events: Vec<PlantEvent>,
    stale_buses: BTreeSet<usize>,
    stale_nodes: BTreeSet<usize>,
    stale_racks: BTreeSet<usize>,
    stale_loads: BTreeSet<usize>,
}

impl Plant {
    /// A plant at time 0, in steady state on nominal supply: machines run and
    /// are idle. A site that cannot be gives every reason at once.
    pub fn new(site: &Site, loads: &[NodeLoad]) -> Result<Self, Vec<SiteError>> {
        let found = problems(site, loads);
        if !found.is_empty() {
            return Err(found);
        }
        let graph = Graph::build(site, loads);
        let (buses, racks, nodes) = (graph.buses.len(), graph.racks.len(), graph.nodes.len());
        let mut plant = Self {
            graph,
            nominal_v: site.nominal.voltage.get(),
            now: 0,
            timers: Timers::new(buses + racks + nodes),
            events: Vec::new(),
            stale_buses: (0..buses).collect(),
            stale_nodes: (0..nodes).collect(),
            stale_racks: BTreeSet::new(),
            stale_loads: (0..buses).collect(),
        };
        plant.settle();
        // Coming to life is not a transition.
        plant.events.clear();
        Ok(plant)
    }

    /// Tells the plant when the first phase begins, from which profiles count.
    pub fn start_profiles(&mut self, at_us: Micros) {
        for index in 0..self.graph.buses.len() {
            if let Kind::Utility(utility) = &mut self.graph.buses[index].kind {
                utility.start(at_us);
                self.timers.set(index, Some(at_us.max(self.now)));
            }
        }
    }

    /// When something will happen by itself, if nobody acts.
    pub fn next_event_us(&self) -> Option<Micros> {
        self.timers.next().map(|at| at.max(self.now))
    }

    /// Lets time pass up to and including `to_us`.
    pub fn advance(&mut self, to_us: Micros) -> Vec<PlantEvent> {
        while let Some(at) = self.next_event_us().filter(|at| *at <= to_us) {
            self.now = at;
            self.instant();
        }
        self.now = self.now.max(to_us);
        std::mem::take(&mut self.events)
    }

    /// Everything that is due now, and what follows from it at once.
    fn instant(&mut self) {
        for _ in 0..ROUNDS_PER_INSTANT {
            self.settle();
            if self.timers.next().is_none_or(|at| at > self.now) {
                return;
            }
            while let Some(component) = self.timers.take(self.now) {
                self.wake(component);
            }
        }
        self.settle();
        let mut late = Vec::new();
        while let Some(component) = self.timers.take(self.now) {
            late.push(component);
        }
        for component in late {
            self.timers.set(component, Some(self.now + 1));
        }
    }

    /// Settles what an action touched and hands out what happened.
    pub(super) fn settle_action(&mut self) -> Vec<PlantEvent> {
        self.settle();
        self.instant();
        std::mem::take(&mut self.events)
    }

    fn wake(&mut self, component: usize) {
        let (buses, racks) = (self.graph.buses.len(), self.graph.racks.len());
        if component < buses {
            self.stale_buses.insert(component);
        } else if component < buses + racks {
            self.stale_racks.insert(component - buses);
        } else {
            self.stale_nodes.insert(component - buses - racks);
        }
    }

    pub(super) fn touch_bus(&mut self, bus: usize) {
        self.stale_buses.insert(bus);
    }

    pub(super) fn touch_node(&mut self, node: usize) {
        self.stale_nodes.insert(node);
    }

    /// Voltages first, in order of supply; then machines; then racks, which
    /// may wake machines; then powers, against the order of supply. Powers
    /// move no voltage at the same instant, so that this comes to an end.
    fn settle(&mut self) {
        loop {
            if let Some(bus) = self.stale_buses.pop_first() {
                self.refresh_bus(bus);
            } else if let Some(node) = self.stale_nodes.pop_first() {
                self.refresh_node(node);
            } else if let Some(rack) = self.stale_racks.pop_first() {
                self.refresh_rack(rack);
            } else if let Some(bus) = self.stale_loads.pop_last() {
                self.refresh_load(bus);
            } else {
                return;
            }
        }
    }

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

    fn refresh_bus(&mut self, index: usize) {
        let now = self.now;
        let parent = self.graph.buses[index].parent;
        let input = parent.map_or(Output::DEAD, |p| self.graph.buses[p].out);
        let mut notes = Notes::new();
        let bus = &mut self.graph.buses[index];
        let was_on = bus.pdu().is_none_or(|pdu| pdu.outlets_on);
        let (inner, cause) = match &mut bus.kind {
            Kind::Utility(utility) => {
                let cause = utility.cause.to_string();
                utility.cause = "profile";
                (utility.output(now, index), cause)
            }
            Kind::Ups(ups) => (ups.react(now, input, index, &mut notes), String::new()),
            Kind::Pdu(pdu) => {
                let input = if bus.cuts > 0 { Output::DEAD } else { input };
                (pdu.react(now, input, &mut notes), String::new())
            }
        };
        let out = if bus.cuts > 0 { Output::DEAD } else { inner };
        let changed = out != bus.out;
        let switched = bus.pdu().is_none_or(|pdu| pdu.outlets_on) != was_on;
        if changed {
            let cause = self.bus_cause(index, cause, &notes);
            self.graph.buses[index].out = out;
            let change = self.supply_change(index, out);
            notes.push((cause, change));
        }
        let bus = &self.graph.buses[index];
        if changed {
            self.stale_buses.extend(&bus.children);
        }
        if changed || switched {
            self.stale_nodes.extend(&bus.nodes);
        }
        self.stale_loads.insert(index);
        let name = bus.name.clone();
        self.tell(&name, notes);
    }

    fn bus_cause(&self, index: usize, own: String, notes: &Notes) -> String {
        let bus = &self.graph.buses[index];
        match (notes.last(), bus.parent) {
            _ if bus.cuts > 0 => "cut".to_string(),
            (Some((cause, _)), _) => cause.clone(),
            (None, Some(parent)) => format!("follows {}", self.graph.buses[parent].name),
            (None, None) => own,
        }
    }

    fn supply_change(&self, index: usize, out: Output) -> Change {
        match self.graph.buses[index].kind {
            Kind::Utility(_) => Change::Supply {
                voltage_pu: out.voltage_pu,
                frequency_hz: out.frequency_hz,
            },
            Kind::Ups(_) | Kind::Pdu(_) => Change::Bus {
                voltage_pu: out.voltage_pu,
                source: self.graph.source_name(out.source),
            },
        }
    }

    fn refresh_load(&mut self, index: usize) {
        let (now, nominal_v) = (self.now, self.nominal_v);
        let mut notes = Notes::new();
        let bus = &mut self.graph.buses[index];
        let (draw, due) = match &mut bus.kind {
            Kind::Utility(utility) => {
                utility.meter.set(now, bus.load);
                (bus.load, utility.next_due(now))
            }
            Kind::Ups(ups) => {
                let draw = ups.carry(now, bus.load, &mut notes);
                (draw, ups.next_due(now))
            }
            Kind::Pdu(pdu) => {
                pdu.load(now, bus.load, bus.out.voltage_pu, nominal_v);
                (bus.load, pdu.next_due())
            }
        };
        let more = draw - bus.draw;
        bus.draw = draw;
        let (parent, name) = (bus.parent, bus.name.clone());
        if let Some(parent) = parent.filter(|_| more != 0) {
            self.graph.buses[parent].load += more;
            self.stale_loads.insert(parent);
        }
        self.timers.set(index, due);
        self.tell(&name, notes);
    }

    /// The voltage at each cord of a machine, behind outlets and cuts.
    pub(super) fn inputs(&self, node: usize) -> Vec<f64> {
        let node = &self.graph.nodes[node];
        let cut = node.cuts > 0 || self.graph.racks[node.rack].cuts > 0;
        let input = |pdu: &usize| {
            let bus = &self.graph.buses[*pdu];
            let on = !cut && bus.pdu().is_some_and(|pdu| pdu.outlets_on);
            if on { bus.out.voltage_pu } else { 0.0 }
        };
        node.cords.iter().map(input).collect()
    }

    fn refresh_node(&mut self, index: usize) {
        let inputs = self.inputs(index);
        let mut notes = Notes::new();
        let node = &mut self.graph.nodes[index];
        let before = node.drawn.clone();
        node.react(self.now, &inputs, &mut notes);
        for ((pdu, now), before) in node.cords.iter().zip(&node.drawn).zip(&before) {
            if now != before {
                self.graph.buses[*pdu].load += now - before;
                self.stale_loads.insert(*pdu);
            }
        }
        let (rack, due, waits) = (node.rack, node.next_due(), node.waits(&inputs));
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

    fn refresh_rack(&mut self, index: usize) {
        while let Some(node) = self.graph.racks[index].release(self.now) {
            let mut notes = Notes::new();
            let model = &mut self.graph.nodes[node];
            model.power_on(self.now, &mut notes);
            let name = model.name.clone();
            self.tell(&name, notes);
            self.stale_nodes.insert(node);
        }
        let due = self.graph.racks[index].next_due();
        self.timers.set(self.graph.buses.len() + index, due);
    }
}
