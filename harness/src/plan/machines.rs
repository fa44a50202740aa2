//! The machines of the stack and what they run.

use indexmap::IndexMap;
use serde_json::Value as Json;

use ridethrough_targets::plant::{NodeLoad, Site};
use ridethrough_targets::service::Program;
use ridethrough_targets::serving::{GatewayConfig, ReplicaRef};
use ridethrough_targets::world::{Backing, ServiceSpec, VolumeSpec};

use crate::load::Dialect;
use crate::playbook::{OracleSpec, Playbook, RecordedSpec, ServiceDef, StackSpec, WriterSpec};
use crate::writer::WriterTask;

use super::address;
use super::foreign;
use super::infrastructure::{nut_address, supervised, supplies};
use super::model::{NodeRole, PlannedNode};
use super::seed::service_seed;
use super::wiring::Wiring;

/// Every machine, in the order of the stack.
pub(crate) fn machines(playbook: &Playbook) -> Vec<PlannedNode> {
    let stack = &playbook.stack;
    let machine = |(index, name): (usize, &String)| {
        let node = &stack.nodes[name];
        let here = stack.services.iter().filter(|(_, s)| s.on.contains(name));
        PlannedNode {
            name: name.clone(),
            ip: match &node.guest {
                Some(guest) => guest.ip,
                None => address::machine(index),
            },
            rack: Some(node.rack.clone()),
            boot: node.boot,
            idle: node.idle,
            peak: node.peak,
            services: here
                .filter_map(|(service, def)| {
                    Some(ServiceSpec {
                        name: service.clone(),
                        program: match &node.guest {
                            Some(guest) => Program::Guest {
                                container: guest.container.clone(),
                            },
                            None => program(service, def, playbook)?,
                        },
                        seed: service_seed(playbook.seed, name, service),
                        volume: volume(playbook, service, def),
                    })
                })
                .collect(),
            role: NodeRole::Machine,
        }
    };
    stack.nodes.keys().enumerate().map(machine).collect()
}

/// What the plant powers.
pub(crate) fn loads(stack: &StackSpec) -> Vec<NodeLoad> {
    let load = |(name, node): (&String, &crate::playbook::NodeDef)| NodeLoad {
        name: name.clone(),
        rack: node.rack.clone(),
        idle: node.idle,
        peak: node.peak,
    };
    stack.nodes.iter().map(load).collect()
}

/// What a fault needs decides what a volume is made of, where nothing else does.
fn volume(playbook: &Playbook, service: &str, def: &ServiceDef) -> Option<VolumeSpec> {
    let mut volume = def.volume?;
    let wiring = Wiring::new(playbook);
    let own = playbook.faults.iter().map(|fault| &fault.inject);
    let own = own.filter(|kind| kind.needs_own_drive());
    let mut hit = own.flat_map(|kind| wiring.reach(kind).volumes);
    if volume.backing == Backing::Auto && hit.any(|(_, of)| of == service) {
        volume.backing = Backing::Fuse;
    }
    Some(volume)
}

fn program(name: &str, service: &ServiceDef, playbook: &Playbook) -> Option<Program> {
    let builtin = |name: &str, config: Json| Program::Builtin {
        name: name.into(),
        config,
    };
    if let Some(gateway) = &service.gateway {
        let config = gateway_config(gateway, &playbook.stack, &playbook.site);
        return Some(builtin("gateway", serde_json::to_value(config).ok()?));
    }
    if let Some(replica) = &service.replica {
        return Some(builtin("replica", serde_json::to_value(replica).ok()?));
    }
    if let Some(journal) = &service.journal {
        return Some(builtin("journal", serde_json::to_value(journal).ok()?));
    }
    foreign::program(name, service, &playbook.stack)
}

