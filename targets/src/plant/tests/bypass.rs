//! UPSs with a bypass, an eco mode, a lock-out, and a way back that fails.

use super::support::*;
use crate::plant::{Change, PlantAction, PlantEvent, UpsState};
use crate::telemetry::{CommandError, DeviceCommand, ReadingStatus};

const FULL: &str = "energy: 10kWh";

fn ups() -> String {
    "ups-a".to_string()
}

fn states(events: &[PlantEvent]) -> Vec<(u64, UpsState)> {
    let step = |e: &PlantEvent| match e.change {
        Change::Ups { to, .. } => Some((e.t_us, to)),
        _ => None,
    };
    events.iter().filter_map(step).collect()
}

#[test]
fn an_overload_goes_to_the_bypass_and_comes_back() {
    let mut node = load("n", "r1", 8_000.0);
    node.peak = crate::units::Watts(16_000.0);
    let mut plant = plant(&one_ups("vfi", "bypass: true,", FULL), &[node]);
    draw(&mut plant, "n", 1.0);
    let events = plant.advance(1_000_000);
    assert_eq!(states(&events), [(200_000, UpsState::Bypass)]);
    assert!(power_times(&events, "n", false).is_empty());
    assert_eq!(plant.draw_w("grid"), Some(16_000.0));
    let reading = plant.ups_reading("ups-a").unwrap();
    assert_eq!(reading.status, ReadingStatus::Bypass);
    assert_eq!((reading.bypass_v, reading.overload), (230.0, true));
    draw(&mut plant, "n", 0.0);
    let events = plant.advance(60_000_000);
    assert_eq!(states(&events), [(10_200_000, UpsState::Normal)]);
}

#[test]
fn there_is_no_battery_behind_a_bypass() {
    let mut plant = plant(
        &one_ups("vfi", "bypass: true,", FULL),
        &[load("n", "r1", 5_000.0)],
    );
    let events = plant.act(&PlantAction::BypassForced { ups: ups() });
    assert_eq!(states(&events), [(0, UpsState::Bypass)]);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(1_000_000));
    assert_eq!(power_times(&events, "n", false), [80_000]);
    restore(&mut plant, "grid");
    plant.act(&PlantAction::BypassReleased { ups: ups() });
    let events = plant.advance(60_000_000);
    assert_eq!(states(&events), [(11_000_000, UpsState::Normal)]);
}

#[test]
fn a_bypass_of_its_own_carries_what_the_input_cannot() {
    let yaml = one_ups(
        "vfi",
        "bypass_from: other,",
        "energy: 1kWh, condition: open",
    )
    .replace("{grid: {}}", "{grid: {}, other: {}}");
    let mut plant = plant(&yaml, &[load("n", "r1", 5_000.0)]);
    let events = supply(&mut plant, "grid", 0.0);
    assert_eq!(states(&events), [(0, UpsState::Bypass)]);
    assert_eq!(plant.draw_w("other"), Some(5_000.0));
    assert_eq!(plant.draw_w("grid"), Some(0.0));
    restore(&mut plant, "grid");
    let events = plant.advance(60_000_000);
    assert_eq!(states(&events), [(10_000_000, UpsState::Normal)]);
    assert!(plant.energy().imbalance_wh().abs() < 1e-6);
}

#[test]
fn a_broken_converter_drops_the_load_where_there_is_no_bypass() {
    for (bypass, state) in [("", UpsState::Off), ("bypass: true,", UpsState::Bypass)] {
        let mut plant = plant(&one_ups("vfi", bypass, FULL), &[load("n", "r1", 5_000.0)]);
        let events = plant.act(&PlantAction::UpsFails { ups: ups() });
        assert_eq!(states(&events), [(0, state)]);
        assert!(states(&plant.advance(60_000_000)).is_empty());
        let events = plant.act(&PlantAction::UpsRestored { ups: ups() });
        assert_eq!(states(&events), [(60_000_000, UpsState::Normal)]);
    }
}

#[test]
fn three_dips_in_a_minute_lock_it_out() {
    let more = "strikes: {count: 3, window: 60s}, requalify: 3s, walk_in: 2s,";
    let mut plant = plant(&one_ups("vfi", more, FULL), &[load("n", "r1", 5_000.0)]);
    let mut events = Vec::new();
    for dip in 1..=3 {
        events.extend(plant.advance(dip * 16_000_000));
        events.extend(supply(&mut plant, "grid", 0.3));
        events.extend(plant.advance(dip * 16_000_000 + 60_000));
        events.extend(restore(&mut plant, "grid"));
    }
    events.extend(plant.advance(120_000_000));
    let locked: Vec<_> = events
        .iter()
        .filter(|e| e.change == Change::Lockout { on: true })
        .map(|e| e.t_us)
        .collect();
    assert_eq!(locked, [48_010_000]);
    assert_eq!(plant.ups_state("ups-a"), Some(UpsState::OnBattery));
    let reading = plant.ups_reading("ups-a").unwrap();
    assert!(reading.locked_out);
    assert_eq!(
        (reading.line_bads, reading.status),
        (3, ReadingStatus::OnBattery)
    );
    let events = plant.command("ups-a", &DeviceCommand::Reset).unwrap();
    assert_eq!(states(&events)[0], (120_000_000, UpsState::Qualifying));
    plant.advance(130_000_000);
    assert_eq!(plant.ups_state("ups-a"), Some(UpsState::Normal));
}

