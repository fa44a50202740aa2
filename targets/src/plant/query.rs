//! What can be asked of a plant. Nothing here moves it.

use std::collections::BTreeSet;

use super::bus::{Bus, Kind};
use super::engine::Plant;
use super::event::{PowerTarget, UpsState};
use super::ledger::{EnergyLedger, watt_hours};
use super::node::ClockReasons;
use crate::clock::Micros;

impl Plant {
    pub(super) fn bus(&self, name: &str) -> Option<&Bus> {
        let index = *self.graph.bus_names.get(name)?;
        self.graph.buses.get(index)
    }

    /// The plant's present time.
    pub fn now_us(&self) -> Micros {
        self.now
    }

    /// The voltage now at a component's output, per unit: utilities, UPSs, PDUs
    /// by name. A meter independent of what was asked.
    pub fn voltage_pu(&self, component: &str) -> Option<f64> {
        self.bus(component).map(|bus| bus.out.voltage_pu)
    }

    /// The state of a UPS.
    pub fn ups_state(&self, ups: &str) -> Option<UpsState> {
        self.bus(ups)?.ups().map(|ups| ups.state)
    }

    /// True state of charge of the battery of a UPS or a BESS, 0 to 1.
    pub fn charge(&self, device: &str) -> Option<f64> {
        match &self.bus(device)?.kind {
            Kind::Ups(ups) => Some(ups.battery.charge(self.now)),
            Kind::Bess(bess) => Some(bess.charge(self.now)),
            _ => None,
        }
    }

    /// Seconds that the battery of a UPS could still carry its present load, in
    /// truth; at most a day.
    pub fn runtime_s(&self, ups: &str) -> Option<f64> {
        let bus = self.bus(ups)?;
        Some(bus.ups()?.battery.true_runtime_s(self.now, bus.load))
    }

    /// The air in the room of a cooling unit, in degrees Celsius.
    pub fn air_c(&self, cooling: &str) -> Option<f64> {
        match &self.bus(cooling)?.kind {
            Kind::Cooling(model) => Some(self.graph.rooms[model.room].celsius(self.now)),
            _ => None,
        }
    }

    /// The current through a PDU's breaker in amperes, all phases together at
    /// the present voltage.
    pub fn current_a(&self, pdu: &str) -> Option<f64> {
        let bus = self.bus(pdu)?;
        let model = bus.pdu()?;
        Some(model.current_a(bus.load, bus.out.voltage_pu, self.nominal_v))
    }

    /// Active power at a component's input in watts: utilities (their output),
    /// UPSs, PDUs by name.
    pub fn draw_w(&self, component: &str) -> Option<f64> {
        self.bus(component).map(|bus| bus.draw() as f64 / 1e3)
    }

    /// What a machine draws now, in watts.
    pub fn node_watts(&self, node: &str) -> Option<f64> {
        let index = *self.graph.node_names.get(node)?;
        Some(self.graph.nodes[index].power() as f64 / 1e3)
    }

    /// Why a machine's clocks are held down.
    pub fn clock_reasons(&self, node: &str) -> Option<ClockReasons> {
        let index = *self.graph.node_names.get(node)?;
        Some(self.graph.nodes[index].clock_reasons())
    }

    /// Whether a machine's power supplies deliver.
    pub fn node_powered(&self, node: &str) -> Option<bool> {
        let index = *self.graph.node_names.get(node)?;
        Some(self.graph.nodes[index].powered)
    }

