//! A device looked at by a person with instruments: what is broken in it,
//! whether or not its own telemetry shows it.

use super::bus::Kind;
use super::engine::Plant;
use super::event::CoolingState;

impl Plant {
    /// What an inspection finds broken in a device, in words; nothing where it
    /// is sound.
    pub fn defects(&self, device: &str) -> Option<Vec<String>> {
        if let Some(&index) = self.graph.node_names.get(device) {
            let node = &self.graph.nodes[index];
            let supplies = 0..node.cords.len() * node.psu.per_cord;
            let failed = supplies.filter(|supply| !node.works(*supply));
            return Some(failed.map(|n| format!("supply {n} failed")).collect());
        }
        let found: Vec<&str> = match &self.bus(device)?.kind {
            Kind::Generator(it) => it.defects(),
            Kind::Transfer(it) => those([(it.stuck, "stuck")]),
            Kind::Ups(it) => those([
                (it.failed, "converter failed"),
                (it.held, "held on its bypass"),
                (it.retransfer_fails, "retransfer fails"),
                (it.battery.open, "battery string open"),
            ]),
            Kind::Cooling(it) => those([(it.state == CoolingState::Locked, "tripped")]),
            Kind::Pdu(it) => {
                let trips = |pickup| format!("trips at {pickup} of its rating");
                return Some(it.wrong_pickup().map(trips).into_iter().collect());
            }
            Kind::Utility(_) | Kind::Bess(_) => Vec::new(),
        };
        Some(found.into_iter().map(str::to_string).collect())
    }
}

fn those<const N: usize>(all: [(bool, &'static str); N]) -> Vec<&'static str> {
    let there = all.into_iter().filter(|(is, _)| *is);
    there.map(|(_, defect)| defect).collect()
}
