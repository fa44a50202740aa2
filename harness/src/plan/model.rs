//! The plan: a playbook with every name and time resolved.

use std::net::Ipv4Addr;

use indexmap::IndexMap;
use serde::Serialize;

use ridethrough_faults::Question;
use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::plant::NodeLoad;
use ridethrough_targets::units::{Span, Watts};
use ridethrough_targets::world::{NodeSpec, ServiceSpec};

use super::faults::faults;
use super::seed::service_seed;
use crate::playbook::{Assertion, Condition, Playbook};

/// What will happen. No string in it is left to interpret: names are checked,
/// times are absolute, targets are lists of machines.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The playbook, with site and stack in place.
    pub playbook: Playbook,
    /// SHA-256 of [`yaml`](Self::yaml), in hexadecimal.
    pub hash: String,
    /// The playbook as resolved: every file included, every default written.
    pub yaml: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// The phases in order, without gaps from time 0.
    pub phases: Vec<PlannedPhase>,
    /// The end of the last phase.
    pub total: Span,
    /// The machines of the stack, then the infrastructure.
    pub nodes: Vec<PlannedNode>,
    /// Every node's address by its name.
    pub hosts: IndexMap<String, Ipv4Addr>,
    /// What the plant powers: the machines of the stack.
    pub loads: Vec<NodeLoad>,
    /// Top-of-rack switches by name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub switches: IndexMap<String, PlannedSwitch>,
    /// Host and port that clients send requests to.
    pub entry: (String, u16),
    /// The faults, in the order they were written.
    pub faults: Vec<PlannedFault>,
    /// The promises, in the order they were written.
    pub assertions: Vec<PlannedAssertion>,
    /// What is no mistake, but should be known: every single component whose
    /// loss drops all the cords of a rack.
    pub notes: Vec<String>,
}

impl Plan {
    /// A node by its name.
    pub fn node(&self, name: &str) -> Option<&PlannedNode> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The same plan with another seed.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.playbook.seed = seed;
        // What was drawn is drawn again.
        if let Some(faults) = faults(&self.playbook, &self.phases, &self.nodes) {
            self.faults = faults;
        }
        for node in &mut self.nodes {
            for service in &mut node.services {
                service.seed = service_seed(seed, &node.name, &service.name);
            }
        }
    }

    /// Loads and writers, which each say when they are done.
    pub fn clients(&self) -> usize {
        self.playbook.load.len() + self.playbook.writers.len()
    }

    /// The node of a device's card.
    pub fn card_of(&self, device: &str) -> Option<&PlannedNode> {
        let behind = |node: &&PlannedNode| match &node.role {
            NodeRole::Card { devices } => devices.iter().any(|d| d == device),
            _ => false,
        };
        self.nodes.iter().find(behind)
    }

    /// The phase that holds this time; its end belongs to the next one.
    pub fn phase_at(&self, at: Span) -> Option<&PlannedPhase> {
        self.phases
            .iter()
            .find(|phase| phase.start <= at && at < phase.end)
    }
}

/// A phase with its place in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedPhase {
    /// Its name.
    pub name: String,
    /// When it begins, from the start of the first phase.
    pub start: Span,
    /// When it ends.
    pub end: Span,
}

/// What a node is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// A machine of the stack, powered by the plant.
    Machine,
    /// The clients; never loses power.
    Client,
    /// Looks at the stack and the supervisor from the clients' side; never loses
    /// power.
    Monitor,
    /// The site's supervisor; never loses power.
    Supervisor,
    /// The management card of a power device, or the manager of a rack; never
    /// loses power.
    Card {
        /// The devices behind it.
        devices: Vec<String>,
    },
}

/// A node with its address and services.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedNode {
    /// Its name, which is its host name.
    pub name: String,
    /// Its address on the fabric.
    pub ip: Ipv4Addr,
    /// Its rack; none for infrastructure.
    pub rack: Option<String>,
    /// Time from power to the start of its services.
    pub boot: Span,
    /// What it draws when idle.
    pub idle: Watts,
    /// What it draws at full work.
    pub peak: Watts,
    /// What it runs.
    pub services: Vec<ServiceSpec>,
    /// What it is for.
    pub role: NodeRole,
}

impl PlannedNode {
    /// As a world wants it.
    pub fn spec(&self) -> NodeSpec {
        NodeSpec {
            name: self.name.clone(),
            ip: self.ip,
            services: self.services.clone(),
        }
    }
}

/// A fault with its interval and all that it reaches.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedFault {
    /// Its place in the plan's list.
    pub index: usize,
    /// Its name (the kind, where it has none of its own).
    pub name: String,
    /// What breaks.
    pub kind: FaultKind,
    /// The kind's name as written, such as `utility_outage`.
    pub kind_name: &'static str,
    /// What it hits, in words, such as `rack r1`.
    pub target: String,
    /// When it is injected, from the start of the first phase.
    pub at: Span,
    /// When it is healed; with an occasion to wait for, at the latest.
    pub until: Span,
    /// How long it lasts.
    pub lasts: Span,
    /// What it waits for, from `at` on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occasion: Option<Occasion>,
    /// What is asked before it, on a game day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// It has no time of its own: the conductor of a game day injects it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub manual: bool,
    /// Its place in the playbook's list: a fault that is repeated is planned
    /// once for each time.
    pub written: usize,
    /// All that it reaches.
    pub reach: Reach,
}

/// A top-of-rack switch and the machines behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedSwitch {
    /// What feeds it.
    pub from: String,
    /// The machines of its rack.
    pub nodes: Vec<String>,
    /// Time from power to forwarding.
    pub boot: Span,
}

/// What a fault waits for.
#[derive(Clone, Debug, Serialize)]
pub struct Occasion {
    /// What.
    pub when: Condition,
    /// The same in words, such as `the supervisor is on_battery`.
    pub text: String,
    /// How long it waits.
    pub within: Span,
    /// The services that can tell, by node: those of the load, or replicas.
    pub tellers: Vec<(String, String)>,
}

/// What a fault reaches, each list in the order of the site or the stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// Machines. For an electrical fault: every one with a cord downstream of
    /// it.
    pub nodes: Vec<String>,
    /// The machines of `nodes` that keep another cord, and so should ride
    /// through by themselves. Empty for faults that are not electrical.
    pub dual_corded: Vec<String>,
    /// UPSs that lose their input or that the fault is in.
    pub ups: Vec<String>,
    /// Utilities that fail.
    pub utilities: Vec<String>,
    /// PDUs that lose their supply or that the fault is in.
    pub pdus: Vec<String>,
    /// Machines that are off the network, since their rack's switch goes dark.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cut_off: Vec<String>,
    /// The two sides of a link fault, by node; an empty second side means
    /// every other node.
    pub link: Option<(Vec<String>, Vec<String>)>,
    /// Volumes that fail, by machine and service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<(String, String)>,
    /// Devices whose telemetry fails, each by each protocol that fails.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
}

/// A promise, checked.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedAssertion {
    /// Its place in the playbook's list.
    pub index: usize,
    /// The promise.
    pub assertion: Assertion,
    /// The same as a readable sentence.
    pub text: String,
}
