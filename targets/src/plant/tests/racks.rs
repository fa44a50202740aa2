//! Outlets, backup units, redundant supplies, surges, limits and switches.

use super::support::*;
use crate::plant::{BbuState, Change, Plant, PlantAction, PlantEvent};
use crate::telemetry::{CommandError, DeviceCommand, Reading};

fn rack(more: &str) -> String {
    format!(
        "
name: rack
utilities: {{grid-a: {{}}, grid-b: {{}}}}
pdus:
  pdu-a: {{from: grid-a, breaker: {{rating: 100A}}, outlet_on_delay: 2s, outlet_off_delay: 1s}}
  pdu-b: {{from: grid-b, breaker: {{rating: 100A}}, restore: last_state}}
feeds: {{a: grid-a, b: grid-b}}
racks:
  dual: {{cords: [pdu-a, pdu-b], {more}}}
  single: {{cords: [pdu-b], {more}}}
"
    )
}

fn bbu_states(events: &[PlantEvent]) -> Vec<(u64, BbuState)> {
    let step = |e: &PlantEvent| match e.change {
        Change::Bbu { to, .. } => Some((e.t_us, to)),
        _ => None,
    };
    events.iter().filter_map(step).collect()
}

#[test]
fn one_outlet_is_switched_after_its_delay() {
    let loads = [load("n1", "dual", 500.0), load("n2", "dual", 500.0)];
    let mut plant = plant(&rack(""), &loads);
    let off = DeviceCommand::Outlet {
        index: 1,
        on: false,
    };
    plant.command("pdu-a", &off).unwrap();
    assert_eq!(plant.draw_w("pdu-a"), Some(500.0));
    let events = plant.advance(5_000_000);
    let switched = Change::Outlet {
        outlet: 1,
        on: false,
    };
    assert!(
        events
            .iter()
            .any(|e| e.change == switched && e.t_us == 1_000_000)
    );
    assert_eq!(plant.draw_w("pdu-a"), Some(250.0));
    assert_eq!(plant.draw_w("pdu-b"), Some(750.0));
    let on = DeviceCommand::Outlet { index: 1, on: true };
    plant.command("pdu-a", &on).unwrap();
    let Some((_, Reading::Pdu(shown))) = plant.readings().into_iter().nth(2) else {
        panic!("no reading of a PDU");
    };
    assert_eq!(
        (shown.outlets[1].on, shown.outlets[1].pending),
        (false, Some(true))
    );
    plant.advance(7_000_000);
    assert_eq!(plant.draw_w("pdu-a"), Some(500.0));
    let beyond = DeviceCommand::Outlet { index: 2, on: true };
    assert!(matches!(
        plant.command("pdu-a", &beyond),
        Err(CommandError::OutOfRange(_))
    ));
    supply(&mut plant, "grid-a", 0.0);
    assert!(matches!(
        plant.command("pdu-a", &on),
        Err(CommandError::Refused(_))
    ));
}

#[test]
fn outlets_come_back_as_the_policy_says() {
    for (policy, on) in [
        ("last_state", [true, false]),
        ("always_on", [true, true]),
        ("always_off", [false, false]),
    ] {
        let yaml = rack("").replace("last_state", policy);
        let loads = [load("n1", "single", 500.0), load("n2", "single", 500.0)];
        let mut plant = plant(&yaml, &loads);
        plant.act(&PlantAction::OutletOff {
            pdu: "pdu-b".to_string(),
            outlet: 1,
        });
        plant.advance(1_000_000);
        assert_eq!(plant.node_powered("n2"), Some(false));
        supply(&mut plant, "grid-b", 0.0);
        plant.advance(2_000_000);
        restore(&mut plant, "grid-b");
        plant.advance(3_000_000);
        let found = ["n1", "n2"].map(|n| plant.node_powered(n).unwrap());
        assert_eq!(found, on, "{policy}");
        // One outlet can be put on whatever the policy said.
        plant
            .command("pdu-b", &DeviceCommand::Outlet { index: 1, on: true })
            .unwrap();
        assert_eq!(plant.node_powered("n2"), Some(true), "{policy}");
    }
}

