//! Machines: hold-up, cords, coming back, brakes.

use super::support::*;
use crate::plant::{Change, Plant, PlantAction, PlantEvent, PowerTarget};
use crate::units::{Span, Watts};

fn blink(ms: u64) -> Vec<PlantEvent> {
    let mut plant = plant(BARE, &[load("n", "r1", 3_000.0)]);
    plant.advance(1_000_000);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(1_000_000 + ms * 1_000));
    events.extend(restore(&mut plant, "grid"));
    events.extend(plant.advance(9_000_000));
    events
}

#[test]
fn a_blink_inside_the_hold_up_is_ridden_through() {
    let events = blink(15);
    assert!(power_times(&events, "n", false).is_empty());
    let hold_up: Vec<_> = events.iter().filter(|e| e.component == "n").collect();
    let active = Change::HoldUp {
        active: true,
        left: Span::from_millis(20),
    };
    let over = Change::HoldUp {
        active: false,
        left: Span::from_millis(5),
    };
    assert_eq!(hold_up[0].change, active);
    assert_eq!(hold_up[1].change, over);
    assert_eq!(hold_up[1].t_us, 1_015_000);
}

#[test]
fn a_blink_outside_the_hold_up_kills_and_power_comes_back() {
    let events = blink(25);
    assert_eq!(power_times(&events, "n", false), [1_020_000]);
    assert_eq!(power_times(&events, "n", true), [1_025_000]);
}

#[test]
fn blinks_in_a_row_find_the_hold_up_not_yet_refilled() {
    let mut plant = plant(BARE, &[load("n", "r1", 3_000.0)]);
    let mut events = Vec::new();
    for k in 0..3 {
        events.extend(plant.advance(k * 30_000));
        events.extend(supply(&mut plant, "grid", 0.0));
        events.extend(plant.advance(k * 30_000 + 9_000));
        events.extend(restore(&mut plant, "grid"));
    }
    // 60 J less twice 27 J plus a little refill does not carry another 27 J.
    let off = power_times(&events, "n", false);
    assert_eq!(off.len(), 1);
    assert!(off[0] > 60_000 && off[0] < 69_000);
}

#[test]
fn a_sag_above_dropout_is_drawn_through_and_one_below_is_not() {
    for (level, dies) in [(0.79, false), (0.77, true)] {
        let mut plant = plant(BARE, &[load("n", "r1", 1_000.0)]);
        let mut events = supply(&mut plant, "grid", level);
        events.extend(plant.advance(1_000_000));
        assert_eq!(
            !power_times(&events, "n", false).is_empty(),
            dies,
            "{level}"
        );
    }
}

#[test]
fn a_dual_corded_machine_survives_a_feed() {
    let loads = [load("two", "dual", 1_000.0), load("one", "single", 1_000.0)];
    let mut plant = plant(TWO_FEEDS, &loads);
    near(plant.draw_w("pdu-a").unwrap(), 1_500.0, 0.01);
    near(plant.draw_w("pdu-b").unwrap(), 500.0, 0.01);
    let feed = PowerTarget::Feed("a".to_string());
    assert_eq!(plant.carries(&feed), ["two", "one"]);
    let mut events = plant.act(&PlantAction::Cut(feed.clone()));
    events.extend(plant.advance(1_000_000));
    // Past its UPS: the battery behind the cut helps nobody.
    assert_eq!(plant.voltage_pu("pdu-a"), Some(0.0));
    assert!(power_times(&events, "two", false).is_empty());
    assert_eq!(power_times(&events, "one", false), [60_000]);
    assert_eq!(plant.node_watts("one"), Some(0.0));
    near(plant.draw_w("pdu-b").unwrap(), 1_000.0, 0.01);
    let events = plant.act(&PlantAction::Uncut(feed));
    assert_eq!(power_times(&events, "one", true), [1_000_000]);
}

