//! The nodes that a playbook does not name: clients, monitor, supervisor, UPS
//! cards.
//!
//! Their configurations are made here and nowhere else.

use serde_json::{Value as Json, json};

use ridethrough_targets::plant::Site;
use ridethrough_targets::service::Program;
use ridethrough_targets::supervisor::{CardAddress, CardConfig, SupervisorService, WatchConfig};
use ridethrough_targets::units::{Span, Watts};
use ridethrough_targets::world::ServiceSpec;

use super::address;
use super::model::{NodeRole, PlannedNode};
use super::seed::service_seed;
use super::wiring::{CLIENTS, MONITOR, SUPERVISOR};
use crate::playbook::LoadSpec;

/// The port of the supervisor's NUT server (IANA: `nut`).
pub(crate) const NUT_PORT: u16 = 3493;

/// What the clients' side is told of the stack.
pub(crate) struct Clients<'a> {
    pub(crate) loads: &'a [LoadSpec],
    pub(crate) entry: &'a (String, u16),
    pub(crate) model: &'a str,
    pub(crate) doors: Vec<(String, u16)>,
}

/// `host:port` of the supervisor's NUT server.
pub(crate) fn nut_address() -> String {
    format!("{SUPERVISOR}:{NUT_PORT}")
}

/// Clients and monitor always; supervisor and cards where the site has UPSs.
/// `doors` are the hosts and ports that must accept connections before the
/// clients start.
pub(crate) fn nodes(site: &Site, seed: u64, client: &Clients<'_>) -> Vec<PlannedNode> {
    let service = |node: &str, name: &str, config: Json| ServiceSpec {
        name: name.into(),
        program: Program::Builtin {
            name: name.into(),
            config,
        },
        seed: service_seed(seed, node, name),
    };
    let load = service(CLIENTS, "load", load_config(client));
    let mut watchers = vec![service(MONITOR, "doorman", json!({ "doors": client.doors }))];
    if !site.ups.is_empty() {
        watchers.push(service(MONITOR, "watch", watch_config(site)));
    }
    let mut nodes = vec![
        node(CLIENTS, address::CLIENTS, NodeRole::Client, vec![load]),
        node(MONITOR, address::MONITOR, NodeRole::Monitor, watchers),
    ];
    if site.ups.is_empty() {
        return nodes;
    }
    let supervisor = vec![service(SUPERVISOR, "supervisor", supervisor_config(site))];
    nodes.push(node(
        SUPERVISOR,
        address::SUPERVISOR,
        NodeRole::Supervisor,
        supervisor,
    ));
    for (index, ups) in site.ups.keys().enumerate() {
        let card = vec![service(ups, "card", card_config(ups))];
        let role = NodeRole::Card { ups: ups.clone() };
        nodes.push(node(ups, address::card(index), role, card));
    }
    nodes
}

fn node(
    name: &str,
    ip: std::net::Ipv4Addr,
    role: NodeRole,
    services: Vec<ServiceSpec>,
) -> PlannedNode {
    PlannedNode {
        name: name.into(),
        ip,
        rack: None,
        boot: Span::default(),
        idle: Watts(0.0),
        peak: Watts(0.0),
        services,
        role,
    }
}

/// What the load is told of the stack; its times are the engine's to fill in.
fn load_config(client: &Clients<'_>) -> Json {
    json!({
        "loads": client.loads,
        "target_host": client.entry.0,
        "target_port": client.entry.1,
        "start_us": 0,
        "duration": Span::default(),
        "drain": Span::default(),
        "model": client.model,
    })
}

/// What a UPS's management card is told.
fn card_config(ups: &str) -> Json {
    let config = CardConfig {
        port: NUT_PORT,
        name: ups.into(),
        description: format!("Management card of {ups}"),
        ..CardConfig::default()
    };
    serde_json::to_value(config).unwrap_or_default()
}

/// What the supervisor is told.
fn supervisor_config(site: &Site) -> Json {
    let device = |ups: &String| CardAddress {
        name: ups.clone(),
        description: format!("UPS {ups} of {}", site.name),
        host: ups.clone(),
        port: NUT_PORT,
    };
    let config = SupervisorService {
        port: NUT_PORT,
        policy: site.supervisor.clone(),
        devices: site.ups.keys().map(device).collect(),
        ..SupervisorService::default()
    };
    serde_json::to_value(config).unwrap_or_default()
}

/// What the watch, a NUT client on the monitor, is told.
fn watch_config(site: &Site) -> Json {
    let config = WatchConfig {
        host: SUPERVISOR.into(),
        port: NUT_PORT,
        ups: site.ups.keys().cloned().collect(),
        ..WatchConfig::default()
    };
    serde_json::to_value(config).unwrap_or_default()
}
