//! UPSs: gaps by class, requalifying, walk-in, batteries that are not what
//! they say.

use super::support::*;
use crate::plant::{BatteryState, Change, Plant, PlantAction, PlantEvent, UpsState};
use crate::telemetry::ReadingStatus;
use crate::units::PerUnit;

const FULL: &str = "energy: 10kWh";

fn outage(class: &str, more: &str, battery: &str, watts: f64) -> (Plant, Vec<PlantEvent>) {
    let mut plant = plant(&one_ups(class, more, battery), &[load("n", "r1", watts)]);
    plant.advance(1_000_000);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(6_000_000));
    (plant, events)
}

#[test]
fn vfi_has_no_gap() {
    let (plant, events) = outage("vfi", "", FULL, 5_000.0);
    let steps = bus_steps(&events, "pdu-a");
    assert_eq!(steps, [(1_000_000, 1.0, "ups-a.battery".to_string())]);
    assert_eq!(entered(&events, "ups-a", UpsState::OnBattery), [1_010_000]);
    assert_eq!(plant.voltage_pu("ups-a"), Some(1.0));
    assert!(power_times(&events, "n", false).is_empty());
}

#[test]
fn line_interactive_and_standby_have_a_gap_of_their_transfer_time() {
    for class in ["vi", "vfd"] {
        let (_, events) = outage(class, "transfer: 4ms,", FULL, 5_000.0);
        let steps = bus_steps(&events, "pdu-a");
        // The input passes through until it is disqualified; then the relay.
        let expected = [
            (1_000_000, 0.0, String::new()),
            (1_014_000, 1.0, "ups-a.battery".to_string()),
        ];
        assert_eq!(steps, expected, "{class}");
        assert_eq!(
            entered(&events, "ups-a", UpsState::Transferring),
            [1_010_000]
        );
        assert_eq!(entered(&events, "ups-a", UpsState::OnBattery), [1_014_000]);
        assert!(power_times(&events, "n", false).is_empty(), "{class}");
    }
}

#[test]
fn a_sag_passes_through_vi_and_vfd_until_they_transfer() {
    for (class, before) in [("vi", 1.0), ("vfd", 0.95)] {
        let yaml = one_ups(class, "", FULL);
        let mut plant = plant(&yaml, &[load("n", "r1", 5_000.0)]);
        supply(&mut plant, "grid", 0.95);
        assert_eq!(plant.voltage_pu("pdu-a"), Some(before), "{class}");
        let events = supply(&mut plant, "grid", 0.8);
        assert_eq!(bus_steps(&events, "pdu-a"), [(0, 0.8, "grid".to_string())]);
        let events = plant.advance(1_000_000);
        let steps = bus_steps(&events, "pdu-a");
        assert_eq!(steps[0], (10_000, 0.0, String::new()), "{class}");
        assert_eq!(steps[1], (20_000, 1.0, "ups-a.battery".to_string()));
    }
}

#[test]
fn a_blink_shorter_than_the_disqualify_time_moves_no_ups() {
    for class in ["vfi", "vi", "vfd"] {
        let yaml = one_ups(class, "", FULL);
        let mut plant = plant(&yaml, &[load("n", "r1", 5_000.0)]);
        let mut events = supply(&mut plant, "grid", 0.0);
        events.extend(plant.advance(9_999));
        events.extend(restore(&mut plant, "grid"));
        events.extend(plant.advance(60_000_000));
        let moved = events
            .iter()
            .any(|e| matches!(e.change, Change::Ups { .. }));
        assert!(!moved, "{class}: {events:#?}");
        assert!(power_times(&events, "n", false).is_empty(), "{class}");
    }
}

#[test]
fn frequency_out_of_the_window_is_a_bad_input() {
    let yaml = one_ups("vfi", "", FULL).replace(
        "{grid: {}}",
        "{grid: {profile: [{at: 1s, voltage: 1pu, frequency: 47Hz}, {at: 2s, voltage: 1pu}]}}",
    );
    let mut plant = plant(&yaml, &[load("n", "r1", 5_000.0)]);
    plant.start_profiles(500_000);
    let events = plant.advance(4_000_000);
    assert_eq!(entered(&events, "ups-a", UpsState::OnBattery), [1_510_000]);
    assert_eq!(entered(&events, "ups-a", UpsState::Qualifying), [2_500_000]);
    let reading = plant.ups_reading("ups-a").unwrap();
    assert_eq!(reading.transfer_reason, "input frequency out of range");
    assert_eq!(reading.input_hz, 50.0);
}

