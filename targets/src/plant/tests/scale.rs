//! A large hall: work is done where something changes, not everywhere.

use super::support::*;
use crate::plant::{Change, NodeLoad, Plant, Site, UpsState};
use crate::units::Watts;

const RACKS: usize = 10_000;

/// Two feeds, and a pair of PDUs for every hundred racks of one machine.
fn hall() -> (Site, Vec<NodeLoad>) {
    let mut hall = site(TWO_FEEDS);
    let rating = Watts(RACKS as f64 * 2_000.0);
    for ups in hall.ups.values_mut() {
        ups.rating = rating;
        ups.battery.energy.0 = rating.get() / 12.0;
    }
    let (rack, loads) = (hall.racks["dual"].clone(), &mut Vec::new());
    for k in 0..RACKS {
        let row = k / 100;
        for feed in ["a", "b"] {
            let mut pdu = hall.pdus[&format!("pdu-{feed}")].clone();
            pdu.breaker.rating.0 = 1_000.0;
            hall.pdus.entry(format!("row-{row}-{feed}")).or_insert(pdu);
        }
        let mut rack = rack.clone();
        rack.cords = vec![format!("row-{row}-a"), format!("row-{row}-b")];
        hall.racks.insert(format!("r{k}"), rack);
        loads.push(load(&format!("n{k}"), &format!("r{k}"), 1_000.0));
    }
    (hall, std::mem::take(loads))
}

#[test]
fn ten_thousand_racks_lose_their_grid() {
    let (site, loads) = hall();
    let mut plant = Plant::new(&site, &loads).unwrap();
    near(plant.draw_w("ups-a").unwrap(), 5e6 / 0.96, 1.0);
    for k in 0..RACKS {
        assert!(draw(&mut plant, &format!("n{k}"), 0.5).is_empty());
    }
    supply(&mut plant, "grid-a", 0.0);
    let mut events = supply(&mut plant, "grid-b", 0.0);
    events.extend(plant.advance(3_600_000_000));
    // 20 MW for five minutes, at a quarter of that each.
    let off = entered(&events, "ups-a", UpsState::Off);
    assert_eq!(off, entered(&events, "ups-b", UpsState::Off));
    near(off[0] as f64 / 1e6, 300.0 * 4f64.powf(1.05), 0.001);
    let died = events
        .iter()
        .filter(|e| e.change == Change::NodePower { on: false });
    assert_eq!(died.count(), RACKS);
    let mut events = restore(&mut plant, "grid-a");
    events.extend(plant.advance(plant.now_us() + 60_000_000));
    let back = events
        .iter()
        .filter(|e| e.change == Change::NodePower { on: true });
    assert_eq!(back.count(), RACKS);
    assert!(plant.energy().imbalance_wh().abs() < 1e-3 * plant.energy().drawn_wh);
}
