//! BESSs beside a bus and in line with it.

use super::support::*;
use crate::plant::lfp::{cell_ocv, terminal};
use crate::plant::{BessState, Change, Plant, PlantEvent};
use crate::telemetry::{BessMode, BessReading, BessStatus, CommandError, DeviceCommand, Reading};

fn parallel(more: &str) -> String {
    format!(
        "
name: parallel
utilities: {{grid: {{}}}}
bess: {{bess-1: {{from: grid, rating: 10kW, energy: 10kWh, efficiency: 100%, {more}}}}}
pdus: {{pdu: {{from: bess-1, breaker: {{rating: 100A}}}}}}
feeds: {{a: bess-1}}
racks: {{r1: {{cords: [pdu], psu: {{rating: 20kW}}}}}}
"
    )
}

fn states(events: &[PlantEvent]) -> Vec<(u64, BessState)> {
    let step = |e: &PlantEvent| match e.change {
        Change::Bess { to, .. } => Some((e.t_us, to)),
        _ => None,
    };
    events.iter().filter_map(step).collect()
}

fn reading(plant: &Plant) -> BessReading {
    let shown = plant
        .readings()
        .into_iter()
        .find(|(name, _)| name == "bess-1");
    match shown {
        Some((_, Reading::Bess(reading))) => reading,
        other => panic!("no reading of a BESS: {other:?}"),
    }
}

fn order(plant: &mut Plant, command: DeviceCommand) -> Vec<PlantEvent> {
    plant.command("bess-1", &command).unwrap()
}

const ISLAND: DeviceCommand = DeviceCommand::Island { on: true };
const FORM: DeviceCommand = DeviceCommand::Form { on: true };

#[test]
fn open_circuit_voltages() {
    for (charge, volts) in [
        (0.02, 2.794),
        (0.05, 3.088),
        (0.10, 3.245),
        (0.20, 3.289),
        (0.50, 3.298),
        (0.80, 3.304),
        (0.90, 3.306),
        (0.98, 3.332),
        (0.99, 3.419),
    ] {
        near(cell_ocv(charge), volts, 0.000_6);
    }
    // V = U - I R and P = V I.
    let (volts, amps) = terminal(100.0, 0.001, 0.5, 10_000.0);
    near(volts * amps, 10_000.0, 1e-6);
    near(volts, 100.0 * (cell_ocv(0.5) - amps * 0.001), 1e-9);
}

#[test]
fn following_it_does_nothing_for_an_outage_until_it_is_told() {
    let mut plant = plant(&parallel(""), &[load("n", "r1", 3_000.0)]);
    plant.advance(1_000_000);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(3_000_000));
    assert_eq!(power_times(&events, "n", false), [1_020_000]);
    assert!(matches!(
        plant.command("bess-1", &FORM),
        Err(CommandError::Refused(_))
    ));
    order(&mut plant, ISLAND);
    let mut events = order(&mut plant, FORM);
    events.extend(plant.advance(4_000_000));
    assert_eq!(
        states(&events),
        [
            (3_000_000, BessState::Starting),
            (3_050_000, BessState::Forming)
        ]
    );
    assert_eq!(power_times(&events, "n", true), [3_050_000]);
    let shown = reading(&plant);
    assert!(shown.islanded);
    assert_eq!((shown.mode, shown.w), (BessMode::Forming, 3_000.0));
    assert_eq!(bus_steps(&events, "pdu")[0].2, "bess-1.battery");
    // 3 kW from 95 % to 10 % of 10 kWh; filling the hold-up costs what it gives.
    let events = plant.advance(3 * 3_600_000_000);
    let off = power_times(&events, "n", false);
    near(
        off[0] as f64 / 1e6,
        3.05 + 8_500.0 / 3_000.0 * 3_600.0,
        1e-3,
    );
    assert!(plant.energy().imbalance_wh().abs() < 1e-6);
}