#[test]
fn a_breaker_set_wrong_opens_at_a_load_that_it_should_carry() {
    let mut plant = plant(BARE, &[load("n", "r1", 11_500.0)]);
    plant.act(&PlantAction::BreakerPickup {
        pdu: "pdu".to_string(),
        pickup: Some(crate::units::PerUnit(0.4)),
    });
    let events = plant.advance(60_000_000);
    assert_eq!(power_times(&events, "n", false).len(), 1);
    plant.act(&PlantAction::BreakerPickup {
        pdu: "pdu".to_string(),
        pickup: None,
    });
    plant.command("pdu", &DeviceCommand::Reset).unwrap();
    let events = plant.advance(120_000_000);
    assert!(power_times(&events, "n", false).is_empty());
}

/// 2 + 2 ms to take over, 240 s at its rating, 200 ms to stand by again.
#[test]
fn a_backup_unit_takes_over_and_goes_back() {
    let loads = [load("n1", "single", 1_500.0), load("n2", "single", 1_500.0)];
    let mut plant = plant(&rack("bbu: {rating: 3kW}"), &loads);
    plant.advance(1_000_000);
    let mut events = supply(&mut plant, "grid-b", 0.0);
    events.extend(plant.advance(121_004_000));
    assert_eq!(bbu_states(&events), [(1_004_000, BbuState::Discharging)]);
    assert!(power_times(&events, "n1", false).is_empty());
    let Some((_, Reading::Shelf(shelf))) = plant.readings().into_iter().nth(5) else {
        panic!("no reading of a shelf");
    };
    let bbu = shelf.bbu.unwrap();
    near(bbu.charge, 0.5, 1e-9);
    near(bbu.energy_wh, 200.0, 1e-9);
    assert!(bbu.discharging);
    restore(&mut plant, "grid-b");
    let events = plant.advance(200_000_000);
    assert_eq!(bbu_states(&events), [(121_204_000, BbuState::Charging)]);
    // 5 % of the rating to recharge.
    near(plant.draw_w("pdu-b").unwrap(), 3_150.0, 1e-9);
    let events = plant.advance(24 * 3_600_000_000);
    assert_eq!(bbu_states(&events).last().unwrap().1, BbuState::Standby);
    assert!(plant.energy().imbalance_wh().abs() < 1e-6);
}

#[test]
fn a_backup_unit_ends_and_then_hold_up_does() {
    let loads = [load("n1", "single", 1_500.0), load("n2", "single", 1_500.0)];
    let mut plant = plant(&rack("bbu: {rating: 3kW}"), &loads);
    let mut events = supply(&mut plant, "grid-b", 0.0);
    events.extend(plant.advance(600_000_000));
    assert_eq!(
        bbu_states(&events),
        [
            (4_000, BbuState::Discharging),
            (240_004_000, BbuState::Empty)
        ]
    );
    // 60 J at 1.5 kW are 40 ms, 4 ms of which went before the unit came.
    assert_eq!(power_times(&events, "n1", false), [240_040_000]);
    assert!(plant.energy().imbalance_wh().abs() < 1e-6);
}

#[test]
fn a_cut_machine_has_no_backup() {
    let mut plant = plant(&rack("bbu: {rating: 3kW}"), &[load("n1", "dual", 1_500.0)]);
    let node = crate::plant::PowerTarget::Node("n1".to_string());
    let mut events = plant.act(&PlantAction::Cut(node));
    events.extend(plant.advance(1_000_000));
    assert_eq!(power_times(&events, "n1", false).len(), 1);
    assert!(bbu_states(&events).is_empty());
}

