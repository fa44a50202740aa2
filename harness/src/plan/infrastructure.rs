//! The nodes that a playbook does not name: clients, supervisor, UPS cards.
//!
//! Their configurations are made here and nowhere else.

use serde_json::{Value as Json, json};

use ridethrough_targets::plant::Site;
use ridethrough_targets::service::Program;
use ridethrough_targets::units::{Span, Watts};
use ridethrough_targets::world::ServiceSpec;

use super::address;
use super::model::{NodeRole, PlannedNode};
use super::seed::service_seed;
use super::wiring::{CLIENTS, SUPERVISOR};

/// The port of the supervisor's NUT server (IANA: `nut`).
pub(crate) const NUT_PORT: u16 = 3493;

/// `host:port` of the supervisor's NUT server.
pub(crate) fn nut_address() -> String {
    format!("{SUPERVISOR}:{NUT_PORT}")
}

/// Clients always; supervisor, watch and cards where the site has UPSs.
pub(crate) fn nodes(site: &Site, seed: u64) -> Vec<PlannedNode> {
    let service = |node: &str, name: &str, config: Json| ServiceSpec {
        name: name.into(),
        program: Program::Builtin {
            name: name.into(),
            config,
        },
        seed: service_seed(seed, node, name),
    };
    let mut clients = vec![service(CLIENTS, "load", json!({}))];
    if !site.ups.is_empty() {
        clients.push(service(CLIENTS, "watch", watch_config(site)));
    }
    let mut nodes = vec![node(CLIENTS, address::CLIENTS, NodeRole::Client, clients)];
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

/// What a UPS's management card is told.
fn card_config(ups: &str) -> Json {
    json!({ "ups": ups })
}

/// What the supervisor is told.
fn supervisor_config(site: &Site) -> Json {
    let ups: Vec<&String> = site.ups.keys().collect();
    json!({ "ups": ups, "policy": site.supervisor })
}

/// What the watch, a NUT client beside the load, is told.
fn watch_config(site: &Site) -> Json {
    let ups: Vec<&String> = site.ups.keys().collect();
    json!({ "nut": nut_address(), "ups": ups })
}