#[test]
fn a_dead_battery_kills_the_single_corded_machine_only() {
    let loads = [load("two", "dual", 1_000.0), load("one", "single", 1_000.0)];
    let yaml = TWO_FEEDS.replacen("energy: 1kWh", "energy: 1kWh, condition: open", 1);
    let mut plant = plant(&yaml, &loads);
    let mut events = supply(&mut plant, "grid-a", 0.0);
    events.extend(supply(&mut plant, "grid-b", 0.0));
    events.extend(plant.advance(1_000_000));
    assert_eq!(power_times(&events, "one", false).len(), 1);
    assert!(power_times(&events, "two", false).is_empty());
}

#[test]
fn machines_come_back_after_the_delay_one_by_one() {
    let yaml = BARE
        .replace("rating: 100A}", "rating: 100A}, restore_delay: 2s")
        .replace("cords: [pdu]", "cords: [pdu], stagger: 500ms");
    let loads: Vec<_> = ["n1", "n2", "n3"].map(|n| load(n, "r1", 1_000.0)).into();
    let mut plant = plant(&yaml, &loads);
    supply(&mut plant, "grid", 0.0);
    plant.advance(1_000_000);
    let mut events = restore(&mut plant, "grid");
    events.extend(plant.advance(10_000_000));
    let on: Vec<u64> = ["n1", "n2", "n3"]
        .iter()
        .flat_map(|n| power_times(&events, n, true))
        .collect();
    assert_eq!(on, [3_000_000, 3_500_000, 4_000_000]);
    assert_eq!(plant.voltage_pu("pdu"), Some(1.0));
}

#[test]
fn a_machine_whose_input_fails_again_misses_its_turn() {
    let yaml = BARE.replace("cords: [pdu]", "cords: [pdu], stagger: 5s");
    let loads = [load("n1", "r1", 1_000.0), load("n2", "r1", 1_000.0)];
    let mut plant = plant(&yaml, &loads);
    supply(&mut plant, "grid", 0.0);
    plant.advance(1_000_000);
    let mut events = restore(&mut plant, "grid");
    events.extend(plant.advance(2_000_000));
    events.extend(supply(&mut plant, "grid", 0.0));
    events.extend(plant.advance(10_000_000));
    assert_eq!(power_times(&events, "n1", true), [1_000_000]);
    assert!(power_times(&events, "n2", true).is_empty());
    let events = restore(&mut plant, "grid");
    assert_eq!(power_times(&events, "n1", true), [10_000_000]);
}

#[test]
fn a_short_gap_does_not_reach_the_outlets() {
    let yaml = one_ups("vi", "", "energy: 10kWh")
        .replace("rating: 100A}", "rating: 100A}, restore_delay: 5s");
    let mut plant = plant(&yaml, &[load("n", "r1", 5_000.0)]);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(1_000_000));
    assert_eq!(bus_steps(&events, "pdu-a").len(), 2);
    assert!(power_times(&events, "n", false).is_empty());
}

#[test]
fn outlets_that_stay_off_need_a_hand() {
    let yaml = BARE.replace("rating: 100A}", "rating: 100A}, restore: always_off");
    let mut plant = plant(&yaml, &[load("n", "r1", 1_000.0)]);
    supply(&mut plant, "grid", 0.0);
    plant.advance(1_000_000);
    restore(&mut plant, "grid");
    plant.advance(100_000_000);
    assert_eq!(plant.node_powered("n"), Some(false));
    let pdu = "pdu".to_string();
    let events = plant.act(&PlantAction::BreakerCloses { pdu });
    assert_eq!(power_times(&events, "n", true), [100_000_000]);
}

#[test]
fn overlapping_cuts_need_two_ends() {
    let mut plant = plant(BARE, &[load("n", "r1", 1_000.0)]);
    let rack = PowerTarget::Rack("r1".to_string());
    let node = PowerTarget::Node("n".to_string());
    plant.act(&PlantAction::Cut(pdu("pdu")));
    plant.act(&PlantAction::Cut(pdu("pdu")));
    plant.act(&PlantAction::Cut(rack.clone()));
    plant.act(&PlantAction::Cut(node.clone()));
    plant.advance(1_000_000);
    for end in [pdu("pdu"), rack, node] {
        plant.act(&PlantAction::Uncut(end));
        assert_eq!(plant.node_powered("n"), Some(false));
    }
    plant.act(&PlantAction::Uncut(pdu("pdu")));
    assert_eq!(plant.node_powered("n"), Some(true));
}