    /// Where the energy went since time 0.
    pub fn energy(&self) -> EnergyLedger {
        let mut drawn = 0;
        let (mut delivered, mut cooled) = (0, 0);
        let (mut charged, mut discharged, mut lost, mut held) = (0, 0, 0, 0);
        for bus in &self.graph.buses {
            match &bus.kind {
                Kind::Utility(utility) => drawn += utility.meter.read(self.now),
                Kind::Ups(ups) => {
                    let (c, d, l) = ups.energy(self.now);
                    charged += c;
                    discharged += d;
                    lost += l;
                }
                Kind::Generator(it) => drawn += it.meter.read(self.now),
                Kind::Bess(it) => {
                    let (c, d, l) = it.energy(self.now);
                    charged += c;
                    discharged += d;
                    lost += l;
                }
                Kind::Cooling(it) => cooled += it.meter.read(self.now),
                Kind::Transfer(_) | Kind::Pdu(_) => {}
            }
        }
        for bbu in self.graph.racks.iter().filter_map(|rack| rack.bbu.as_ref()) {
            let (c, d, l) = bbu.energy(self.now);
            charged += c;
            discharged += d;
            lost += l;
        }
        for node in &self.graph.nodes {
            let (d, h) = node.energy(self.now);
            delivered += d;
            held += h;
        }
        EnergyLedger {
            drawn_wh: watt_hours(drawn),
            delivered_wh: watt_hours(delivered),
            cooling_wh: watt_hours(cooled),
            battery_charged_wh: watt_hours(charged),
            battery_discharged_wh: watt_hours(discharged),
            losses_wh: watt_hours(lost),
            stored_delta_wh: watt_hours(charged - discharged + held),
        }
    }

    /// The buses that a cut of a feed or a PDU takes, in order of supply; what
    /// another input can carry is not among them.
    pub(super) fn target_buses(&self, target: &PowerTarget) -> Vec<usize> {
        let root = match target {
            PowerTarget::Feed(feed) => self.graph.feeds.get(feed).copied(),
            PowerTarget::Pdu(pdu) => self
                .graph
                .bus_names
                .get(pdu)
                .copied()
                .filter(|index| self.graph.buses[*index].pdu().is_some()),
            PowerTarget::Rack(_) | PowerTarget::Node(_) => None,
        };
        root.map_or_else(Vec::new, |root| self.graph.depends_on(root))
    }

    /// Nodes electrically downstream of a target, by at least one cord; empty
    /// when the site has no such target.
    pub fn carries(&self, target: &PowerTarget) -> Vec<String> {
        let nodes: BTreeSet<usize> = match target {
            PowerTarget::Feed(_) | PowerTarget::Pdu(_) => self
                .target_buses(target)
                .into_iter()
                .flat_map(|bus| self.graph.buses[bus].nodes.iter().copied())
                .collect(),
            PowerTarget::Rack(rack) => match self.graph.rack_names.get(rack) {
                Some(&rack) => self.graph.racks[rack].nodes.iter().copied().collect(),
                None => BTreeSet::new(),
            },
            PowerTarget::Node(node) => self
                .graph
                .node_names
                .get(node)
                .copied()
                .into_iter()
                .collect(),
        };
        nodes
            .into_iter()
            .map(|n| self.graph.nodes[n].name.clone())
            .collect()
    }

    /// UPSs below a utility, in order of supply.
    pub fn ups_behind(&self, utility: &str) -> Vec<String> {
        self.below(
            utility,
            |bus| matches!(bus.kind, Kind::Utility(_)),
            |bus| bus.ups().is_some(),
        )
    }

    /// PDUs that a UPS or a BESS feeds, in order of supply.
    pub fn load_buses(&self, ups: &str) -> Vec<String> {
        self.below(
            ups,
            |bus| matches!(bus.kind, Kind::Ups(_) | Kind::Bess(_)),
            |bus| bus.pdu().is_some(),
        )
    }

    fn below(&self, root: &str, is: fn(&Bus) -> bool, wanted: fn(&Bus) -> bool) -> Vec<String> {
        let Some(&root) = self.graph.bus_names.get(root) else {
            return Vec::new();
        };
        if !is(&self.graph.buses[root]) {
            return Vec::new();
        }
        let below = self.graph.reach(root).into_iter().skip(1);
        let found = below
            .map(|index| &self.graph.buses[index])
            .filter(|bus| wanted(bus));
        found.map(|bus| bus.name.clone()).collect()
    }
}
