//! Breakers: what trips them, and when.

use super::support::*;
use crate::plant::{Change, PlantAction, PlantEvent};

/// A breaker that 20 kW loads to 87 A.
fn site_with(breaker: &str) -> String {
    BARE.replace("rating: 100A", breaker).replace(
        "cords: [pdu]",
        "cords: [pdu], psu: {rating: 30kW, hold_up: 400J}",
    )
}

fn opened(events: &[PlantEvent]) -> Vec<(u64, String)> {
    let it = |e: &&PlantEvent| e.change == Change::Breaker { closed: false };
    events
        .iter()
        .filter(it)
        .map(|e| (e.t_us, e.cause.clone()))
        .collect()
}

#[test]
fn a_brownout_trips_a_breaker_that_was_set_too_close() {
    // 87 A is 1.16 of 75 A; at 0.85 it is 1.36.
    let mut plant = plant(&site_with("rating: 75A"), &[load("n", "r1", 20_000.0)]);
    assert!(opened(&plant.advance(60_000_000)).is_empty());
    let mut events = supply(&mut plant, "grid", 0.85);
    events.extend(plant.advance(80_000_000));
    assert_eq!(opened(&events), [(70_000_000, "overcurrent".to_string())]);
    assert_eq!(power_times(&events, "n", false), [70_020_000]);
}

#[test]
fn a_brownout_that_ends_in_time_does_not() {
    let mut plant = plant(&site_with("rating: 75A"), &[load("n", "r1", 20_000.0)]);
    let mut events = Vec::new();
    for _ in 0..3 {
        events.extend(supply(&mut plant, "grid", 0.85));
        events.extend(plant.advance(plant.now_us() + 9_999_999));
        events.extend(restore(&mut plant, "grid"));
        events.extend(plant.advance(plant.now_us() + 1));
    }
    assert!(opened(&events).is_empty());
}

#[test]
fn a_large_current_trips_at_once() {
    let mut n = load("n", "r1", 1_000.0);
    n.peak.0 = 20_000.0;
    let mut plant = plant(&site_with("rating: 15A"), &[n]);
    plant.advance(1_000_000);
    draw(&mut plant, "n", 1.0);
    let events = plant.advance(2_000_000);
    assert_eq!(
        opened(&events),
        [(1_020_000, "instantaneous overcurrent".to_string())]
    );
}

#[test]
fn a_pickup_set_wrong_trips_at_normal_load() {
    let breaker = "rating: 100A, pickup: 80%, pickup_delay: 1s";
    let mut plant = plant(&site_with(breaker), &[load("n", "r1", 20_000.0)]);
    assert_eq!(opened(&plant.advance(2_000_000))[0].0, 1_000_000);
}

#[test]
fn it_is_opened_and_closed_by_hand() {
    let mut plant = plant(&site_with("rating: 100A"), &[load("n", "r1", 20_000.0)]);
    let pdu = "pdu".to_string();
    let events = plant.act(&PlantAction::BreakerOpens { pdu: pdu.clone() });
    assert_eq!(opened(&events), [(0, "moved by hand".to_string())]);
    assert_eq!(bus_steps(&events, "pdu"), [(0, 0.0, String::new())]);
    assert_eq!(power_times(&plant.advance(1_000_000), "n", false), [20_000]);
    let events = plant.act(&PlantAction::BreakerCloses { pdu });
    assert_eq!(
        bus_steps(&events, "pdu"),
        [(1_000_000, 1.0, "grid".to_string())]
    );
    assert_eq!(power_times(&events, "n", true), [1_000_000]);
}
