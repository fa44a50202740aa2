//! The nodes that a playbook does not name: clients, supervisor, UPS cards.
//!
//! Their configurations are made here and nowhere else.

use serde_json::{Value as Json, json};

use ridethrough_targets::plant::{Site, Ups, UpsClass};
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
    for (index, (name, ups)) in site.ups.iter().enumerate() {
        let card = vec![service(name, "card", card_config(name, ups))];
        let role = NodeRole::Card { ups: name.clone() };
        nodes.push(node(name, address::card(index), role, card));
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

/// What a UPS's management card is told. Its thresholds are the battery's, until
/// a client sets others.
fn card_config(name: &str, ups: &Ups) -> Json {
    let battery = &ups.battery;
    let charge = (battery.charge_low.get() * 100.0).round().clamp(0.0, 100.0);
    let runtime = battery.runtime_low.micros() / 1_000_000;
    json!({
        "port": NUT_PORT,
        "name": name,
        "description": description(ups),
        "charge_low_percent": charge as u32,
        "runtime_low_s": u32::try_from(runtime).unwrap_or(u32::MAX),
    })
}

/// What the supervisor is told: its policy, and where the cards are.
fn supervisor_config(site: &Site) -> Json {
    let devices = site.ups.iter().map(|(name, ups)| {
        json!({
            "name": name,
            "description": description(ups),
            "host": name,
            "port": NUT_PORT,
        })
    });
    json!({
        "port": NUT_PORT,
        "policy": site.supervisor,
        "devices": devices.collect::<Vec<_>>(),
    })
}

/// What the watch, a NUT client beside the load, is told.
fn watch_config(site: &Site) -> Json {
    let ups: Vec<&String> = site.ups.keys().collect();
    json!({ "host": SUPERVISOR, "port": NUT_PORT, "ups": ups })
}

/// As a data sheet's headline: `VFI 20kW`.
fn description(ups: &Ups) -> String {
    let class = match ups.class {
        UpsClass::Vfi => "VFI",
        UpsClass::Vi => "VI",
        UpsClass::Vfd => "VFD",
    };
    format!("{class} {}", ups.rating)
}
