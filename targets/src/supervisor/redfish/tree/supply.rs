//! Power supplies of machines and shelves.

use serde_json::json;

use super::super::doc::{collection, link, links, resource, uri, with};
use super::super::look::{Health, LOST_V, Look, line_input};
use super::super::resource::Resource;
use super::super::site::Site;
use crate::telemetry::SupplyReading;

/// The supplies of a device below `path`'s parent `below`.
pub(super) fn find(
    site: &Site<'_>,
    look: &Look,
    below: &[&str],
    supplies: &[SupplyReading],
    path: &[&str],
) -> Option<Resource> {
    let at = |more: &[&str]| uri(&[below, &["PowerSupplies"], more].concat());
    let document = match path {
        [] => {
            let members = (1..=supplies.len()).map(|n| at(&[&n.to_string()]));
            collection("PowerSupply", &at(&[]), "Power Supplies", members.collect())
        }
        [id, rest @ ..] => {
            let index: usize = id.parse().ok()?;
            let supply = supplies.get(index.checked_sub(1)?)?;
            if index.to_string() != *id {
                return None;
            }
            match rest {
                [] => document(site, look, supply, id, &at(&[id])),
                ["Metrics"] => metrics(look, supply, &at(&[id, "Metrics"])),
                _ => return None,
            }
        }
    };
    Some(Resource::fixed(document))
}

fn health(supply: &SupplyReading) -> Health {
    match supply.healthy {
        false => Health::Critical,
        true if supply.input_v < LOST_V => Health::Warning,
        true => Health::Ok,
    }
}

fn document(
    site: &Site<'_>,
    look: &Look,
    supply: &SupplyReading,
    id: &str,
    here: &str,
) -> serde_json::Value {
    let map = resource("PowerSupply", here, id, &supply.name);
    let document = json!({
        "PowerSupplyType": "AC",
        "PowerCapacityWatts": supply.rating_w,
        "LineInputStatus": look.known(line_input(supply.input_v)),
        "ElectricalSourceNames": [supply.pdu],
        "Status": look.status(health(supply)),
        "Metrics": link(format!("{here}/Metrics")),
        "Links": {"PowerOutlets": links(outlets(site, supply))},
    });
    with(map, document)
}

/// The outlets of its PDU that carry the machine's cords.
fn outlets(site: &Site<'_>, supply: &SupplyReading) -> Vec<String> {
    let machine = supply.name.split('/').next().unwrap_or_default();
    let Some(look) = site.device(&supply.pdu, &["pdu"]) else {
        return Vec::new();
    };
    let outlets = look.pdu().map_or(&[][..], |pdu| &pdu.outlets);
    let mine = outlets
        .iter()
        .enumerate()
        .filter(|(_, o)| o.node == machine);
    mine.map(|(index, _)| {
        let number = (index + 1).to_string();
        uri(&[
            "PowerEquipment",
            "RackPDUs",
            &supply.pdu,
            "Outlets",
            &number,
        ])
    })
    .collect()
}

fn metrics(look: &Look, supply: &SupplyReading, here: &str) -> serde_json::Value {
    let map = resource(
        "PowerSupplyMetrics",
        here,
        "Metrics",
        "Power Supply Metrics",
    );
    let document = json!({
        "Status": look.status(health(supply)),
        "InputVoltage": look.excerpt(supply.input_v),
        "InputPowerWatts": look.excerpt(supply.input_w),
    });
    with(map, document)
}
