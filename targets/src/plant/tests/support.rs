//! Small sites, and ways to read what happened on them.

use crate::plant::{Change, NodeLoad, Plant, PlantAction, PlantEvent, PowerTarget, Site, UpsState};
use crate::units::{PerUnit, Watts};

/// Two feeds with a UPS each, a dual-corded and a single-corded rack.
pub(super) const TWO_FEEDS: &str = "
name: two feeds
utilities: {grid-a: {}, grid-b: {}}
ups:
  ups-a: {from: grid-a, rating: 10kW, battery: {energy: 1kWh}}
  ups-b: {from: grid-b, rating: 10kW, battery: {energy: 1kWh}}
pdus:
  pdu-a: {from: ups-a, breaker: {rating: 63A}}
  pdu-b: {from: ups-b, breaker: {rating: 63A}}
feeds: {a: ups-a, b: ups-b}
racks:
  dual: {cords: [pdu-a, pdu-b]}
  single: {cords: [pdu-a]}
";

/// A machine straight on the grid behind one PDU.
pub(super) const BARE: &str = "
name: bare
utilities: {grid: {}}
pdus: {pdu: {from: grid, breaker: {rating: 100A}}}
feeds: {a: grid}
racks: {r1: {cords: [pdu]}}
";

pub(super) fn site(yaml: &str) -> Site {
    serde_yaml::from_str(yaml).unwrap()
}

/// A machine that always draws the same.
pub(super) fn load(name: &str, rack: &str, watts: f64) -> NodeLoad {
    NodeLoad {
        name: name.to_string(),
        rack: rack.to_string(),
        idle: Watts(watts),
        peak: Watts(watts),
    }
}

pub(super) fn plant(yaml: &str, loads: &[NodeLoad]) -> Plant {
    Plant::new(&site(yaml), loads).unwrap()
}

/// One UPS of this class with these further settings, one rack behind it.
pub(super) fn one_ups(class: &str, more: &str, battery: &str) -> String {
    format!(
        "
name: one ups
utilities: {{grid: {{}}}}
ups:
  ups-a: {{from: grid, class: {class}, rating: 10kW, {more} battery: {{{battery}}}}}
pdus: {{pdu-a: {{from: ups-a, breaker: {{rating: 100A}}}}}}
feeds: {{a: ups-a}}
racks: {{r1: {{cords: [pdu-a], psu: {{rating: 20kW, hold_up: 400J}}}}}}
"
    )
}

pub(super) fn supply(plant: &mut Plant, utility: &str, level: f64) -> Vec<PlantEvent> {
    plant.act(&PlantAction::Supply {
        utility: utility.to_string(),
        level: PerUnit(level),
    })
}

pub(super) fn restore(plant: &mut Plant, utility: &str) -> Vec<PlantEvent> {
    plant.act(&PlantAction::SupplyRestored {
        utility: utility.to_string(),
    })
}

pub(super) fn draw(plant: &mut Plant, node: &str, utilisation: f64) -> Vec<PlantEvent> {
    plant.act(&PlantAction::Draw {
        node: node.to_string(),
        utilisation,
    })
}

pub(super) fn pdu(name: &str) -> PowerTarget {
    PowerTarget::Pdu(name.to_string())
}

/// When a machine went off or on.
pub(super) fn power_times(events: &[PlantEvent], node: &str, on: bool) -> Vec<u64> {
    let it = |e: &&PlantEvent| e.component == node && e.change == Change::NodePower { on };
    events.iter().filter(it).map(|e| e.t_us).collect()
}

/// When a UPS came to a state.
pub(super) fn entered(events: &[PlantEvent], ups: &str, state: UpsState) -> Vec<u64> {
    let it = |e: &&PlantEvent| {
        e.component == ups && matches!(e.change, Change::Ups { to, .. } if to == state)
    };
    events.iter().filter(it).map(|e| e.t_us).collect()
}

/// The steps of a bus: when, what voltage, which source.
pub(super) fn bus_steps(events: &[PlantEvent], bus: &str) -> Vec<(u64, f64, String)> {
    let step = |e: &PlantEvent| match &e.change {
        Change::Bus { voltage_pu, source } if e.component == bus => {
            Some((e.t_us, *voltage_pu, source.clone()))
        }
        _ => None,
    };
    events.iter().filter_map(step).collect()
}

#[track_caller]
pub(super) fn near(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} is not {expected} within {tolerance}"
    );
}