#[test]
fn it_joins_the_grid_without_a_gap_once_it_is_in_step() {
    let mut plant = plant(&parallel(""), &[load("n", "r1", 3_000.0)]);
    supply(&mut plant, "grid", 0.0);
    plant.advance(10_000);
    order(&mut plant, ISLAND);
    order(&mut plant, FORM);
    plant.advance(10_000_000);
    let back = DeviceCommand::Island { on: false };
    assert!(plant.command("bess-1", &back).is_err());
    let mut events = restore(&mut plant, "grid");
    events.extend(order(&mut plant, back));
    events.extend(plant.advance(20_000_000));
    let closed = events
        .iter()
        .find(|e| e.change == Change::GridBreaker { closed: true });
    assert_eq!(closed.unwrap().t_us, 15_000_000);
    assert_eq!(states(&events), [(15_000_000, BessState::Following)]);
    let steps = bus_steps(&events, "pdu");
    assert_eq!(steps, [(15_000_000, 1.0, "grid".to_string())]);
    // It recharges at a quarter of its rating.
    near(plant.draw_w("grid").unwrap(), 5_500.0, 1e-9);
    plant.advance(24 * 3_600_000_000);
    assert_eq!(plant.draw_w("grid"), Some(3_000.0));
    near(plant.charge("bess-1").unwrap(), 0.95, 1e-9);
    assert!(plant.energy().imbalance_wh().abs() < 1e-6);
}

#[test]
fn in_line_it_islands_by_itself_without_a_gap() {
    let mut plant = plant(&parallel("inline: true"), &[load("n", "r1", 3_000.0)]);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(60_000_000));
    assert_eq!(
        bus_steps(&events, "pdu"),
        [(0, 1.0, "bess-1.battery".to_string())]
    );
    let mut events = restore(&mut plant, "grid");
    events.extend(plant.advance(120_000_000));
    assert_eq!(
        bus_steps(&events, "pdu"),
        [(65_000_000, 1.0, "grid".to_string())]
    );
}

#[test]
fn it_gives_what_it_is_told_while_its_controller_lives() {
    let mut plant = plant(&parallel(""), &[load("n", "r1", 3_000.0)]);
    let power = |watts| DeviceCommand::Power { watts: Some(watts) };
    order(&mut plant, DeviceCommand::Heartbeat);
    order(&mut plant, power(2_000.0));
    assert_eq!(plant.draw_w("grid"), Some(1_000.0));
    // Nothing goes to the grid.
    order(&mut plant, power(9_000.0));
    assert_eq!(plant.draw_w("grid"), Some(0.0));
    assert!(matches!(
        plant.command("bess-1", &power(11_000.0)),
        Err(CommandError::OutOfRange(_))
    ));
    plant.advance(8_000_000);
    order(&mut plant, DeviceCommand::Heartbeat);
    let events = plant.advance(20_000_000);
    let lost = events
        .iter()
        .find(|e| e.change == Change::Heartbeat { heard: false });
    assert_eq!(lost.unwrap().t_us, 18_000_000);
    assert_eq!(reading(&plant).set_w, None);
    assert!(plant.draw_w("grid").unwrap() > 3_000.0);
}

#[test]
fn too_much_load_trips_it() {
    let mut plant = plant(&parallel(""), &[load("n", "r1", 13_000.0)]);
    supply(&mut plant, "grid", 0.0);
    order(&mut plant, ISLAND);
    let mut events = order(&mut plant, FORM);
    events.extend(plant.advance(1_000_000));
    assert_eq!(states(&events).last(), Some(&(150_000, BessState::Fault)));
    let shown = reading(&plant);
    assert_eq!(
        (shown.status, &*shown.fault),
        (BessStatus::Fault, "overload")
    );
    assert!(plant.command("bess-1", &FORM).is_err());
    let events = order(&mut plant, DeviceCommand::Reset);
    assert_eq!(states(&events).last().unwrap().1, BessState::Following);
}

#[test]
fn without_black_start_a_dead_bus_stays_dead() {
    let mut plant = plant(&parallel("black_start: false"), &[load("n", "r1", 3_000.0)]);
    supply(&mut plant, "grid", 0.0);
    order(&mut plant, ISLAND);
    assert_eq!(
        plant.command("bess-1", &FORM),
        Err(CommandError::Refused(
            "bess-1: it cannot black-start".to_string()
        ))
    );
}

#[test]
fn contactors_and_inverter_obey() {
    let mut plant = plant(&parallel(""), &[]);
    let connect = |on| DeviceCommand::Connect { on };
    let events = order(&mut plant, connect(false));
    assert_eq!(states(&events), [(0, BessState::Disconnected)]);
    let mut events = order(&mut plant, connect(true));
    events.extend(plant.advance(10_000_000));
    let expected = [
        (0, BessState::Initializing),
        (2_000_000, BessState::Standby),
        (2_000_000, BessState::Following),
    ];
    assert_eq!(states(&events), expected);
    let events = order(&mut plant, DeviceCommand::Run { on: false });
    assert_eq!(states(&events), [(10_000_000, BessState::Standby)]);
}
