//! Machines for a site that is emulated without a stack.

use crate::plant::{NodeLoad, Site};
use crate::units::Watts;

/// Machines of each rack.
const PER_RACK: usize = 2;
/// What each draws when idle and at full work: a server with accelerators,
/// typical.
const IDLE_W: f64 = 400.0;
const PEAK_W: f64 = 1_200.0;

/// Stand-in machines: two in each rack, named after it.
pub fn stand_ins(site: &Site) -> Vec<NodeLoad> {
    let machine = |rack: &str, number: usize| NodeLoad {
        name: format!("{rack}-{number}"),
        rack: rack.to_string(),
        idle: Watts(IDLE_W),
        peak: Watts(PEAK_W),
    };
    let racks = site.racks.keys();
    racks
        .flat_map(|rack| (1..=PER_RACK).map(move |number| machine(rack, number)))
        .collect()
}
