//! Power equipment: the collections, and what all of it has in common.

use serde_json::{Value as Json, json};

use super::super::doc::{collection, link, links, resource, uri, with};
use super::super::look::{Health, Look};
use super::super::resource::Resource;
use super::super::site::Site;
use super::{pdu, shelf, transfer};

/// The collections, and the kinds of device in each.
const COLLECTIONS: [(&str, &str, &[&str]); 3] = [
    ("RackPDUs", "Rack PDUs", &["pdu"]),
    ("TransferSwitches", "Transfer Switches", &["transfer"]),
    ("PowerShelves", "Power Shelves", &["shelf", "bess"]),
];

pub(super) fn find(site: &Site<'_>, path: &[&str]) -> Option<Resource> {
    let [name, rest @ ..] = path else {
        return Some(Resource::fixed(equipment()));
    };
    let (name, title, kinds) = COLLECTIONS.into_iter().find(|(n, ..)| n == name)?;
    let [device, rest @ ..] = rest else {
        let devices = site.devices(kinds);
        let uris = devices
            .iter()
            .map(|d| uri(&["PowerEquipment", name, &d.name]));
        let here = uri(&["PowerEquipment", name]);
        let document = collection("PowerDistribution", &here, title, uris.collect());
        return Some(Resource::fixed(document));
    };
    let look = site.device(device, kinds)?;
    match name {
        "RackPDUs" => pdu::find(site, &look, rest),
        "TransferSwitches" => transfer::find(site, &look, rest),
        _ => shelf::find(site, &look, rest),
    }
}

fn equipment() -> Json {
    let here = uri(&["PowerEquipment"]);
    let map = resource("PowerEquipment", &here, "PowerEquipment", "Power Equipment");
    let mut document = json!({
        "Status": {"State": "Enabled", "Health": "OK"},
        "Links": {"ManagedBy": links([uri(&["Managers", "supervisor"])])},
    });
    for (name, ..) in COLLECTIONS {
        document[name] = link(uri(&["PowerEquipment", name]));
    }
    with(map, document)
}

/// A device's distribution resource, with more of its own.
pub(super) fn distribution(look: &Look, below: &str, kind: &str, more: Json) -> Json {
    let name = look.name();
    let here = uri(&["PowerEquipment", below, name]);
    let map = resource("PowerDistribution", &here, name, name);
    let document = json!({
        "EquipmentType": kind,
        "Manufacturer": look.identity.manufacturer,
        "Model": look.identity.model,
        "SerialNumber": look.identity.serial,
        "Status": look.status(look.health()),
        "Metrics": link(format!("{here}/Metrics")),
        "Sensors": link(format!("{here}/Sensors")),
        "Links": {"ManagedBy": links([uri(&["Managers", "supervisor"])])},
    });
    let Json::Object(map) = with(map, document) else {
        return Json::Null;
    };
    with(map, more)
}

/// A device's metrics: its power, and its energy where it counts it.
pub(super) fn metrics(look: &Look, below: &str, watts: f64, energy_wh: Option<f64>) -> Resource {
    let path = ["PowerEquipment", below, look.name()];
    let here = uri(&[&path[..], &["Metrics"]].concat());
    let map = resource("PowerDistributionMetrics", &here, "Metrics", "Metrics");
    let sensor = |id| super::sensor::sensor_uri(&path, id);
    let mut document = json!({"PowerWatts": look.sensed(watts, sensor("Power"))});
    if let Some(energy) = energy_wh {
        document["EnergykWh"] = look.sensed(energy / 1000.0, sensor("Energy"));
    }
    Resource::fixed(with(map, document))
}

/// A circuit of a device.
pub(super) struct Circuit<'a> {
    pub(super) look: &'a Look,
    /// `RackPDUs`, and `Mains` or `Branches`.
    pub(super) below: [&'a str; 2],
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) kind: &'static str,
    pub(super) nominal_v: f64,
    pub(super) health: Health,
}

impl Circuit<'_> {
    /// Where it is.
    pub(super) fn uri(&self) -> String {
        let [collection, part] = self.below;
        uri(&[
            "PowerEquipment",
            collection,
            self.look.name(),
            part,
            self.id,
        ])
    }

    pub(super) fn document(&self, more: Json) -> Json {
        let map = resource("Circuit", &self.uri(), self.id, self.name);
        let document = json!({
            "CircuitType": self.kind,
            "VoltageType": "AC",
            "NominalVoltage": super::super::look::nominal(self.nominal_v),
            "Status": self.look.status(self.health),
        });
        let Json::Object(map) = with(map, document) else {
            return Json::Null;
        };
        with(map, more)
    }
}

/// The collection of a device's circuits, numbered from 1.
pub(super) fn circuits(look: &Look, [below, part]: [&str; 2], count: usize) -> Resource {
    let at = |more: &[&str]| {
        let path = ["PowerEquipment", below, look.name(), part];
        uri(&[&path[..], more].concat())
    };
    let members = (1..=count).map(|n| at(&[&n.to_string()])).collect();
    Resource::fixed(collection("Circuit", &at(&[]), part, members))
}

/// The index of a part by its id, which counts from 1.
pub(super) fn index(id: &str, count: usize) -> Option<usize> {
    let number: usize = id.parse().ok()?;
    let plain = number.to_string() == id;
    (plain && (1..=count).contains(&number)).then(|| number - 1)
}
