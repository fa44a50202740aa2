//! What can be touched of machines, shelves and storage systems: supplies,
//! batteries, temperatures, and the limit of a machine's power.

use serde_json::{Value as Json, json};

use super::super::doc::{collection, link, links, resource, uri, with};
use super::super::look::{Health, Look};
use super::super::resource::{Resource, Step, Wrong};
use super::super::site::Site;
use super::sensor::{CELSIUS, Sensor, WATTS, sensor_uri};
use super::{CHASSIS, battery, sensor, supply};
use crate::telemetry::{DeviceCommand, MachineReading, Reading, SupplyReading};

pub(super) fn find(site: &Site<'_>, path: &[&str]) -> Option<Resource> {
    let [name, rest @ ..] = path else {
        let devices = site.devices(CHASSIS);
        let uris = devices.iter().map(|d| uri(&["Chassis", &d.name]));
        let here = uri(&["Chassis"]);
        let document = collection("Chassis", &here, "Chassis", uris.collect());
        return Some(Resource::fixed(document));
    };
    let look = site.device(name, CHASSIS)?;
    let below = ["Chassis", look.name()];
    match rest {
        [] => Some(Resource::fixed(chassis(&look))),
        ["PowerSubsystem"] => Some(Resource::fixed(power(&look))),
        ["PowerSubsystem", "PowerSupplies", rest @ ..] => {
            let below = ["Chassis", look.name(), "PowerSubsystem"];
            supply::find(site, &look, &below, supplies(&look)?, rest)
        }
        ["PowerSubsystem", "Batteries", rest @ ..] => battery::find(&look, rest),
        ["ThermalSubsystem"] => Some(Resource::fixed(thermal(&look))),
        ["ThermalSubsystem", "ThermalMetrics"] => Some(Resource::fixed(thermal_metrics(&look))),
        ["EnvironmentMetrics"] => Some(environment(&look)),
        ["Sensors", rest @ ..] => {
            let sensors = sensors(site, &look);
            sensor::find(site, &look, &below, &sensors, rest)
        }
        _ => None,
    }
}

/// The supplies of a machine or a shelf.
fn supplies(look: &Look) -> Option<&[SupplyReading]> {
    match look.reading.as_deref()? {
        Reading::Machine(r) => Some(&r.supplies),
        Reading::Shelf(r) => Some(&r.supplies),
        _ => None,
    }
}

/// What it draws or gives, and how warm it is, where that is measured.
fn measured(look: &Look) -> (Option<f64>, Option<f64>) {
    match look.reading.as_deref() {
        Some(Reading::Machine(r)) => (Some(r.w), Some(r.temperature_c)),
        Some(Reading::Shelf(r)) => (Some(r.w), None),
        Some(Reading::Bess(r)) => (Some(r.w), Some(r.temperature_c)),
        _ => (None, None),
    }
}

fn sensors(site: &Site<'_>, look: &Look) -> Vec<Sensor> {
    let (watts, celsius) = measured(look);
    let mut sensors = Vec::new();
    if let Some(watts) = watts {
        sensors.push(Sensor::new("Power", WATTS, watts));
    }
    if let Some(celsius) = celsius {
        let mut sensor = Sensor::new("Temperature", CELSIUS, celsius);
        sensor.context = "Intake";
        if look.machine().is_some() {
            sensor.upper = site.room_limits();
        }
        sensors.push(sensor);
    }
    sensors
}

fn chassis(look: &Look) -> Json {
    let name = look.name();
    let below = |part: &str| link(uri(&["Chassis", name, part]));
    let map = resource("Chassis", &uri(&["Chassis", name]), name, name);
    let kind = match look.identity.kind.as_str() {
        "machine" => "RackMount",
        "shelf" => "Shelf",
        _ => "StandAlone",
    };
    let mut document = json!({
        "ChassisType": kind,
        "Manufacturer": look.identity.manufacturer,
        "Model": look.identity.model,
        "SerialNumber": look.identity.serial,
        "Status": look.status(look.health()),
        "PowerSubsystem": below("PowerSubsystem"),
        "ThermalSubsystem": below("ThermalSubsystem"),
        "EnvironmentMetrics": below("EnvironmentMetrics"),
        "Sensors": below("Sensors"),
        "Links": {"ManagedBy": links([uri(&["Managers", "supervisor"])])},
    });
    if let Some(machine) = look.machine() {
        document["PowerState"] = look.known(if machine.on { "On" } else { "Off" });
        document["Links"]["ComputerSystems"] = links([uri(&["Systems", name])]);
        if !machine.rack.is_empty() {
            let rack = machine.rack.as_str();
            document["Location"] = json!({"Placement": {"Rack": rack}});
        }
    }
    with(map, document)
}

