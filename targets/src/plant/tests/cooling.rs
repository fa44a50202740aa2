//! Cooling units and the rooms that they cool.

use super::support::*;
use crate::plant::{Change, CoolingState, HeatLevel, Plant, PlantAction, PlantEvent};
use crate::telemetry::{CommandError, DeviceCommand, Reading};

fn hall(more: &str) -> String {
    format!(
        "
name: hall
utilities: {{grid: {{}}, mech: {{}}}}
pdus: {{pdu: {{from: grid, breaker: {{rating: 100A}}}}}}
racks: {{r1: {{cords: [pdu], psu: {{rating: 20kW}}}}}}
cooling: {{crac-1: {{from: mech, racks: [r1], capacity: 12kW, {more}}}}}
"
    )
}

fn states(events: &[PlantEvent]) -> Vec<(u64, CoolingState)> {
    let step = |e: &PlantEvent| match e.change {
        Change::Cooling { to, .. } => Some((e.t_us, to)),
        _ => None,
    };
    events.iter().filter_map(step).collect()
}

fn levels(events: &[PlantEvent]) -> Vec<(f64, HeatLevel)> {
    let step = |e: &PlantEvent| match e.change {
        Change::Temperature { to, .. } => Some((e.t_us as f64 / 1e6, to)),
        _ => None,
    };
    events.iter().filter_map(step).collect()
}

fn sag(plant: &mut Plant, level: f64, for_us: u64) -> Vec<PlantEvent> {
    let mut events = supply(plant, "mech", level);
    events.extend(plant.advance(plant.now_us() + for_us));
    events.extend(restore(plant, "mech"));
    events
}

#[test]
fn a_sag_that_machines_ride_through_drops_the_contactors() {
    let mut plant = plant(&hall(""), &[load("n", "r1", 10_000.0)]);
    assert_eq!(plant.draw_w("mech"), Some(4_000.0));
    assert!(states(&sag(&mut plant, 0.6, 49_000)).is_empty());
    assert!(states(&sag(&mut plant, 0.72, 500_000)).is_empty());
    let from = plant.now_us();
    let mut events = sag(&mut plant, 0.6, 100_000);
    events.extend(plant.advance(from + 400_000_000));
    assert_eq!(
        states(&events),
        [
            (from + 50_000, CoolingState::Tripped),
            (from + 100_000, CoolingState::Restarting),
            (from + 300_100_000, CoolingState::Running)
        ]
    );
}

/// 25 to 45 degrees in 300 s at the rated heat: 32 after 105 s, 40 after
/// 225 s, and the machines throttle from there.
#[test]
fn the_room_warms_up() {
    let mut plant = plant(&hall(""), &[load("n", "r1", 10_000.0)]);
    let mut events = supply(&mut plant, "mech", 0.0);
    events.extend(plant.advance(1_000_000_000));
    let found = levels(&events);
    let expected = [
        (105.05, HeatLevel::Warning),
        (225.05, HeatLevel::Throttling),
        (300.05, HeatLevel::Tripped),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(&expected) {
        near(found.0, expected.0, 1e-5);
        assert_eq!(found.1, expected.1);
    }
    let braked = Change::Brake { clocks: 0.5 };
    assert!(
        events
            .iter()
            .any(|e| e.change == braked && e.cause == "temperature")
    );
    assert_eq!(power_times(&events, "n", false).len(), 1);
    // 12 kW cool the empty room by 20 K in 250 s; the machine comes back on
    // the way, below the warning.
    let mut events = restore(&mut plant, "mech");
    events.extend(plant.advance(3_000_000_000));
    let back = power_times(&events, "n", true);
    near(back[0] as f64 / 1e6, 1_300.0 + 250.0 * 15.0 / 20.0, 1e-3);
    let Some((_, Reading::Machine(shown))) = plant.readings().into_iter().last() else {
        panic!("no reading of a machine");
    };
    near(shown.temperature_c, 25.0, 1e-6);
    assert_eq!((&*shown.last_reset_cause, shown.on), ("ThermalEvent", true));
    let energy = plant.energy();
    assert!(energy.cooling_wh > 0.0 && energy.imbalance_wh().abs() < 1e-6);
}

#[test]
fn a_unit_that_waits_for_a_person_waits() {
    let mut plant = plant(&hall("auto_restart: false, swell: 115%"), &[]);
    assert!(matches!(
        plant.command("crac-1", &DeviceCommand::Start),
        Err(CommandError::Unsupported(_))
    ));
    let events = sag(&mut plant, 1.2, 60_000);
    assert_eq!(states(&events), [(50_000, CoolingState::Locked)]);
    assert!(states(&plant.advance(10_000_000_000)).is_empty());
    let mut events = plant.command("crac-1", &DeviceCommand::Restart).unwrap();
    events.extend(plant.advance(20_000_000_000));
    assert_eq!(states(&events).last().unwrap().0, 10_300_000_000);
}

#[test]
fn a_fault_trips_it_and_puts_it_back() {
    let mut plant = plant(&hall(""), &[]);
    let cooling = || "crac-1".to_string();
    plant.act(&PlantAction::CoolingTrips { cooling: cooling() });
    assert_eq!(plant.draw_w("mech"), Some(0.0));
    plant.act(&PlantAction::CoolingRestored { cooling: cooling() });
    assert_eq!(plant.draw_w("mech"), Some(4_000.0));
}

#[test]
fn units_that_share_a_rack_cool_one_room() {
    let yaml = "
name: hall
utilities: {grid: {}}
pdus: {pdu: {from: grid, breaker: {rating: 100A}}}
racks: {r1: {cords: [pdu]}, r2: {cords: [pdu]}}
cooling:
  c1: {from: grid, racks: [r1], capacity: 6kW}
  c2: {from: grid, racks: [r2], capacity: 6kW}
  c3: {from: grid, racks: [r2, r1], capacity: 6kW}
";
    let mut plant = plant(
        yaml,
        &[load("n1", "r1", 6_000.0), load("n2", "r2", 6_000.0)],
    );
    for unit in ["c1", "c2"] {
        plant.act(&PlantAction::CoolingTrips {
            cooling: unit.to_string(),
        });
    }
    let events = plant.advance(10_000_000_000);
    // Half of the heat stays in: twice the time, for both racks.
    near(levels(&events)[0].0, 210.0, 1e-3);
    assert_eq!(
        power_times(&events, "n1", false),
        power_times(&events, "n2", false)
    );
}
