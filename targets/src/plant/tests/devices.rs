//! What devices are, show and obey.

use super::support::*;
use crate::plant::{Change, NodeLoad, Plant, PlantAction, capped_clocks};
use crate::telemetry::{CommandError, DeviceCommand, Reading};
use crate::units::{PerUnit, Watts};

#[test]
fn every_device_has_a_name_plate_and_a_reading() {
    let loads = [load("n1", "dual", 500.0), load("n2", "single", 500.0)];
    let plant = plant(TWO_FEEDS, &loads);
    let plates = plant.identities();
    let plates: Vec<_> = plates
        .iter()
        .map(|i| format!("{} {} {:?}", i.name, i.description, i.from))
        .collect();
    insta::assert_snapshot!(plates.join("\n"), @r#"
    grid-a 230V 50Hz []
    grid-b 230V 50Hz []
    ups-a VFI 10kW ["grid-a"]
    ups-b VFI 10kW ["grid-b"]
    pdu-a 63A ["ups-a"]
    pdu-b 63A ["ups-b"]
    n1 500W ["pdu-a", "pdu-b"]
    n2 500W ["pdu-a"]
    "#);
    assert_eq!(plant.identities()[2].feeds, ["pdu-a"]);
    let readings = plant.readings();
    assert_eq!(readings.len(), 8);
    for (identity, (name, reading)) in plant.identities().iter().zip(&readings) {
        assert_eq!(&identity.name, name);
        assert_eq!(identity.kind, reading.kind());
    }
}

#[test]
fn readings_are_what_flows() {
    let mut plant = plant(TWO_FEEDS, &[load("n1", "dual", 500.0)]);
    supply(&mut plant, "grid-a", 0.0);
    plant.advance(3_600_000_000 / 4);
    let readings = plant.readings();
    let Some((_, Reading::Ups(ups))) = readings.iter().find(|(name, _)| name == "ups-a") else {
        panic!("no reading of a UPS");
    };
    assert_eq!(ups.line_bads, 1);
    near(ups.on_battery_s, 899.99, 1e-6);
    near(ups.input_window_v[0], 195.5, 1e-6);
    near(ups.input_window_v[1], 253.0, 1e-6);
    assert_eq!((ups.output_hz, ups.output_w), (50.0, 250.0));
    let Some((_, Reading::Pdu(pdu))) = readings.iter().find(|(name, _)| name == "pdu-b") else {
        panic!("no reading of a PDU");
    };
    assert_eq!((pdu.w, pdu.closed, pdu.tripped), (250.0, true, false));
    near(pdu.energy_wh, 62.5, 1e-6);
    assert_eq!(pdu.outlets.len(), 1);
    assert_eq!(pdu.outlets[0].node, "n1");
}

#[test]
fn a_breaker_obeys_and_others_say_why_not() {
    let mut plant = plant(TWO_FEEDS, &[load("n1", "dual", 500.0)]);
    let events = plant
        .command("pdu-a", &DeviceCommand::Breaker { on: false })
        .unwrap();
    assert!(
        events
            .iter()
            .any(|e| e.change == Change::Breaker { closed: false })
    );
    assert_eq!(
        plant.command("moon", &DeviceCommand::Start),
        Err(CommandError::Unknown("moon".to_string()))
    );
    assert_eq!(
        plant.command("grid-a", &DeviceCommand::Start),
        Err(CommandError::Unsupported("grid-a".to_string()))
    );
}

#[test]
fn one_reading_is_the_one_among_all() {
    let plant = plant(TWO_FEEDS, &[load("n1", "dual", 500.0)]);
    for (name, reading) in plant.readings() {
        assert_eq!(plant.reading(&name), Some(reading), "{name}");
        assert_eq!(plant.defects(&name), Some(Vec::new()), "{name}");
    }
    assert_eq!(plant.reading("moon"), None);
    assert_eq!(plant.defects("moon"), None);
}

#[test]
fn an_inspection_finds_what_does_not_show() {
    let mut plant = plant(TWO_FEEDS, &[load("n1", "dual", 500.0)]);
    let ups = || "ups-a".to_string();
    let pickup = |pickup| PlantAction::BreakerPickup {
        pdu: "pdu-a".to_string(),
        pickup,
    };
    let found = |plant: &Plant, name: &str| plant.defects(name).unwrap().join(", ");
    plant.act(&PlantAction::RetransferFails { ups: ups() });
    plant.act(&pickup(Some(PerUnit(0.5))));
    plant.act(&PlantAction::PsuFails {
        node: "n1".to_string(),
        supply: 1,
    });
    assert_eq!(found(&plant, "ups-a"), "retransfer fails");
    assert_eq!(found(&plant, "pdu-a"), "trips at 0.5 of its rating");
    assert_eq!(found(&plant, "n1"), "supply 1 failed");
    plant.act(&PlantAction::RetransferRestored { ups: ups() });
    plant.act(&pickup(None));
    assert_eq!(found(&plant, "ups-a") + &found(&plant, "pdu-a"), "");
}

#[test]
fn a_machine_is_held_to_a_power_and_let_go() {
    let loads = [NodeLoad {
        peak: Watts(2_000.0),
        ..load("n1", "dual", 400.0)
    }];
    let mut plant = plant(TWO_FEEDS, &loads);
    let node = || "n1".to_string();
    let cap = |limit| PlantAction::PowerCap {
        node: node(),
        limit,
    };
    plant.act(&PlantAction::Draw {
        node: node(),
        utilisation: 1.0,
    });
    let events = plant.act(&cap(Some(Watts(1_000.0))));
    assert_eq!(plant.node_watts("n1"), Some(1_000.0));
    let clocks = capped_clocks(1_000.0, 2_000.0);
    assert!(events.iter().any(|e| e.change == Change::Brake { clocks }));
    plant.act(&cap(None));
    assert_eq!(plant.node_watts("n1"), Some(2_000.0));
}
