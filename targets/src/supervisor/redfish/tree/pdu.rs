//! PDUs: mains, the breaker's branch, outlets.

use serde_json::{Value as Json, json};

use super::super::doc::{collection, link, links, resource, uri, with};
use super::super::look::{Health, LOST_V, Look, nominal};
use super::super::resource::{Action, Resource};
use super::super::site::Site;
use super::equipment::{Circuit, circuits, distribution, index, metrics};
use super::sensor::{self, AMPERES, HERTZ, KWH, Sensor, VOLTS, WATTS, sensor_uri};
use crate::telemetry::{DeviceCommand, OutletReading, PduReading};

const HERE: &str = "RackPDUs";
/// The policies that Redfish knows.
const POLICIES: [&str; 3] = ["AlwaysOn", "AlwaysOff", "LastState"];

pub(super) fn find(site: &Site<'_>, look: &Look, path: &[&str]) -> Option<Resource> {
    let empty = PduReading::default();
    let pdu = look.pdu().unwrap_or(&empty);
    match path {
        [] => Some(Resource::fixed(whole(look))),
        ["Metrics"] => Some(metrics(look, HERE, pdu.w, Some(pdu.energy_wh))),
        ["Mains"] => Some(circuits(look, [HERE, "Mains"], 1)),
        ["Mains", "1"] => Some(Resource::fixed(mains(look, pdu))),
        ["Branches"] => Some(circuits(look, [HERE, "Branches"], 1)),
        ["Branches", "1"] => Some(branch(look, pdu)),
        ["Outlets"] => Some(Resource::fixed(outlets(look, pdu))),
        ["Outlets", id] => {
            let index = index(id, pdu.outlets.len())?;
            Some(outlet(look, pdu, index, &pdu.outlets[index]))
        }
        ["Sensors", rest @ ..] => {
            let below = ["PowerEquipment", HERE, look.name()];
            sensor::find(site, look, &below, &sensors(look, pdu), rest)
        }
        _ => None,
    }
}

fn whole(look: &Look) -> Json {
    let part = |part: &str| link(uri(&["PowerEquipment", HERE, look.name(), part]));
    let more = json!({
        "Mains": part("Mains"),
        "Branches": part("Branches"),
        "Outlets": part("Outlets"),
    });
    distribution(look, HERE, "RackPDU", more)
}

fn sensors(look: &Look, pdu: &PduReading) -> Vec<Sensor> {
    if look.reading.is_none() {
        return Vec::new();
    }
    let mut sensors = vec![
        Sensor::new("Voltage", VOLTS, pdu.v),
        Sensor::new("Current", AMPERES, pdu.a),
        Sensor::new("Power", WATTS, pdu.w),
        Sensor::new("Frequency", HERTZ, pdu.hz),
        Sensor::new("Energy", KWH, pdu.energy_wh / 1000.0),
    ];
    for (index, outlet) in pdu.outlets.iter().enumerate() {
        let number = index + 1;
        sensors.push(Sensor::new(format!("PowerOutlet{number}"), WATTS, outlet.w));
        let amperes = format!("CurrentOutlet{number}");
        sensors.push(Sensor::new(amperes, AMPERES, outlet.a));
    }
    sensors
}

/// Where a sensor of this PDU is.
fn sensor(look: &Look, id: &str) -> String {
    sensor_uri(&["PowerEquipment", HERE, look.name()], id)
}

/// Voltage, current, power and frequency, as excerpts of the sensors.
fn electrical(look: &Look, pdu: &PduReading) -> Json {
    json!({
        "Voltage": look.sensed(pdu.v, sensor(look, "Voltage")),
        "CurrentAmps": look.sensed(pdu.a, sensor(look, "Current")),
        "PowerWatts": look.sensed(pdu.w, sensor(look, "Power")),
        "FrequencyHz": look.sensed(pdu.hz, sensor(look, "Frequency")),
        "RatedCurrentAmps": pdu.rating_a,
    })
}

