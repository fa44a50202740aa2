//! The nodes that a playbook does not name: clients, monitor, supervisor,
//! devices' cards.
//!
//! Their configurations are made here and nowhere else.

use serde_json::{Value as Json, json};

use ridethrough_targets::plant::{Bess, Site, Ups, UpsClass};
use ridethrough_targets::service::Program;
use ridethrough_targets::supervisor::{CardAddress, Governed, SupervisorService, WatchConfig};
use ridethrough_targets::telemetry::Protocol;
use ridethrough_targets::units::{Span, Watts};
use ridethrough_targets::world::ServiceSpec;

use super::address;
use super::cards::{Card, configs, manager, port, probe_config};
use super::doors::Door;
use super::model::{NodeRole, PlannedNode};
use super::seed::service_seed;
use super::wiring::{CLIENTS, MONITOR, SUPERVISOR};
use crate::load::Dialect;
use crate::playbook::{LoadSpec, NodeDef, StackSpec};
use crate::writer::WriterTask;

/// The port of the supervisor's NUT server (IANA: `nut`).
pub(crate) const NUT_PORT: u16 = 3493;

/// What the clients' side is told of the stack.
pub(crate) struct Clients<'a> {
    pub(crate) loads: &'a [LoadSpec],
    pub(crate) entry: &'a (String, u16),
    pub(crate) model: &'a str,
    pub(crate) doors: Vec<Door>,
    /// Protocols by which a promise looks at the devices all the time.
    pub(crate) watched: Vec<Protocol>,
    /// How a whole answer ends, where the stack is known to say so.
    pub(crate) dialect: Option<Dialect>,
    /// Clients of journals.
    pub(crate) writers: Vec<WriterTask>,
}

/// `host:port` of the supervisor's NUT server.
pub(crate) fn nut_address() -> String {
    format!("{SUPERVISOR}:{NUT_PORT}")
}

/// Clients, monitor and the devices' cards always; a supervisor where the site
/// has something to supervise and no other does. `doors` must answer before the
/// clients start.
pub(crate) fn nodes(
    site: &Site,
    stack: &StackSpec,
    seed: u64,
    client: &Clients<'_>,
) -> Vec<PlannedNode> {
    let service = |node: &str, name: &str, config: Json| ServiceSpec {
        name: name.into(),
        program: Program::Builtin {
            name: name.into(),
            config,
        },
        seed: service_seed(seed, node, name),
        volume: None,
    };
    let mut clients = vec![service(CLIENTS, "load", load_config(client))];
    if !client.writers.is_empty() {
        clients.push(service(CLIENTS, "writer", writer_config(client)));
    }
    let cards = configs(site, stack);
    let just: Vec<Card> = cards.iter().map(|(card, _)| card.clone()).collect();
    let mut watchers = vec![
        service(MONITOR, "doorman", json!({ "doors": client.doors })),
        service(MONITOR, "probe", probe_config(&just, &client.watched)),
    ];
    if supplied(site) {
        watchers.push(service(MONITOR, "watch", watch_config(site)));
    }
    let mut nodes = vec![
        node(CLIENTS, address::CLIENTS, NodeRole::Client, clients),
        node(MONITOR, address::MONITOR, NodeRole::Monitor, watchers),
    ];
    if supervised(site) {
        let config = supervisor_config(site, stack);
        let supervisor = vec![service(SUPERVISOR, "supervisor", config)];
        nodes.push(node(
            SUPERVISOR,
            address::SUPERVISOR,
            NodeRole::Supervisor,
            supervisor,
        ));
    }
    for (index, (card, config)) in cards.into_iter().enumerate() {
        let services = vec![service(&card.node, "card", config)];
        let devices = card.devices.into_iter().map(|(name, _)| name).collect();
        let role = NodeRole::Card { devices };
        nodes.push(node(&card.node, address::card(index), role, services));
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
        "dialect": client.dialect,
    })
}

/// What the writers are told; their times are the engine's to fill in.
fn writer_config(client: &Clients<'_>) -> Json {
    json!({
        "writers": client.writers,
        "start_us": 0,
        "duration": Span::default(),
        "drain": Span::default(),
    })
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

/// Whether anything in the site carries a load when the grid does not.
pub(crate) fn supplied(site: &Site) -> bool {
    !site.ups.is_empty() || !site.bess.is_empty()
}

/// Whether a supervisor of ours runs.
pub(crate) fn supervised(site: &Site) -> bool {
    supplied(site) && !site.supervisor.external
}

/// The devices that a supervisor speaks of, by name.
pub(crate) fn supplies(site: &Site) -> impl Iterator<Item = &String> {
    site.ups.keys().chain(site.bess.keys())
}

/// What the supervisor is told.
fn supervisor_config(site: &Site, stack: &StackSpec) -> Json {
    let card = |name: &String, description: String, via: Protocol| CardAddress {
        name: name.clone(),
        description,
        host: name.clone(),
        port: port(via),
    };
    let plain = |name: &String, via| card(name, String::new(), via);
    let machine = |(name, node): (&String, &NodeDef)| Governed {
        name: name.clone(),
        rack: node.rack.clone(),
        host: manager(&node.rack),
        port: port(Protocol::Redfish),
        idle_w: node.idle.get(),
        peak_w: node.peak.get(),
    };
    let ups = |(name, ups): (&String, &Ups)| card(name, description(ups), Protocol::Nut);
    let bess = |(name, bess): (&String, &Bess)| {
        let description = format!("BESS {} {}", bess.rating, bess.energy);
        card(name, description, Protocol::Modbus)
    };
    let generators = site.generators.keys();
    let transfers = site.transfers.keys();
    let config = SupervisorService {
        port: NUT_PORT,
        policy: site.supervisor.clone(),
        devices: site.ups.iter().map(ups).collect(),
        bess: site.bess.iter().map(bess).collect(),
        generators: generators.map(|name| plain(name, Protocol::Nut)).collect(),
        transfers: transfers
            .map(|name| plain(name, Protocol::Redfish))
            .collect(),
        machines: stack.nodes.iter().map(machine).collect(),
        ..SupervisorService::default()
    };
    serde_json::to_value(config).unwrap_or_default()
}

/// The watch looks four times as often as the supervisor does, ten times a
/// second at most: what it adds to a latency stays small beside the poll itself.
fn watch_poll(site: &Site) -> Span {
    let quarter = Span::from_micros(site.supervisor.poll.micros() / 4);
    quarter.max(WatchConfig::default().poll)
}

/// What the watch, a NUT client on the monitor, is told.
fn watch_config(site: &Site) -> Json {
    let config = WatchConfig {
        // Without a supervisor of ours each card is asked itself.
        host: supervised(site).then(|| SUPERVISOR.into()),
        port: NUT_PORT,
        ups: match supervised(site) {
            true => supplies(site).cloned().collect(),
            false => site.ups.keys().cloned().collect(),
        },
        poll: watch_poll(site),
        ..WatchConfig::default()
    };
    serde_json::to_value(config).unwrap_or_default()
}
