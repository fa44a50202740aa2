//! A device as a NUT server knows it before its first reading.

use crate::supervisor::nut::{Device, Link, Range, Variable};
use crate::telemetry::Identity;

/// Kinds of devices that NUT has a `device.type` for, and a generator, which it
/// has not.
pub(in crate::supervisor) fn is_served(identity: &Identity) -> bool {
    matches!(
        identity.kind.as_str(),
        "ups" | "transfer" | "pdu" | "generator"
    )
}

/// The device, silent as yet.
pub(in crate::supervisor) fn describe(identity: &Identity) -> Device {
    let mut device = Device::new(&identity.name, &identity.description);
    device.link = Link::Stale;
    let kind = match identity.kind.as_str() {
        "transfer" => "ats",
        other => other,
    };
    for (name, value) in [
        ("device.mfr", identity.manufacturer.as_str()),
        ("device.model", identity.model.as_str()),
        ("device.serial", identity.serial.as_str()),
        ("device.type", kind),
        ("driver.name", "ridethrough"),
        ("driver.version", env!("CARGO_PKG_VERSION")),
        ("ups.status", "WAIT"),
    ] {
        device.put(name, value);
    }
    let commands: &[&str] = match kind {
        "ups" => {
            device.put("ups.beeper.status", "enabled");
            thresholds(&mut device);
            &[
                "beeper.disable",
                "beeper.enable",
                "beeper.mute",
                "beeper.toggle",
                "bypass.start",
                "bypass.stop",
                "device.reset",
                "load.off",
                "load.on",
            ]
        }
        "ats" => &["input.source.1", "input.source.2"],
        "generator" => &["device.reset", "generator.start", "generator.stop"],
        _ => &[],
    };
    let mut commands: Vec<String> = commands.iter().map(|c| (*c).to_string()).collect();
    if kind == "pdu" {
        commands = pdu_commands(0);
    }
    device.set_commands(commands);
    device
}

/// What a PDU with so many outlets can be told.
pub(super) fn pdu_commands(outlets: usize) -> Vec<String> {
    let switch = |n| ["load.off", "load.on"].map(|verb| format!("outlet.{n}.{verb}"));
    let mut commands: Vec<String> = (1..=outlets).flat_map(switch).collect();
    commands.push("device.reset".into());
    commands
}

fn thresholds(device: &mut Device) {
    for (name, max) in [("battery.charge.low", 100), ("battery.runtime.low", 86_400)] {
        let variable = Variable {
            value: "0".into(),
            writable: true,
            ranges: vec![Range { min: 0, max }],
            ..Variable::default()
        };
        device.define(name, variable);
    }
}
