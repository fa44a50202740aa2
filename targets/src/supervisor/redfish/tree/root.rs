//! The service root.

use serde_json::json;

use super::super::doc::{ROOT, digest, link, resource, uri, with};
use super::super::resource::Resource;
use super::super::site::Site;

/// The version of DSP0266 that the service follows.
const VERSION: &str = "1.20.0";

pub(super) fn root(site: &Site<'_>) -> Resource {
    let seed = site.config.seed.to_string();
    let hex = digest(&["service", &seed]);
    // Shaped as a random UUID (version 4).
    let uuid = format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    );
    let map = resource(
        "ServiceRoot",
        &format!("{ROOT}/"),
        "RootService",
        "ridethrough",
    );
    let document = json!({
        "Description": "The power side of an emulated site.",
        "RedfishVersion": VERSION,
        "UUID": uuid,
        "Product": "ridethrough",
        "Vendor": "ridethrough",
        "ProtocolFeaturesSupported": {
            "ExpandQuery": {
                "ExpandAll": true, "Levels": true, "MaxLevels": 2, "Links": true, "NoLinks": true,
            },
            "FilterQuery": false,
            "SelectQuery": true,
            "OnlyMemberQuery": true,
            "ExcerptQuery": false,
            "DeepOperations": {"DeepPATCH": false, "DeepPOST": false},
        },
        "Systems": link(uri(&["Systems"])),
        "Chassis": link(uri(&["Chassis"])),
        "Managers": link(uri(&["Managers"])),
        "PowerEquipment": link(uri(&["PowerEquipment"])),
        "SessionService": link(uri(&["SessionService"])),
        "AccountService": link(uri(&["AccountService"])),
        "EventService": link(uri(&["EventService"])),
        "Registries": link(uri(&["Registries"])),
        "JsonSchemas": link(uri(&["JsonSchemas"])),
        "Links": {"Sessions": link(uri(&["SessionService", "Sessions"]))},
    });
    Resource::fixed(with(map, document))
}
