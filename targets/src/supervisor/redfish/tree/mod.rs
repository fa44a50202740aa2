//! The resources of the power side, each a pure function of the site.

mod battery;
mod chassis;
mod equipment;
mod manager;
mod pdu;
mod registries;
mod root;
mod sensor;
mod shelf;
mod supply;
mod system;
mod transfer;

use super::resource::Resource;
use super::site::Site;

/// The kinds of device that are shown as a chassis.
const CHASSIS: &[&str] = &["machine", "shelf", "bess"];

/// The resource at a path below `/redfish/v1`.
pub(super) fn find(site: &Site<'_>, path: &[&str]) -> Option<Resource> {
    match path {
        [] => Some(root::root(site)),
        ["Systems", rest @ ..] => system::find(site, rest),
        ["Chassis", rest @ ..] => chassis::find(site, rest),
        ["PowerEquipment", rest @ ..] => equipment::find(site, rest),
        ["Registries", rest @ ..] => registries::find(rest),
        ["JsonSchemas", rest @ ..] => registries::schemas(rest),
        ["Managers", rest @ ..] => manager::find(site, rest),
        _ => None,
    }
}

/// The device whose agent answers for a path.
pub(super) fn device<'a>(path: &[&'a str]) -> Option<&'a str> {
    match path {
        ["Systems" | "Chassis", device, ..] | ["PowerEquipment", _, device, ..] => Some(device),
        _ => None,
    }
}