/// With the replicas of the stack and the NUT server of the site.
fn gateway_config(written: &GatewayConfig, stack: &StackSpec, site: &Site) -> GatewayConfig {
    let mut config = written.clone();
    config.replicas = replicas(stack)
        .map(|(node, port)| ReplicaRef {
            name: node.to_string(),
            host: node.to_string(),
            port,
        })
        .collect();
    if supervised(site) {
        if config.power.nut.is_empty() {
            config.power.nut = nut_address();
        }
        if config.power.ups.is_empty() {
            config.power.ups = supplies(site).cloned().collect();
        }
    }
    config
}

/// Machines that run a replica, with its port, in the order of the stack.
pub(crate) fn replicas(stack: &StackSpec) -> impl Iterator<Item = (&str, u16)> {
    let services = stack.services.values();
    services.flat_map(|service| {
        let replica = service.replica.as_ref();
        let on = service.on.iter();
        replica
            .into_iter()
            .flat_map(move |r| on.clone().map(|node| (node.as_str(), r.port)))
    })
}

/// The port that a service is reached on.
pub(crate) fn port(service: &ServiceDef) -> Option<u16> {
    let gateway = service.gateway.as_ref().map(|g| g.port);
    let replica = service.replica.as_ref().map(|r| r.port);
    let journal = service.journal.as_ref().map(|j| j.port);
    gateway.or(replica).or(journal).or(service.port)
}

/// The service that clients talk to: the one named, or the only gateway.
pub(crate) fn entry_service(stack: &StackSpec) -> Option<(&str, &ServiceDef)> {
    if let Some(name) = &stack.entry {
        let (name, service) = stack.services.get_key_value(name)?;
        return Some((name, service));
    }
    let mut gateways = stack.services.iter().filter(|(_, s)| s.gateway.is_some());
    match (gateways.next(), gateways.next()) {
        (Some((name, service)), None) => Some((name, service)),
        _ => None,
    }
}

/// Host and port that clients send requests to.
pub(crate) fn entry(stack: &StackSpec) -> Option<(String, u16)> {
    let (_, service) = entry_service(stack)?;
    Some((service.on.first()?.clone(), port(service)?))
}

/// What the playbook's writers are told; their times are the engine's to fill
/// in.
pub(crate) fn writers(playbook: &Playbook) -> Vec<WriterTask> {
    let services = &playbook.stack.services;
    let task = |spec: &WriterSpec| {
        let journal = services.get(&spec.service)?;
        Some(WriterTask {
            spec: spec.clone(),
            host: journal.on.first()?.clone(),
            port: port(journal)?,
        })
    };
    playbook.writers.iter().filter_map(task).collect()
}

/// The model that clients ask for: the first replica's.
pub(crate) fn model(stack: &StackSpec) -> &str {
    let mut replicas = stack.services.values().filter_map(|s| s.replica.as_ref());
    replicas
        .next()
        .map_or("reference", |replica| &replica.model)
}

/// How a whole answer of the stack ends: known where every service is one of
/// ours, else learned from the first answers. A reference replica that is bad
/// from its start must not teach its own break.
pub(crate) fn dialect(stack: &StackSpec) -> Option<Dialect> {
    let ours = stack.services.values().all(|s| !s.is_foreign());
    ours.then_some(Dialect::OPENAI)
}

/// What machines draw for services of others, which do not tell: a share of the
/// way from idle to peak, by machine.
pub(crate) fn draws(stack: &StackSpec) -> IndexMap<String, f64> {
    let mut draws = IndexMap::new();
    for service in stack.services.values() {
        let Some(share) = service.draw else {
            continue;
        };
        for node in &service.on {
            *draws.entry(node.clone()).or_insert(0.0) += share.get();
        }
    }
    draws
}

/// The playbook where every load says what its answers are held against: tokens
/// that follow from the request can only come from replicas of ours.
pub(crate) fn held_against(playbook: &Playbook) -> Playbook {
    let mut playbook = playbook.clone();
    let ours = replicas(&playbook.stack).next().is_some();
    let usual = match ours {
        true => OracleSpec::Reference,
        false => OracleSpec::Recorded(RecordedSpec::default()),
    };
    for load in &mut playbook.load {
        load.oracle.get_or_insert(usual);
    }
    playbook
}