#[test]
fn it_requalifies_then_walks_in() {
    let (mut plant, _) = outage(
        "vfi",
        "requalify: 5s, walk_in: 20s,",
        "energy: 10kWh, charge: 50%",
        9_600.0,
    );
    let mut events = restore(&mut plant, "grid");
    // A second dip starts the count again.
    events.extend(plant.advance(9_000_000));
    events.extend(supply(&mut plant, "grid", 0.5));
    events.extend(plant.advance(10_000_000));
    events.extend(restore(&mut plant, "grid"));
    events.extend(plant.advance(25_100_000));
    assert_eq!(entered(&events, "ups-a", UpsState::WalkIn), [15_000_000]);
    // Half way through the ramp half of the load is on mains.
    near(plant.draw_w("ups-a").unwrap(), 5_050.0, 1.0);
    assert_eq!(
        plant.ups_reading("ups-a").unwrap().status,
        ReadingStatus::OnBattery
    );
    events.extend(plant.advance(60_000_000));
    assert_eq!(entered(&events, "ups-a", UpsState::Normal), [35_000_000]);
    let steps = bus_steps(&events, "pdu-a");
    assert_eq!(steps.last(), Some(&(35_000_000, 1.0, "grid".to_string())));
    assert!(steps.iter().all(|s| s.1 == 1.0));
    // The load at 96 %, and the charger.
    near(plant.draw_w("ups-a").unwrap(), 10_000.0 + 1_000.0, 1.0);
}

#[test]
fn a_battery_that_is_open_shows_nothing_until_load_falls_on_it() {
    let battery = "energy: 10kWh, condition: open";
    let yaml = one_ups("vfi", "requalify: 10s,", battery);
    let mut plant = plant(&yaml, &[load("n", "r1", 5_000.0)]);
    plant.advance(1_000_000);
    let reading = plant.ups_reading("ups-a").unwrap();
    assert_eq!((reading.charge, reading.low_battery), (1.0, false));
    assert!(!reading.replace_battery && reading.runtime_s > 3_600.0);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(2_000_000));
    assert_eq!(entered(&events, "ups-a", UpsState::Off), [1_000_000]);
    assert_eq!(plant.voltage_pu("pdu-a"), Some(0.0));
    // 400 J at 5 kW.
    assert_eq!(power_times(&events, "n", false), [1_080_000]);
    assert!(plant.ups_reading("ups-a").unwrap().replace_battery);
    // It comes back by itself.
    let mut events = restore(&mut plant, "grid");
    events.extend(plant.advance(20_000_000));
    assert_eq!(entered(&events, "ups-a", UpsState::Normal), [12_000_000]);
    assert_eq!(power_times(&events, "n", true), [12_000_000]);
}

#[test]
fn a_battery_that_opens_under_load_drops_it() {
    let (mut plant, _) = outage("vi", "", FULL, 5_000.0);
    let ups = "ups-a".to_string();
    let events = plant.act(&PlantAction::BatteryOpens { ups: ups.clone() });
    assert_eq!(
        bus_steps(&events, "pdu-a"),
        [(6_000_000, 0.0, String::new())]
    );
    let opened = |e: &PlantEvent| {
        matches!(
            e.change,
            Change::Battery {
                to: BatteryState::Open,
                ..
            }
        )
    };
    assert!(events.iter().any(opened));
    plant.act(&PlantAction::BatteryCloses { ups });
    // Closing the string does not start a dead UPS without input.
    plant.advance(30_000_000);
    assert_eq!(plant.ups_state("ups-a"), Some(UpsState::Off));
}

