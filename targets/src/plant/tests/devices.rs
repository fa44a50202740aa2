//! What devices are, show and obey.

use super::support::*;
use crate::plant::Change;
use crate::telemetry::{CommandError, DeviceCommand, Reading};

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
