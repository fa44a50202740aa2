//! The batteries of shelves and of storage systems.

use serde_json::{Value as Json, json};

use super::super::doc::{collection, link, resource, uri, with};
use super::super::look::{Health, Look};
use super::super::resource::{Action, Resource, Step};
use crate::telemetry::{DeviceCommand, Reading};

/// What is common to a shelf's and a storage system's battery.
struct Battery {
    charge: f64,
    state: &'static str,
    energy_wh: f64,
    health: f64,
    /// Charge or discharge power, where it is measured.
    volts: Option<f64>,
    cell_v: Vec<f64>,
    temperature_c: Option<f64>,
    resets: bool,
}

fn battery(look: &Look) -> Option<Battery> {
    match look.reading.as_deref()? {
        Reading::Shelf(r) => {
            let bbu = r.bbu.as_ref()?;
            Some(Battery {
                charge: bbu.charge,
                state: state(bbu.discharging, bbu.charging),
                energy_wh: bbu.energy_wh,
                health: bbu.health,
                volts: None,
                cell_v: Vec::new(),
                temperature_c: None,
                resets: false,
            })
        }
        Reading::Bess(r) => Some(Battery {
            charge: r.charge,
            state: state(r.w > 0.0, r.w < 0.0),
            energy_wh: r.energy_wh,
            health: r.health,
            volts: Some(r.dc_v),
            cell_v: r.cell_v.to_vec(),
            temperature_c: Some(r.temperature_c),
            resets: true,
        }),
        _ => None,
    }
}

fn state(discharging: bool, charging: bool) -> &'static str {
    match (discharging, charging) {
        (true, _) => "Discharging",
        (false, true) => "Charging",
        (false, false) => "Idle",
    }
}

/// Whether the device has a battery.
pub(super) fn has(look: &Look) -> bool {
    battery(look).is_some()
}

/// The battery of a chassis at a path below `Batteries`.
pub(super) fn find(look: &Look, path: &[&str]) -> Option<Resource> {
    let battery = battery(look)?;
    let below = ["Chassis", look.name(), "PowerSubsystem", "Batteries"];
    let at = |more: &[&str]| uri(&[&below, more].concat());
    match path {
        [] => {
            let members = vec![at(&["1"])];
            let document = collection("Battery", &at(&[]), "Batteries", members);
            Some(Resource::fixed(document))
        }
        ["1"] => Some(document(look, &battery, &at(&["1"]))),
        ["1", "Metrics"] => {
            let document = metrics(look, &battery, &at(&["1", "Metrics"]));
            Some(Resource::fixed(document))
        }
        _ => None,
    }
}

fn worn(battery: &Battery) -> Health {
    match battery.health {
        h if h < 0.5 => Health::Critical,
        h if h < 0.8 => Health::Warning,
        _ => Health::Ok,
    }
}

fn document(look: &Look, battery: &Battery, here: &str) -> Resource {
    let map = resource("Battery", here, "1", "Battery");
    let document = json!({
        "EnergyStorageType": "Battery",
        "BatteryChemistryType": "LithiumIon",
        "CapacityRatedWattHours": battery.energy_wh,
        "CapacityActualWattHours": look.number(battery.energy_wh * battery.health),
        "ChargeState": look.known(battery.state),
        "StateOfHealthPercent": look.excerpt(battery.health * 100.0),
        "Status": look.status(worn(battery)),
        "Metrics": link(format!("{here}/Metrics")),
    });
    let resource = Resource::fixed(with(map, document));
    match battery.resets {
        true => {
            let reset = vec![("ForceRestart", vec![Step::Order(DeviceCommand::Reset)])];
            resource.action(Action::of("Battery.Reset", "ResetType", reset))
        }
        false => resource,
    }
}

fn metrics(look: &Look, battery: &Battery, here: &str) -> Json {
    let map = resource("BatteryMetrics", here, "Metrics", "Battery Metrics");
    let stored = battery.energy_wh * battery.health * battery.charge;
    let mut document = json!({
        "ChargePercent": look.excerpt(battery.charge * 100.0),
        "StoredEnergyWattHours": look.excerpt(stored),
        "Status": look.status(Health::Ok),
    });
    if let Some(volts) = battery.volts {
        document["OutputVoltages"] = json!([look.excerpt(volts)]);
    }
    if !battery.cell_v.is_empty() {
        let cells = battery.cell_v.iter().map(|v| look.excerpt(*v));
        document["CellVoltages"] = cells.collect();
    }
    if let Some(celsius) = battery.temperature_c {
        document["TemperatureCelsius"] = look.excerpt(celsius);
    }
    with(map, document)
}