#[test]
fn an_aged_battery_shows_more_than_it_has() {
    // 10 kW for 1,000 s when new; 40 % of that is left.
    let battery = "energy: 10kWh, runtime: 1000s, runtime_low: 100s, charge_low: 10%";
    let mut plant = plant(&one_ups("vfi", "", battery), &[load("n", "r1", 10_000.0)]);
    plant.act(&PlantAction::BatteryHealth {
        ups: "ups-a".to_string(),
        health: PerUnit(0.4),
    });
    supply(&mut plant, "grid", 0.0);
    let mut events = plant.advance(200_000_000);
    near(plant.charge("ups-a").unwrap(), 0.5, 1e-9);
    let reading = plant.ups_reading("ups-a").unwrap();
    near(reading.charge, 0.8, 1e-9);
    near(reading.runtime_s, 800.0, 1e-6);
    events.extend(plant.advance(500_000_000));
    assert_eq!(entered(&events, "ups-a", UpsState::Off), [400_000_000]);
    // It died before it would have called itself low.
    let low = |e: &PlantEvent| matches!(e.change, Change::LowBattery { .. });
    assert!(!events.iter().any(low));
    assert!(plant.ups_reading("ups-a").unwrap().replace_battery);
}

#[test]
fn it_charges_at_constant_power_then_tapers_until_full() {
    // 1 kW of charger into 1 kWh at 95 %.
    let battery = "energy: 1kWh, charge: 50%, charger: 10%";
    let mut plant = plant(&one_ups("vfi", "", battery), &[load("n", "r1", 100.0)]);
    near(plant.draw_w("ups-a").unwrap(), 100.0 / 0.96 + 1_000.0, 0.01);
    assert!(plant.ups_reading("ups-a").unwrap().charging);
    plant.advance(600_000_000);
    near(plant.charge("ups-a").unwrap(), 0.5 + 0.95 / 6.0, 1e-9);
    // 90 % is reached after 1,515.8 s; the tail is exponential.
    plant.advance(1_600_000_000);
    let taper_s: f64 = 1_600.0 - 0.4 * 3_600.0 / 0.95;
    let expected = 1.0 - 0.1 * (-taper_s * 0.95 / 360.0).exp();
    near(plant.charge("ups-a").unwrap(), expected, 1e-3);
    let events = plant.advance(6_000_000_000);
    assert_eq!(plant.charge("ups-a"), Some(1.0));
    let Some(last) = events
        .iter()
        .rfind(|e| matches!(e.change, Change::Battery { .. }))
    else {
        panic!("no battery event");
    };
    assert_eq!(
        last.change,
        Change::Battery {
            from: BatteryState::Charging,
            to: BatteryState::Idle,
            charge: 1.0
        }
    );
    near(plant.draw_w("ups-a").unwrap(), 100.0 / 0.96, 0.01);
    assert_eq!(plant.next_event_us(), None);
}

#[test]
fn an_overload_beyond_reason_turns_it_off() {
    for (watts, expected) in [
        (16_000.0, 200_000),
        (13_000.0, 60_000_000),
        (11_000.0, 600_000_000),
    ] {
        let yaml = one_ups("vfi", "", FULL);
        let mut plant = plant(&yaml, &[load("n", "r1", watts)]);
        let events = plant.advance(605_000_000);
        let off = |e: &&PlantEvent| {
            matches!(
                e.change,
                Change::Ups {
                    to: UpsState::Off,
                    ..
                }
            )
        };
        let first = events.iter().find(off).map(|e| (e.t_us, e.cause.as_str()));
        assert_eq!(first, Some((expected, "overload")));
        // Its input was good all along; it waits all the same.
        let mut events = events;
        events.extend(plant.advance(620_000_000));
        let back = entered(&events, "ups-a", UpsState::Normal);
        assert_eq!(back.first(), Some(&(expected + 10_000_000)));
    }
}

#[test]
fn low_battery_ends_with_the_load_on_mains() {
    let battery = "energy: 10kWh, charge: 10%";
    let (mut plant, mut events) = outage("vfi", "", battery, 5_000.0);
    assert!(plant.ups_reading("ups-a").unwrap().low_battery);
    events.extend(restore(&mut plant, "grid"));
    events.extend(plant.advance(60_000_000));
    let low: Vec<(u64, bool)> = events
        .iter()
        .filter_map(|e| match e.change {
            Change::LowBattery { low, .. } => Some((e.t_us, low)),
            _ => None,
        })
        .collect();
    assert_eq!(low, [(1_010_000, true), (26_000_000, false)]);
}