fn power(look: &Look) -> Json {
    let here = uri(&["Chassis", look.name(), "PowerSubsystem"]);
    let map = resource("PowerSubsystem", &here, "PowerSubsystem", "Power Subsystem");
    let mut document = json!({"Status": look.status(look.health())});
    if let Some(supplies) = supplies(look) {
        let capacity: f64 = supplies.iter().map(|s| s.rating_w).sum();
        document["CapacityWatts"] = capacity.into();
        document["PowerSupplies"] = link(format!("{here}/PowerSupplies"));
    }
    if battery::has(look) {
        document["Batteries"] = link(format!("{here}/Batteries"));
    }
    with(map, document)
}

fn thermal(look: &Look) -> Json {
    let here = uri(&["Chassis", look.name(), "ThermalSubsystem"]);
    let map = resource(
        "ThermalSubsystem",
        &here,
        "ThermalSubsystem",
        "Thermal Subsystem",
    );
    let document = json!({
        "Status": look.status(Health::Ok),
        "ThermalMetrics": link(format!("{here}/ThermalMetrics")),
    });
    with(map, document)
}

fn thermal_metrics(look: &Look) -> Json {
    let name = look.name();
    let here = uri(&["Chassis", name, "ThermalSubsystem", "ThermalMetrics"]);
    let map = resource("ThermalMetrics", &here, "ThermalMetrics", "Thermal Metrics");
    let mut document = json!({});
    if let (_, Some(celsius)) = measured(look) {
        let sensor = sensor_uri(&["Chassis", name], "Temperature");
        let excerpt = look.sensed(celsius, sensor);
        document["TemperatureSummaryCelsius"] = json!({"Intake": excerpt});
    }
    with(map, document)
}

fn environment(look: &Look) -> Resource {
    let name = look.name();
    let here = uri(&["Chassis", name, "EnvironmentMetrics"]);
    let map = resource(
        "EnvironmentMetrics",
        &here,
        "EnvironmentMetrics",
        "Environment Metrics",
    );
    let (watts, celsius) = measured(look);
    let mut document = json!({});
    let at = |id: &str| sensor_uri(&["Chassis", name], id);
    if let Some(watts) = watts {
        document["PowerWatts"] = look.sensed(watts, at("Power"));
    }
    if let Some(celsius) = celsius {
        document["TemperatureCelsius"] = look.sensed(celsius, at("Temperature"));
    }
    let Some(machine) = look.machine() else {
        return Resource::fixed(with(map, document));
    };
    document["PowerLimitWatts"] = limit(look, machine);
    Resource::fixed(with(map, document))
        .write("PowerLimitWatts/SetPoint", |value| match value {
            serde_json::Value::Null => Ok(limit_to(None)),
            value => match value.as_f64().ok_or(Wrong::Type)? {
                watts if watts > 0.0 => Ok(limit_to(Some(watts))),
                _ => Err(Wrong::Range),
            },
        })
        .write("PowerLimitWatts/ControlMode", |value| {
            match value.as_str() {
                Some("Disabled") => Ok(limit_to(None)),
                Some(_) => Err(Wrong::List),
                None => Err(Wrong::Type),
            }
        })
}

fn limit_to(watts: Option<f64>) -> Step {
    Step::Order(DeviceCommand::Limit { watts })
}

fn limit(look: &Look, machine: &MachineReading) -> Json {
    let [low, high] = machine.range_w;
    let held = machine.limit_w.is_some();
    json!({
        "SetPoint": machine.limit_w.map_or(Json::Null, |w| look.number(w)),
        "AllowableMin": low,
        "AllowableMax": high,
        "ControlMode": look.known(if held { "Manual" } else { "Disabled" }),
        "Reading": look.number(machine.w),
        "ReadingUnits": "W",
    })
}