#[test]
fn a_machine_lives_while_enough_supplies_do() {
    let fail = |plant: &mut Plant, supply| {
        plant.act(&PlantAction::PsuFails {
            node: "n1".to_string(),
            supply,
        })
    };
    let six = "psu: {per_cord: 3, needed: 4}";
    let single = format!("[pdu-b], {six}");
    let yaml = rack(six).replace(&single, "[pdu-b]");
    let mut redundant = plant(&yaml, &[load("n1", "dual", 6_000.0)]);
    fail(&mut redundant, 0);
    near(redundant.draw_w("pdu-a").unwrap(), 2_400.0, 1e-3);
    let mut events = fail(&mut redundant, 5);
    events.extend(redundant.advance(1_000_000));
    assert!(power_times(&events, "n1", false).is_empty());
    let mut events = fail(&mut redundant, 4);
    events.extend(redundant.advance(2_000_000));
    // 6 x 60 J at 6 kW.
    assert_eq!(power_times(&events, "n1", false), [1_060_000]);
    let Some((_, Reading::Machine(shown))) = redundant.readings().into_iter().last() else {
        panic!("no reading of a machine");
    };
    let healthy: Vec<_> = shown.supplies.iter().map(|s| s.healthy).collect();
    assert_eq!(healthy, [false, true, true, true, false, false]);
    redundant.act(&PlantAction::PsuRestored {
        node: "n1".to_string(),
        supply: 5,
    });
    assert_eq!(redundant.node_powered("n1"), Some(true));
    // A lost feed takes three of six, and four are needed.
    let mut plant = plant(&yaml, &[load("n1", "dual", 6_000.0)]);
    let mut events = supply(&mut plant, "grid-a", 0.0);
    events.extend(plant.advance(1_000_000));
    assert_eq!(power_times(&events, "n1", false).len(), 1);
}

#[test]
fn a_return_can_surge() {
    let yaml = rack("psu: {surge: {factor: 1.5, for: 10s}}");
    let mut plant = plant(&yaml, &[load("n1", "single", 1_000.0)]);
    assert_eq!(plant.node_watts("n1"), Some(1_000.0));
    supply(&mut plant, "grid-b", 0.0);
    plant.advance(5_000_000);
    restore(&mut plant, "grid-b");
    assert_eq!(plant.node_watts("n1"), Some(1_500.0));
    plant.advance(14_999_999);
    assert_eq!(plant.node_watts("n1"), Some(1_500.0));
    plant.advance(15_000_000);
    assert_eq!(plant.node_watts("n1"), Some(1_000.0));
}

/// P = min(P, cap); clocks 1 - 0.6 (1 - cap / P_max).
#[test]
fn a_limit_holds_power_and_costs_speed() {
    let mut node = load("n1", "single", 400.0);
    node.peak = crate::units::Watts(1_000.0);
    let mut plant = plant(&rack(""), &[node]);
    draw(&mut plant, "n1", 1.0);
    let limit = |watts| DeviceCommand::Limit { watts };
    let events = plant.command("n1", &limit(Some(750.0))).unwrap();
    assert!(
        events
            .iter()
            .any(|e| e.change == Change::Brake { clocks: 0.85 })
    );
    assert_eq!(plant.node_watts("n1"), Some(750.0));
    assert!(matches!(
        plant.command("n1", &limit(Some(100.0))),
        Err(CommandError::OutOfRange(_))
    ));
    plant.command("n1", &limit(None)).unwrap();
    assert_eq!(plant.node_watts("n1"), Some(1_000.0));
}

#[test]
fn a_machine_is_switched_by_its_bmc() {
    let mut plant = plant(&rack(""), &[load("n1", "single", 400.0)]);
    let switch = |on| DeviceCommand::Machine { on };
    let events = plant.command("n1", &switch(false)).unwrap();
    assert_eq!(power_times(&events, "n1", false), [0]);
    supply(&mut plant, "grid-b", 0.0);
    plant.advance(1_000_000);
    assert!(matches!(
        plant.command("n1", &switch(true)),
        Err(CommandError::Refused(_))
    ));
    restore(&mut plant, "grid-b");
    plant.advance(2_000_000);
    assert_eq!(plant.node_powered("n1"), Some(false));
    let events = plant.command("n1", &switch(true)).unwrap();
    assert_eq!(power_times(&events, "n1", true), [2_000_000]);
    let Some((_, Reading::Machine(shown))) = plant.readings().into_iter().last() else {
        panic!("no reading of a machine");
    };
    assert_eq!(shown.last_reset_cause, "ManagementCommand");
}