#[test]
fn work_draws_power_and_does_not_outlive_it() {
    let mut n = load("n", "r1", 500.0);
    n.peak = Watts(2_500.0);
    let mut plant = plant(BARE, &[n]);
    assert_eq!(plant.node_watts("n"), Some(500.0));
    draw(&mut plant, "n", 0.5);
    assert_eq!(plant.node_watts("n"), Some(1_500.0));
    let brake = |ratio| PlantAction::Brake {
        node: "n".to_string(),
        ratio,
    };
    let events = plant.act(&brake(0.5));
    assert_eq!(events[0].change, Change::Brake { clocks: 0.5 });
    assert_eq!(plant.node_watts("n"), Some(950.0));
    plant.act(&brake(1.0));
    assert_eq!(plant.node_watts("n"), Some(1_500.0));
    plant.act(&PlantAction::Cut(pdu("pdu")));
    plant.advance(1_000_000);
    assert_eq!(plant.node_watts("n"), Some(0.0));
    draw(&mut plant, "n", 1.0);
    plant.act(&PlantAction::Uncut(pdu("pdu")));
    assert_eq!(plant.node_watts("n"), Some(500.0));
}

#[test]
fn a_held_down_machine_tells_why() {
    let mut n = load("n", "r1", 500.0);
    n.peak = Watts(2_500.0);
    let mut plant = plant(BARE, &[n]);
    let node = || "n".to_string();
    let reasons = |plant: &Plant| plant.clock_reasons("n").expect("a machine").0;
    assert_eq!(reasons(&plant), 0);
    plant.act(&PlantAction::Brake {
        node: node(),
        ratio: 0.5,
    });
    // HwSlowdown and HwPowerBrakeSlowdown.
    assert_eq!(reasons(&plant), 0x88);
    plant.act(&PlantAction::PowerCap {
        node: node(),
        limit: Some(Watts(1_000.0)),
    });
    assert_eq!(reasons(&plant), 0x8c);
    plant.act(&PlantAction::Brake {
        node: node(),
        ratio: 1.0,
    });
    // SwPowerCap alone.
    assert_eq!(reasons(&plant), 0x4);
}

#[test]
fn a_power_supply_over_its_current_limit_pulls_the_brake() {
    // Two supplies of 3 kW share 4 kW; one of them cannot carry it alone.
    let mut n = load("n", "dual", 1_000.0);
    n.peak = Watts(4_000.0);
    let mut plant = plant(TWO_FEEDS, &[n]);
    draw(&mut plant, "n", 1.0);
    plant.advance(1_000_000);
    let mut events = plant.act(&PlantAction::Cut(pdu("pdu-b")));
    events.extend(plant.advance(5_000_000));
    assert_eq!(brakes(&events), [(1_020_000, 0.5)]);
    assert_eq!(plant.node_watts("n"), Some(2_350.0));
    let mut events = plant.act(&PlantAction::Uncut(pdu("pdu-b")));
    events.extend(plant.advance(9_000_000));
    assert_eq!(brakes(&events), [(6_000_000, 1.0)]);
    assert_eq!(plant.node_watts("n"), Some(4_000.0));
}

#[test]
fn a_brownout_at_full_load_pulls_the_brake() {
    let mut n = load("n", "r1", 1_000.0);
    n.peak = Watts(3_000.0);
    let mut plant = plant(BARE, &[n]);
    draw(&mut plant, "n", 1.0);
    let mut events = supply(&mut plant, "grid", 0.85);
    events.extend(plant.advance(60_000_000));
    assert_eq!(brakes(&events), [(20_000, 0.5)]);
}

fn brakes(events: &[PlantEvent]) -> Vec<(u64, f64)> {
    let brake = |e: &PlantEvent| match e.change {
        Change::Brake { clocks } => Some((e.t_us, clocks)),
        _ => None,
    };
    events.iter().filter_map(brake).collect()
}