#[test]
fn dips_further_apart_do_not_lock_it_out() {
    let more = "strikes: {}, requalify: 3s, walk_in: 2s,";
    let mut plant = plant(&one_ups("vfi", more, FULL), &[load("n", "r1", 5_000.0)]);
    for dip in 1..=6 {
        plant.advance(dip * 31_000_000);
        supply(&mut plant, "grid", 0.3);
        plant.advance(dip * 31_000_000 + 60_000);
        restore(&mut plant, "grid");
    }
    assert!(!plant.ups_reading("ups-a").unwrap().locked_out);
}

#[test]
fn the_way_back_can_fail() {
    for (bypass, state) in [("", UpsState::Off), ("bypass: true,", UpsState::Bypass)] {
        let mut plant = plant(&one_ups("vfi", bypass, FULL), &[load("n", "r1", 5_000.0)]);
        supply(&mut plant, "grid", 0.0);
        plant.advance(30_000_000);
        plant.act(&PlantAction::RetransferFails { ups: ups() });
        restore(&mut plant, "grid");
        let events = plant.advance(100_000_000);
        assert_eq!(states(&events), [(40_000_000, state)]);
        let events = plant.act(&PlantAction::RetransferRestored { ups: ups() });
        assert_eq!(states(&events), [(100_000_000, UpsState::Normal)]);
    }
}

#[test]
fn eco_mode_costs_a_gap() {
    let mut plant = plant(
        &one_ups("vfi", "eco: true,", FULL),
        &[load("n", "r1", 5_000.0)],
    );
    near(plant.draw_w("grid").unwrap(), 5_000.0 / 0.99, 0.01);
    plant.advance(1_000_000);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(10_000_000));
    let steps = bus_steps(&events, "pdu-a");
    assert_eq!(steps[0], (1_000_000, 0.0, String::new()));
    assert_eq!(steps[1], (1_014_000, 1.0, "ups-a.battery".to_string()));
    restore(&mut plant, "grid");
    let events = plant.advance(60_000_000);
    assert_eq!(states(&events).last(), Some(&(40_000_000, UpsState::Eco)));
}

#[test]
fn it_obeys() {
    let mut bare = plant(&one_ups("vfi", "", FULL), &[load("n", "r1", 5_000.0)]);
    let bypass = |on| DeviceCommand::Bypass { on };
    let unsupported = Err(CommandError::Unsupported(ups()));
    assert_eq!(bare.command("ups-a", &bypass(true)), unsupported);
    let mut plant = plant(
        &one_ups("vfi", "bypass: true,", FULL),
        &[load("n", "r1", 5_000.0)],
    );
    let events = plant.command("ups-a", &bypass(true)).unwrap();
    assert_eq!(states(&events), [(0, UpsState::Bypass)]);
    // An electronic bypass goes back to the battery by itself.
    supply(&mut plant, "grid", 0.0);
    let events = plant.advance(1_000_000);
    assert_eq!(states(&events), [(10_000, UpsState::OnBattery)]);
    assert!(matches!(
        plant.command("ups-a", &bypass(true)),
        Err(CommandError::Refused(_))
    ));
    let off = DeviceCommand::Output { on: false };
    let mut events = plant.command("ups-a", &off).unwrap();
    events.extend(plant.advance(2_000_000));
    assert_eq!(states(&events), [(1_000_000, UpsState::Off)]);
    assert_eq!(power_times(&events, "n", false).len(), 1);
}

#[test]
fn a_weak_cell_kills_a_battery_without_warning() {
    let battery = "energy: 10kWh, sudden_death_at: 60%";
    let mut plant = plant(&one_ups("vfi", "", battery), &[load("n", "r1", 10_000.0)]);
    supply(&mut plant, "grid", 0.0);
    let events = plant.advance(3_600_000_000);
    near(
        entered(&events, "ups-a", UpsState::Off)[0] as f64 / 1e6,
        1_440.0,
        1e-5,
    );
    assert!(plant.ups_reading("ups-a").unwrap().replace_battery);
    let low = |e: &PlantEvent| matches!(e.change, Change::LowBattery { .. });
    assert!(!events.iter().any(low));
}

#[test]
fn a_line_interactive_ups_boosts_and_trims() {
    let mut plant = plant(&one_ups("vi", "", FULL), &[load("n", "r1", 5_000.0)]);
    for (level, status) in [
        (0.9, ReadingStatus::Boost),
        (1.0, ReadingStatus::OnLine),
        (1.08, ReadingStatus::Trim),
    ] {
        supply(&mut plant, "grid", level);
        assert_eq!(plant.ups_reading("ups-a").unwrap().status, status);
    }
}
