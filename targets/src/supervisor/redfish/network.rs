//! The manager's network protocols.

use serde_json::{Map, Value as Json, json};

use super::config::RedfishConfig;
use super::doc::{resource, uri, with};
use super::resource::{Resource, ServiceChange, Step, Wrong};
use super::state::State;

/// Time servers that are kept.
const MAX_SERVERS: usize = 4;

pub(super) fn protocols(state: &State, config: &RedfishConfig) -> Resource {
    let here = uri(&["Managers", "supervisor", "NetworkProtocol"]);
    let map = resource(
        "ManagerNetworkProtocol",
        &here,
        "NetworkProtocol",
        "Network Protocols",
    );
    let document = json!({
        "HostName": "supervisor",
        "FQDN": "supervisor",
        "Status": {"State": "Enabled", "Health": "OK"},
        "HTTP": {"ProtocolEnabled": !config.tls, "Port": if config.tls { 80 } else { config.port }},
        "HTTPS": {"ProtocolEnabled": config.tls, "Port": if config.tls { config.port } else { 443 }},
        "SSDP": {"ProtocolEnabled": false},
        "NTP": {"ProtocolEnabled": false, "NTPServers": state.ntp_servers},
    });
    let before = state.ntp_servers.clone();
    let resource = Resource::fixed(with(map, document)).needs("ConfigureManager");
    resource.write("NTP/NTPServers", move |value| {
        let servers = value.as_array().ok_or(Wrong::Type)?;
        let servers = merge(&before, servers)?;
        Ok(Step::Service(ServiceChange::NtpServers(servers)))
    })
}

/// DSP0266's way to change an array: `null` removes an element, `{}` leaves it.
fn merge(before: &[Json], asked: &[Json]) -> Result<Vec<Json>, Wrong> {
    let mut after = Vec::new();
    for (index, element) in asked.iter().enumerate() {
        match element {
            Json::Null => {}
            Json::String(_) => after.push(element.clone()),
            Json::Object(map) if *map == Map::new() => after.extend(before.get(index).cloned()),
            _ => return Err(Wrong::Type),
        }
    }
    match after.len() {
        0..=MAX_SERVERS => Ok(after),
        _ => Err(Wrong::Range),
    }
}
