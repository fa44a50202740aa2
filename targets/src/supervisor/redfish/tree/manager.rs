//! The one manager of the site: this service.

use serde_json::{Value as Json, json};

use super::super::doc::{collection, link, links, resource, uri, with};
use super::super::resource::Resource;
use super::super::site::Site;

const NAME: &str = "supervisor";

pub(super) fn find(site: &Site<'_>, path: &[&str]) -> Option<Resource> {
    let here = uri(&["Managers"]);
    match path {
        [] => {
            let members = vec![uri(&["Managers", NAME])];
            let document = collection("Manager", &here, "Managers", members);
            Some(Resource::fixed(document))
        }
        [name] if *name == NAME => Some(Resource::fixed(manager(site))),
        _ => None,
    }
}

fn manager(site: &Site<'_>) -> Json {
    let here = uri(&["Managers", NAME]);
    let map = resource("Manager", &here, NAME, "Power supervisor");
    let all = |kinds: &[&str], collection: &str| {
        let devices = site.devices(kinds);
        links(devices.iter().map(|d| uri(&[collection, &d.name])))
    };
    let document = json!({
        "ManagerType": "Service",
        "Manufacturer": "ridethrough",
        "Model": "ridethrough supervisor",
        "FirmwareVersion": env!("CARGO_PKG_VERSION"),
        "Status": {"State": "Enabled", "Health": "OK"},
        "NetworkProtocol": link(format!("{here}/NetworkProtocol")),
        "Links": {
            "ManagerForServers": all(&["machine"], "Systems"),
            "ManagerForChassis": all(super::CHASSIS, "Chassis"),
        },
    });
    with(map, document)
}
