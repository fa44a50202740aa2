//! A playbook, with its site and stack in place.

use std::net::Ipv4Addr;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::plant::Site;
use ridethrough_targets::units::{Rate, Span, Watts};

use super::assertion::Assertion;

/// A playbook: a site, a stack, a load, a timeline of faults, a list of
/// promises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    /// Its name.
    pub name: String,
    /// Why anybody would want to know.
    #[serde(default)]
    pub why: Option<String>,
    /// The world it runs in unless told otherwise.
    #[serde(default)]
    pub world: Option<WorldKind>,
    /// `cargo test playbooks` runs it in `embedded` too, controls and all, not
    /// in `virtual` alone.
    #[serde(default)]
    pub live: bool,
    /// Seed of every random choice.
    #[serde(default = "one")]
    pub seed: u64,
    /// The site: a file, or written here.
    pub site: Site,
    /// The stack: a file, or written here.
    pub stack: StackSpec,
    /// What the clients do.
    pub load: Vec<LoadSpec>,
    /// Clients that write to a journal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writers: Vec<WriterSpec>,
    /// The phases, in order, with their lengths.
    pub phases: IndexMap<String, Span>,
    /// What breaks, and when.
    #[serde(default)]
    pub faults: Vec<FaultSpec>,
    /// What faults may hit at most at one time; the run ends at once where they
    /// hit more.
    #[serde(default)]
    pub blast_radius: Option<BlastRadius>,
    /// What is promised.
    pub assert: Vec<Assertion>,
    /// Changed copies that must fail.
    #[serde(default)]
    pub controls: Vec<Control>,
}

fn one() -> u64 {
    1
}

/// Where nodes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorldKind {
    /// In process, in virtual time.
    Virtual,
    /// Linux namespaces.
    Embedded,
    /// Docker containers.
    Docker,
}

/// A serving stack: machines in racks, services on machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StackSpec {
    /// Its name.
    pub name: String,
    /// A Docker Compose project that runs: its containers are the machines, as they
    /// are, named after their services (with their number, where a service has
    /// several). What the playbook does not say of them, their labels do:
    /// `ridethrough.rack`, `ridethrough.port`, `ridethrough.entry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compose: Option<String>,
    /// The network that a project is on; found out when the run is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkDef>,
    /// The machines.
    #[serde(default)]
    pub nodes: IndexMap<String, NodeDef>,
    /// The services.
    #[serde(default)]
    pub services: IndexMap<String, ServiceDef>,
    /// The service that clients talk to (default: the only gateway).
    #[serde(default)]
    pub entry: Option<String>,
    /// How long it may take to be usable at the start, beside its model loads.
    #[serde(default = "ready_within")]
    pub ready_within: Span,
}

fn ready_within() -> Span {
    Span::from_secs(30)
}

/// The network of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkDef {
    /// The first address of its subnet.
    pub first: Ipv4Addr,
    /// The length of its prefix.
    pub prefix: u8,
    /// Addresses that are taken.
    #[serde(default)]
    pub taken: Vec<Ipv4Addr>,
}

/// A container of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestDef {
    /// Its id.
    pub container: String,
    /// Its address.
    pub ip: Ipv4Addr,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeDef {
    /// Its rack in the site.
    pub rack: String,
    /// What it draws when idle.
    #[serde(default = "idle")]
    pub idle: Watts,
    /// What it draws at full work.
    #[serde(default = "peak")]
    pub peak: Watts,
    /// Time from power to the start of its services: firmware, kernel, image.
    #[serde(default = "boot")]
    pub boot: Span,
    /// The container that it is, of a `compose` project; found out when the run is
    /// planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<GuestDef>,
}

impl NodeDef {
    /// A machine in a rack.
    pub fn in_rack(rack: &str) -> Self {
        Self {
            rack: rack.to_string(),
            idle: idle(),
            peak: peak(),
            boot: boot(),
            guest: None,
        }
    }
}

fn idle() -> Watts {
    Watts(400.0)
}
fn peak() -> Watts {
    Watts(2_400.0)
}
fn boot() -> Span {
    Span::from_secs(1)
}

/// One stream of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadSpec {
    /// Its name.
    pub name: String,
    /// When requests are sent, whatever becomes of earlier ones (open loop).
    pub arrivals: Arrivals,
    /// Prompt lengths in tokens, uniform: `64` or `32..256`.
    #[serde(default = "prompt")]
    pub prompt_tokens: Range,
    /// Answer lengths in tokens, uniform: `64` or `40..120`.
    #[serde(default = "output")]
    pub output_tokens: Range,
    /// The class that the gateway admits by.
    #[serde(default = "interactive")]
    pub class: String,
    /// The model that its clients ask for (default: that of the stack's
    /// replicas).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What its answers are held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oracle: Option<OracleSpec>,
    /// Ask for a stream of tokens.
    #[serde(default = "yes")]
    pub stream: bool,
    /// How its clients behave.
    #[serde(default)]
    pub client: ClientSpec,
}

fn prompt() -> Range {
    Range { min: 32, max: 256 }
}
fn output() -> Range {
    Range { min: 40, max: 120 }
}
fn interactive() -> String {
    "interactive".into()
}
fn yes() -> bool {
    true
}

/// When requests are sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// Evenly spaced.
    Constant {
        /// Requests per second.
        rate: Rate,
    },
    /// Independent of each other (exponential gaps).
    Poisson {
        /// Mean requests per second.
        rate: Rate,
    },
}

/// What faults may hit at most at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BlastRadius {
    /// Machines that a fault is in, or that have lost their power.
    pub nodes: Option<u32>,
    /// Racks with such a machine.
    pub racks: Option<u32>,
    /// Feeds without their supply.
    pub feeds: Option<u32>,
}

/// A changed copy of the playbook that must fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its name.
    pub name: String,
    /// Changes, by path: `site.ups-a.battery.condition: open`,
    /// `stack.gateway.mode: none`, `faults.0.inject.sag.to: 0%`.
    pub set: IndexMap<String, serde_json::Value>,
    /// The kind of assertion that must fail.
    pub fails: String,
}

/// A closed range of whole numbers, written `64` or `32..256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Smallest.
    pub min: u32,
    /// Largest.
    pub max: u32,
}

mod client;
mod fault;
mod oracle;
mod range;
mod service;
mod writer;

pub use client::{ClientSpec, KeepaliveSpec, Timeout};
pub use fault::{BatteryBelow, Condition, FaultSpec, Prefill};
pub use oracle::{OracleSpec, RecordedSpec};
pub use service::{BuildSpec, FileSpec, HealthSpec, NeedsSpec, ServiceDef};
pub use writer::WriterSpec;
