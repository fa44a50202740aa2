//! The running plant: voltages go down the graph, powers come up, and time
//! jumps from one event to the next.

use std::collections::BTreeSet;

use super::bus::Kind;
use super::event::{NodeLoad, PlantEvent};
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
    pub(super) events: Vec<PlantEvent>,
    pub(super) stale_buses: BTreeSet<usize>,
    pub(super) stale_nodes: BTreeSet<usize>,
    pub(super) stale_racks: BTreeSet<usize>,
    pub(super) stale_rooms: BTreeSet<usize>,
    pub(super) stale_loads: BTreeSet<usize>,
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
        let rooms = graph.rooms.len();
        let mut plant = Self {
            graph,
            nominal_v: site.nominal.voltage.get(),
            now: 0,
            timers: Timers::new(buses + racks + nodes + rooms),
            events: Vec::new(),
            stale_buses: (0..buses).collect(),
            stale_nodes: (0..nodes).collect(),
            stale_racks: BTreeSet::new(),
            stale_rooms: (0..rooms).collect(),
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
        let nodes = self.graph.nodes.len();
        if component < buses {
            self.stale_buses.insert(component);
        } else if component < buses + racks {
            self.stale_racks.insert(component - buses);
        } else if component < buses + racks + nodes {
            self.stale_nodes.insert(component - buses - racks);
        } else {
            self.stale_rooms.insert(component - buses - racks - nodes);
        }
    }

    pub(super) fn touch_bus(&mut self, bus: usize) {
        self.stale_buses.insert(bus);
    }

    pub(super) fn touch_node(&mut self, node: usize) {
        self.stale_nodes.insert(node);
    }

    /// Voltages first, in order of supply; then machines; then racks, which
    /// may wake machines; then rooms, which may stop them; then powers, against the order of supply. Powers
    /// move no voltage at the same instant, so that this comes to an end.
    fn settle(&mut self) {
        loop {
            if let Some(bus) = self.stale_buses.pop_first() {
                self.refresh_bus(bus);
            } else if let Some(node) = self.stale_nodes.pop_first() {
                self.refresh_node(node);
            } else if let Some(rack) = self.stale_racks.pop_first() {
                self.refresh_rack(rack);
            } else if let Some(room) = self.stale_rooms.pop_first() {
                self.refresh_room(room);
            } else if let Some(bus) = self.stale_loads.pop_last() {
                self.refresh_load(bus);
            } else {
                return;
            }
        }
    }
}
