//! Transfer switches.

use serde_json::{Value as Json, json};

use super::super::doc::{link, uri};
use super::super::look::{Health, LOST_V, Look};
use super::super::resource::{Action, Resource, Step, Wrong, flag, text};
use super::super::site::Site;
use super::equipment::{Circuit, circuits, distribution, index, metrics};
use super::sensor::{self, HERTZ, Sensor, VOLTS, WATTS, sensor_uri};
use crate::telemetry::{DeviceCommand, Reading, TransferReading};

const HERE: &str = "TransferSwitches";

pub(super) fn find(site: &Site<'_>, look: &Look, path: &[&str]) -> Option<Resource> {
    let empty = TransferReading::default();
    let switch = match look.reading.as_deref() {
        Some(Reading::Transfer(r)) => r,
        _ => &empty,
    };
    match path {
        [] => Some(whole(look, switch)),
        ["Metrics"] => Some(metrics(look, HERE, switch.output_w, None)),
        ["Mains"] => Some(circuits(look, [HERE, "Mains"], switch.sources.len())),
        ["Mains", id] => mains(look, switch, id),
        ["Sensors", rest @ ..] => {
            let below = ["PowerEquipment", HERE, look.name()];
            sensor::find(site, look, &below, &sensors(look, switch), rest)
        }
        _ => None,
    }
}

fn sensors(look: &Look, switch: &TransferReading) -> Vec<Sensor> {
    if look.reading.is_none() {
        return Vec::new();
    }
    let mut sensors = vec![
        Sensor::new("Voltage", VOLTS, switch.output_v),
        Sensor::new("Power", WATTS, switch.output_w),
    ];
    for (index, source) in switch.sources.iter().enumerate() {
        let number = index + 1;
        sensors.push(Sensor::new(
            format!("VoltageMains{number}"),
            VOLTS,
            source.v,
        ));
        let hertz = format!("FrequencyMains{number}");
        sensors.push(Sensor::new(hertz, HERTZ, source.hz));
    }
    sensors
}

/// The id of an input: they are counted from 1.
fn id(index: usize) -> String {
    (index + 1).to_string()
}

/// Seconds as the whole number that Redfish wants.
fn whole_seconds(seconds: f64) -> u64 {
    seconds.round().clamp(0.0, 1e9) as u64
}

fn whole(look: &Look, switch: &TransferReading) -> Resource {
    let count = switch.sources.len();
    let active = switch.active.map(id);
    let sensitivity = if switch.fast { "High" } else { "Medium" };
    let more = json!({
        "Mains": link(uri(&["PowerEquipment", HERE, look.name(), "Mains"])),
        "TransferConfiguration": {
            "ActiveMainsId": look.known(active),
            "PreferredMainsId": look.known(id(switch.preferred)),
            "AutoTransferEnabled": look.known(!switch.inhibited),
            "TransferInhibit": look.known(switch.inhibited),
            "TransferDelaySeconds": whole_seconds(switch.transfer_delay_s),
            "RetransferEnabled": look.known(switch.retransfer),
            "RetransferDelaySeconds": whole_seconds(switch.retransfer_delay_s),
            "ClosedTransitionAllowed": false,
        },
        "TransferCriteria": {"TransferSensitivity": sensitivity},
    });
    let choice = move |value: &Json| index(text(value)?, count).ok_or(Wrong::List);
    let order = |command| Ok(Step::Order(command));
    // There are two inputs; from none it goes to the one that it prefers.
    let other = switch
        .active
        .map_or(switch.preferred, |a| usize::from(a == 0));
    let select = vec![Step::Order(DeviceCommand::Select { source: other })];
    Resource::fixed(distribution(look, HERE, "AutomaticTransferSwitch", more))
        .write("TransferConfiguration/PreferredMainsId", move |value| {
            let source = choice(value)?;
            order(DeviceCommand::Prefer { source })
        })
        .write("TransferConfiguration/ActiveMainsId", move |value| {
            let source = choice(value)?;
            order(DeviceCommand::Select { source })
        })
        .write("TransferConfiguration/AutoTransferEnabled", move |value| {
            let on = !flag(value)?;
            order(DeviceCommand::Inhibit { on })
        })
        .write("TransferConfiguration/TransferInhibit", move |value| {
            let on = flag(value)?;
            order(DeviceCommand::Inhibit { on })
        })
        .write("TransferConfiguration/RetransferEnabled", move |value| {
            let on = flag(value)?;
            order(DeviceCommand::Retransfer { on })
        })
        .action(Action::plain("PowerDistribution.TransferControl", select))
}

fn mains(look: &Look, switch: &TransferReading, id: &str) -> Option<Resource> {
    let index = index(id, switch.sources.len())?;
    let source = &switch.sources[index];
    let circuit = Circuit {
        look,
        below: [HERE, "Mains"],
        id,
        name: &source.name,
        kind: "Mains",
        nominal_v: switch.nominal_v,
        health: match source.good {
            true => Health::Ok,
            // A generator at rest is as it should be.
            false if index != switch.preferred && source.v < LOST_V => Health::Ok,
            false if source.v < LOST_V => Health::Critical,
            false => Health::Warning,
        },
    };
    let sensor = |kind: &str| {
        let below = ["PowerEquipment", HERE, look.name()];
        sensor_uri(&below, &format!("{kind}Mains{id}"))
    };
    let live = if source.v < LOST_V { "Off" } else { "On" };
    let document = circuit.document(json!({
        "ElectricalSourceName": source.name,
        "PowerState": look.known(live),
        "Voltage": look.sensed(source.v, sensor("Voltage")),
        "FrequencyHz": look.sensed(source.hz, sensor("Frequency")),
    }));
    Some(Resource::fixed(document))
}
