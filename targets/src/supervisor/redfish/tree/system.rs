//! Machines as computer systems.

use serde_json::json;

use super::super::doc::{collection, links, resource, uri, with};
use super::super::look::{Health, Look};
use super::super::resource::{Action, Resource, Step};
use super::super::site::Site;
use crate::telemetry::DeviceCommand;

pub(super) fn find(site: &Site<'_>, path: &[&str]) -> Option<Resource> {
    match path {
        [] => {
            let machines = site.devices(&["machine"]);
            let uris = machines.iter().map(|m| uri(&["Systems", &m.name]));
            let document = collection(
                "ComputerSystem",
                &uri(&["Systems"]),
                "Computer Systems",
                uris.collect(),
            );
            Some(Resource::fixed(document))
        }
        [name] => site
            .device(name, &["machine"])
            .map(|look| system(site, &look)),
        _ => None,
    }
}

/// The values that Redfish has for a reset's cause.
const CAUSES: &[&str] = &[
    "PowerButtonPress",
    "ManagementCommand",
    "PowerRestorePolicy",
    "RTCWakeup",
    "WatchdogExpiration",
    "OSSoftRestart",
    "SystemCrash",
    "ThermalEvent",
    "PowerEvent",
    "Unknown",
];

fn system(site: &Site<'_>, look: &Look) -> Resource {
    let name = look.name();
    let here = uri(&["Systems", name]);
    let map = resource("ComputerSystem", &here, name, name);
    let mut document = json!({
        "SystemType": "Physical",
        "Manufacturer": look.identity.manufacturer,
        "Model": look.identity.model,
        "SerialNumber": look.identity.serial,
        "PowerState": null,
        "Status": look.status(look.health()),
        "Links": {
            "Chassis": links([uri(&["Chassis", name])]),
            "ManagedBy": links([uri(&["Managers", "supervisor"])]),
        },
    });
    if let Some(time) = site.reset_time(name) {
        document["LastResetTime"] = time.into();
    }
    if let Some(machine) = look.machine() {
        let state = if machine.on { "On" } else { "Off" };
        document["PowerState"] = look.known(state);
        if !machine.on && look.fresh {
            let health = Health::Ok.word();
            document["Status"] = json!({"State": "StandbyOffline", "Health": health});
        }
        let cause = machine.last_reset_cause.as_str();
        if CAUSES.contains(&cause) {
            document["LastResetCause"] = look.known(cause);
        }
    }
    Resource::fixed(with(map, document)).action(reset())
}

/// The BMC switches hard: no operating system is asked.
fn reset() -> Action {
    let order = |on| Step::Order(DeviceCommand::Machine { on });
    let cycle = || vec![order(false), Step::Pause, order(true)];
    Action::of(
        "ComputerSystem.Reset",
        "ResetType",
        vec![
            ("On", vec![order(true)]),
            ("ForceOn", vec![order(true)]),
            ("ForceOff", vec![order(false)]),
            ("ForceRestart", vec![order(false), order(true)]),
            ("PowerCycle", cycle()),
        ],
    )
}
