//! The management cards of a run: which devices have one, and what it speaks.

use indexmap::IndexMap;
use serde_json::Value as Json;

use ridethrough_targets::plant::{Plant, Site};
use ridethrough_targets::supervisor::ask::{AskedDevice, ProbeConfig, Watched};
use ridethrough_targets::supervisor::redfish::RedfishConfig;
use ridethrough_targets::supervisor::snmp::SnmpConfig;
use ridethrough_targets::supervisor::sunspec::SunspecConfig;
use ridethrough_targets::supervisor::{CardConfig, NutAgentConfig};
use ridethrough_targets::telemetry::{Identity, Protocol};
use ridethrough_targets::units::Span;

use super::machines::loads;
use crate::playbook::StackSpec;

/// The port of a card's Redfish service: plain HTTP, on the site's own network.
const REDFISH_PORT: u16 = 80;

/// One card: a node of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    /// Its node.
    pub(crate) node: String,
    /// The devices behind it, with the kinds of their readings.
    pub(crate) devices: Vec<(String, &'static str)>,
    /// What it speaks.
    pub(crate) protocols: &'static [Protocol],
}

/// Every card of a site: each power device has its own, which has the device's
/// name; the machines and the shelf of a rack share a manager.
pub(crate) fn cards(site: &Site, stack: &StackSpec) -> Vec<Card> {
    use Protocol::{Modbus, Nut, Redfish, Snmp};
    let own = |kind: &'static str, protocols: &'static [Protocol]| {
        move |name: &String| Card {
            node: name.clone(),
            devices: vec![(name.clone(), kind)],
            protocols,
        }
    };
    let mut cards: Vec<Card> = site.ups.keys().map(own("ups", &[Nut, Snmp])).collect();
    let bess = site.bess.keys().map(own("bess", &[Modbus, Redfish]));
    cards.extend(bess);
    let transfers = site.transfers.keys();
    cards.extend(transfers.map(own("transfer", &[Nut, Snmp, Redfish])));
    cards.extend(site.generators.keys().map(own("generator", &[Nut])));
    let pdus = site.pdus.keys();
    cards.extend(pdus.map(own("pdu", &[Nut, Snmp, Redfish])));
    for (rack, spec) in &site.racks {
        let machines = stack.nodes.iter().filter(|(_, node)| &node.rack == rack);
        let mut devices: Vec<(String, &'static str)> = machines
            .map(|(name, _)| (name.clone(), "machine"))
            .collect();
        if devices.is_empty() {
            continue;
        }
        if spec.bbu.is_some() {
            devices.push((format!("{rack}.shelf"), "shelf"));
        }
        cards.push(Card {
            node: manager(rack),
            devices,
            protocols: &[Redfish],
        });
    }
    cards
}

/// The node of a rack's manager.
pub(crate) fn manager(rack: &str) -> String {
    format!("{rack}-manager")
}

/// What each card is told.
pub(crate) fn configs(site: &Site, stack: &StackSpec) -> Vec<(Card, Json)> {
    let plates: IndexMap<String, Identity> = Plant::new(site, &loads(stack))
        .map(|plant| plant.identities())
        .unwrap_or_default()
        .into_iter()
        .map(|plate| (plate.name.clone(), plate))
        .collect();
    let config = |card: Card| {
        let speaks = |via| card.protocols.contains(&via);
        let plate = |(name, kind): &(String, &'static str)| {
            let plate = plates.get(name).cloned();
            plate.unwrap_or_else(|| Identity::new(name, kind, ""))
        };
        let config = CardConfig {
            devices: card.devices.iter().map(plate).collect(),
            nut: speaks(Protocol::Nut).then(NutAgentConfig::default),
            snmp: speaks(Protocol::Snmp).then(SnmpConfig::default),
            modbus: speaks(Protocol::Modbus).then(SunspecConfig::default),
            redfish: speaks(Protocol::Redfish).then(|| RedfishConfig {
                port: REDFISH_PORT,
                ..RedfishConfig::default()
            }),
        };
        let config = serde_json::to_value(config).unwrap_or_default();
        (card, config)
    };
    cards(site, stack).into_iter().map(config).collect()
}

/// What the probe is told: where each device's agents are, and which of them a
/// promise speaks of all the time.
pub(crate) fn probe_config(cards: &[Card], watched: &[Protocol]) -> Json {
    let mut devices = IndexMap::new();
    for card in cards {
        let ports = card.protocols.iter().map(|via| (*via, port(*via)));
        let ports: IndexMap<Protocol, u16> = ports.collect();
        for (name, kind) in &card.devices {
            let asked = AskedDevice {
                kind: (*kind).to_string(),
                host: card.node.clone(),
                ports: ports.clone(),
            };
            devices.insert(name.clone(), asked);
        }
    }
    let supplies = |kind: &str| matches!(kind, "ups" | "bess");
    let mut watch = Vec::new();
    for (device, asked) in devices.iter().filter(|(_, d)| supplies(&d.kind)) {
        let spoken = watched.iter().filter(|via| asked.ports.contains_key(*via));
        watch.extend(spoken.map(|via| Watched {
            device: device.clone(),
            via: *via,
        }));
    }
    let config = ProbeConfig {
        devices,
        watch,
        every: Span::from_millis(100),
    };
    serde_json::to_value(config).unwrap_or_default()
}

/// Where a card's agent of a protocol listens.
pub(crate) fn port(via: Protocol) -> u16 {
    match via {
        Protocol::Nut => NutAgentConfig::default().port,
        Protocol::Snmp => SnmpConfig::default().port,
        Protocol::Modbus => SunspecConfig::default().port,
        Protocol::Redfish => REDFISH_PORT,
        Protocol::Metrics => 0,
    }
}
