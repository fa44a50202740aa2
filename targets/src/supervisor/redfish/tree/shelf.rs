//! Power shelves, and storage systems as battery shelves.

use serde_json::{Value as Json, json};

use super::super::doc::{link, links, uri};
use super::super::look::Look;
use super::super::resource::Resource;
use super::super::site::Site;
use super::equipment::{distribution, metrics};
use super::sensor::{self, HERTZ, Sensor, VOLTS, WATTS};
use super::supply;
use crate::telemetry::Reading;

const HERE: &str = "PowerShelves";

pub(super) fn find(site: &Site<'_>, look: &Look, path: &[&str]) -> Option<Resource> {
    let below = ["PowerEquipment", HERE, look.name()];
    match path {
        [] => Some(Resource::fixed(whole(look))),
        ["Metrics"] => {
            let power = sensors(look).into_iter().find(|s| s.id == "Power");
            let watts = power.map_or(f64::NAN, |s| s.value);
            Some(metrics(look, HERE, watts, None))
        }
        ["PowerSupplies", rest @ ..] => {
            supply::find(site, look, &below, &look.shelf()?.supplies, rest)
        }
        ["Sensors", rest @ ..] => sensor::find(site, look, &below, &sensors(look), rest),
        _ => None,
    }
}

fn whole(look: &Look) -> Json {
    let name = look.name();
    let kind = match look.identity.kind.as_str() {
        "bess" => "BatteryShelf",
        _ => "PowerShelf",
    };
    let mut more = json!({
        "Links": {
            "ManagedBy": links([uri(&["Managers", "supervisor"])]),
            "Chassis": links([uri(&["Chassis", name])]),
        },
    });
    if look.shelf().is_some() {
        let supplies = uri(&["PowerEquipment", HERE, name, "PowerSupplies"]);
        more["PowerSupplies"] = link(supplies);
    }
    distribution(look, HERE, kind, more)
}

fn sensors(look: &Look) -> Vec<Sensor> {
    match look.reading.as_deref() {
        Some(Reading::Shelf(r)) => vec![Sensor::new("Power", WATTS, r.w)],
        Some(Reading::Bess(r)) => vec![
            Sensor::new("Power", WATTS, r.w),
            Sensor::new("Voltage", VOLTS, r.v),
            Sensor::new("Frequency", HERTZ, r.hz),
        ],
        _ => Vec::new(),
    }
}