fn mains(look: &Look, pdu: &PduReading) -> Json {
    let lost = pdu.closed && pdu.v < LOST_V;
    let circuit = Circuit {
        look,
        below: [HERE, "Mains"],
        id: "1",
        name: "Mains",
        kind: "Mains",
        nominal_v: pdu.nominal_v,
        health: if lost { Health::Critical } else { Health::Ok },
    };
    let mut more = electrical(look, pdu);
    if let Some(from) = look.identity.from.first() {
        more["ElectricalSourceName"] = from.as_str().into();
    }
    circuit.document(more)
}

fn branch(look: &Look, pdu: &PduReading) -> Resource {
    let breaker = match (pdu.closed, pdu.tripped) {
        (true, _) => "Normal",
        (false, true) => "Tripped",
        (false, false) => "Off",
    };
    let tripped = breaker == "Tripped";
    let circuit = Circuit {
        look,
        below: [HERE, "Branches"],
        id: "1",
        name: "Breaker",
        kind: "Branch",
        nominal_v: pdu.nominal_v,
        health: if tripped {
            Health::Critical
        } else {
            Health::Ok
        },
    };
    let mut more = electrical(look, pdu);
    more["BreakerState"] = look.known(breaker);
    more["PowerState"] = look.known(if pdu.closed { "On" } else { "Off" });
    more["PowerEnabled"] = look.known(pdu.closed);
    let outlets = (1..=pdu.outlets.len()).map(|n| outlet_uri(look, n));
    more["Links"] = json!({"Outlets": links(outlets)});
    let breaker = |on| DeviceCommand::Breaker { on };
    Resource::fixed(circuit.document(more))
        .action(Action::switch("Circuit.BreakerControl", breaker))
        .action(Action::switch("Circuit.PowerControl", breaker))
}

fn outlet_uri(look: &Look, number: usize) -> String {
    let number = number.to_string();
    uri(&["PowerEquipment", HERE, look.name(), "Outlets", &number])
}

fn outlets(look: &Look, pdu: &PduReading) -> Json {
    let here = uri(&["PowerEquipment", HERE, look.name(), "Outlets"]);
    let members = (1..=pdu.outlets.len()).map(|n| outlet_uri(look, n));
    collection("Outlet", &here, "Outlets", members.collect())
}

fn outlet(look: &Look, pdu: &PduReading, index: usize, outlet: &OutletReading) -> Resource {
    let number = index + 1;
    let id = number.to_string();
    let map = resource(
        "Outlet",
        &outlet_uri(look, number),
        &id,
        &format!("Outlet {id}"),
    );
    let state = match (outlet.on, outlet.pending) {
        (_, Some(true)) => "PoweringOn",
        (_, Some(false)) => "PoweringOff",
        (true, None) => "On",
        (false, None) => "Off",
    };
    let watts = sensor(look, &format!("PowerOutlet{id}"));
    let amperes = sensor(look, &format!("CurrentOutlet{id}"));
    let volts = if outlet.on { pdu.v } else { 0.0 };
    let mut document = json!({
        "OutletType": "IEC_60320_C13",
        "VoltageType": "AC",
        "NominalVoltage": nominal(pdu.nominal_v),
        "PowerState": look.known(state),
        "PowerEnabled": look.known(outlet.on),
        "PowerStateInTransition": outlet.pending.is_some(),
        "PowerOnDelaySeconds": 0,
        "PowerOffDelaySeconds": 0,
        "PowerRestoreDelaySeconds": pdu.restore_delay_s,
        "PowerControlLocked": false,
        "ElectricalConsumerNames": [outlet.node],
        "Voltage": look.excerpt(volts),
        "CurrentAmps": look.sensed(outlet.a, amperes),
        "PowerWatts": look.sensed(outlet.w, watts),
        "FrequencyHz": look.sensed(pdu.hz, sensor(look, "Frequency")),
        "Status": look.status(Health::Ok),
    });
    if POLICIES.contains(&pdu.restore_policy.as_str()) {
        document["PowerRestorePolicy"] = pdu.restore_policy.as_str().into();
    }
    let order = move |on| DeviceCommand::Outlet { index, on };
    Resource::fixed(with(map, document)).action(Action::switch("Outlet.PowerControl", order))
}
