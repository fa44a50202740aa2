//! The example site that has one of everything, through a long outage.

use super::support::*;
use crate::plant::{
    BbuState, Change, CoolingState, GeneratorState, NodeLoad, Plant, PlantAction, PowerTarget,
    UpsState, common_modes,
};
use crate::telemetry::DeviceCommand;
use crate::units::Watts;

const FULL: &str = include_str!("../../../../playbooks/sites/full.yaml");
const S: u64 = 1_000_000;

fn full() -> Plant {
    let loads = [("n1", "r1"), ("n2", "r2"), ("n3", "r3")];
    let loads = loads.map(|(name, rack)| NodeLoad {
        peak: Watts(3_000.0),
        ..load(name, rack, 1_500.0)
    });
    Plant::new(&site(FULL), &loads).unwrap()
}

#[test]
fn it_is_a_site() {
    let plant = full();
    let kinds: Vec<_> = plant.identities().iter().map(|i| i.kind.clone()).collect();
    assert_eq!(
        kinds,
        [
            "utility",
            "generator",
            "transfer",
            "ups",
            "ups",
            "bess",
            "pdu",
            "pdu",
            "pdu",
            "pdu",
            "shelf",
            "cooling",
            "machine",
            "machine",
            "machine"
        ]
    );
    assert!(common_modes(&site(FULL)).is_empty());
    assert_eq!(plant.ups_behind("grid"), ["ups-a", "ups-b"]);
}

#[test]
fn it_lives_through_an_hour_without_its_grid() {
    let mut plant = full();
    plant.advance(S);
    let mut events = supply(&mut plant, "grid", 0.0);
    events.extend(plant.advance(2 * S));
    // A person looks after the row beside the BESS.
    plant
        .command("bess-1", &DeviceCommand::Island { on: true })
        .unwrap();
    events.extend(
        plant
            .command("bess-1", &DeviceCommand::Form { on: true })
            .unwrap(),
    );
    events.extend(plant.advance(3_600 * S));
    for node in ["n1", "n2"] {
        assert!(power_times(&events, node, false).is_empty(), "{node}");
    }
    assert_eq!(power_times(&events, "n3", true), [2 * S + 50_000]);
    assert_eq!(plant.ups_state("ups-a"), Some(UpsState::Normal));
    let became = |wanted: Change| events.iter().any(|e| e.change == wanted);
    assert!(became(Change::Generator {
        from: GeneratorState::Cranking,
        to: GeneratorState::Ready
    }));
    assert!(became(Change::Cooling {
        from: CoolingState::Restarting,
        to: CoolingState::Running
    }));
    let mut events = restore(&mut plant, "grid");
    events.extend(
        plant
            .command("bess-1", &DeviceCommand::Island { on: false })
            .unwrap(),
    );
    events.extend(plant.advance(4_000 * S));
    for node in ["n1", "n2", "n3"] {
        assert!(power_times(&events, node, false).is_empty(), "{node}");
    }
    assert_eq!(plant.draw_w("gen-1"), Some(0.0));
    let energy = plant.energy();
    assert!(
        energy.imbalance_wh().abs() < 1e-3 * energy.drawn_wh,
        "{energy:?}"
    );
}

#[test]
fn a_rack_with_its_own_battery_outlives_its_feeds() {
    let mut plant = full();
    let feed = |name: &str| PlantAction::Cut(PowerTarget::Feed(name.to_string()));
    let mut events = plant.act(&feed("a"));
    events.extend(plant.act(&feed("b")));
    events.extend(plant.advance(10 * S));
    assert!(power_times(&events, "n1", false).is_empty());
    assert_eq!(power_times(&events, "n2", false).len(), 1);
    let took_over = |e: &&crate::plant::PlantEvent| {
        matches!(
            e.change,
            Change::Bbu {
                to: BbuState::Discharging,
                ..
            }
        )
    };
    assert_eq!(events.iter().find(took_over).unwrap().component, "r1.shelf");
}
