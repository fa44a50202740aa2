//! Where the stack's nodes run. A fault asks a [`World`]; it never reaches
//! around it.

mod bursts;
mod capability;
pub mod conformance;
#[cfg_attr(not(linux_worlds), path = "docker/elsewhere.rs")]
pub mod docker;
#[cfg_attr(not(linux_worlds), path = "embedded/elsewhere.rs")]
pub mod embedded;
mod link;
mod names;
mod probe;
mod shortage;
mod sockets;
mod spec;
mod tail;
pub mod r#virtual;
mod volume;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::clock::{Clock, Micros};
use crate::disk::{DiskFault, DiskFaultId, DiskProbe, DiskReport};
use crate::service::{FromService, ToService};
use crate::units::Span;

pub use bursts::{FourState, GilbertElliott, LossChain};
pub use capability::Capability;
pub use link::{Direction, Distribution, Impairment, LinkRule, PortCounters, RuleCounters, RuleId};
pub use names::{Lookup, LookupError, NameAnswer, NameRule, RESOLVER_ATTEMPTS, RESOLVER_TIMEOUT};
pub use probe::{
    Arrival, ConnectionReport, ConnectionSpec, Darkness, End, NodeState, PROBE_HEADERS,
    PROBE_PAYLOAD_MIN, PROBE_PORT, ProbeReport, ProbeSpec, Train,
};
pub use shortage::{FileUse, Inquiry, Shortage, Supply};
pub use sockets::{Probing, Socket, Watch};
pub use spec::{NodeSpec, ServiceSpec};
pub use volume::{Backing, VolumeLoss, VolumeSpec};

/// Something a world reports by itself.
#[derive(Clone, Debug)]
pub enum WorldEvent {
    /// A service said a word.
    Said {
        /// The node.
        node: String,
        /// The service.
        service: String,
        /// The word.
        word: FromService,
    },
    /// A service process ended while its node lived.
    Exited {
        /// The node.
        node: String,
        /// The service.
        service: String,
        /// How: `exit code 1`, `signal 9`.
        how: String,
        /// The last lines of its log.
        tail: String,
    },
    /// The world has ended every service: the run would never have ended.
    Halted {
        /// Which bound was passed, and by whom.
        reason: String,
    },
}

/// What a cut of power did, as the world saw it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CutReceipt {
    /// The node.
    pub node: String,
    /// When its port went dark.
    pub dark_us: Micros,
    /// When the last of its processes was seen dead, by the kernel's word.
    pub dead_us: Micros,
    /// The port's counters when it went dark.
    pub at_cut: PortCounters,
    /// What its volumes lost.
    #[serde(default)]
    pub lost: Vec<VolumeLoss>,
}

/// Why a world could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The machine lacks something. Names it and the way to get it.
    #[error("{what}; {remedy}")]
    Missing {
        /// What is missing.
        what: String,
        /// How to get it.
        remedy: String,
    },
    /// No node of that name.
    #[error("no node `{0}` in this world")]
    NoNode(String),
    /// A call to the kernel or to a helper failed.
    #[error("could not {what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// A node did not come up or answer in time.
    #[error("{0}")]
    Failed(String),
}

fn no_volume(world: &str, node: &str, service: &str) -> WorldError {
    WorldError::Failed(format!(
        "service `{service}` has no volume on node `{node}` in world `{world}`"
    ))
}

/// One place where nodes run.
///
/// A world is driven by one engine. Its methods return when the thing is done,
/// not when it was asked for.
#[async_trait]
pub trait World: Send + Sync {
    /// The world's name: `embedded`, `virtual`, `docker`.
    fn name(&self) -> &'static str;

    /// The run's clock.
    fn clock(&self) -> Clock;

    /// Starts a node: a new boot, with a new network and a new clock, its port
    /// lit last. Returns when its services' processes run (not when they are
    /// ready). `boot` counts earlier boots.
    async fn boot(&self, node: &NodeSpec, boot: u32) -> Result<(), WorldError>;

    /// Cuts the power of nodes at one instant: every port dark first, then
    /// every process dead at once, then what was not fsynced is gone.
    async fn cut(&self, nodes: &[String]) -> Result<Vec<CutReceipt>, WorldError>;

    /// Freezes every process of a node; its kernel still answers.
    async fn hang(&self, node: &str) -> Result<(), WorldError>;

    /// Ends [`World::hang`].
    async fn resume(&self, node: &str) -> Result<(), WorldError>;

    /// Kills the processes of a node's services with SIGKILL while its kernel
    /// lives on (FIN and RST reach its peers). Not a power cut.
    async fn kill(&self, node: &str) -> Result<(), WorldError>;

    /// Starts the services of a node again after [`World::kill`], on the same
    /// boot of the same kernel.
    async fn restart(&self, node: &NodeSpec, boot: u32) -> Result<(), WorldError>;

    /// Starts the services of a node again on a monotonic clock that is this far
    /// ahead of the one it booted with. Wall clocks stay: no namespace has them.
    async fn jump_clock(&self, node: &NodeSpec, boot: u32, ahead: Span) -> Result<(), WorldError>;

    /// Runs a program beside a service of a node, where it sees what the service
    /// sees; whether it ended with exit code 0.
    async fn check(
        &self,
        _node: &str,
        service: &str,
        _argv: &[String],
        _limit: Span,
    ) -> Result<bool, WorldError> {
        let text = format!("nothing can be run beside service `{service}` here");
        Err(WorldError::Failed(text))
    }

    /// Makes a node run short of something.
    async fn deprive(&self, node: &str, shortage: &Shortage) -> Result<(), WorldError>;

    /// Ends [`World::deprive`] of the same kind. A node that is down has
    /// nothing left of it.
    async fn supply(&self, node: &str, shortage: &Shortage) -> Result<(), WorldError>;

    /// Finds out what a node can still get, by its kernel's word or by trying.
    async fn inquire(&self, node: &str, inquiry: Inquiry) -> Result<Supply, WorldError>;

    /// The established TCP connections of a node's services, as its kernel holds
    /// them.
    async fn sockets(&self, node: &str) -> Result<Vec<Socket>, WorldError> {
        let text = format!("the sockets of node `{node}` cannot be read here");
        Err(WorldError::Failed(text))
    }

    /// Puts a rule on the fabric; it acts on the next frame.
    fn install(&self, rule: LinkRule) -> Result<RuleId, WorldError>;

    /// Takes a rule off the fabric; unknown ids are no error.
    fn remove(&self, rule: RuleId);

    /// What a rule has met, also after it was taken off; `None` where there
    /// never was one.
    fn rule_counters(&self, rule: RuleId) -> Option<RuleCounters>;

    /// Says a word to a service of a node; nodes that are down hear nothing.
    fn say(&self, node: &str, service: &str, word: ToService);

    /// Sends probe packets from one node to another and reports what came back.
    async fn probe(&self, spec: &ProbeSpec) -> Result<ProbeReport, WorldError>;

    /// Opens a connection between two nodes' inits, on which bytes go to and fro;
    /// returns its number once it is established.
    async fn connect(&self, spec: &ConnectionSpec) -> Result<u64, WorldError>;

    /// How a connection of [`World::connect`] is now.
    async fn connection(&self, number: u64) -> Result<ConnectionReport, WorldError>;

    /// Lets go of a connection; unknown numbers are no error.
    async fn disconnect(&self, number: u64);

    /// Makes resolvers of nodes answer wrongly; returns the rule's number.
    async fn mislead(&self, rule: NameRule) -> Result<u64, WorldError>;

    /// Ends [`World::mislead`]; unknown numbers are no error.
    async fn lead(&self, number: u64);

    /// Looks a name up on a node, as a program there would.
    async fn lookup(&self, node: &str, name: &str) -> Result<Lookup, WorldError>;
    /// Makes the volume of a service on a node fail.
    async fn disk_fault(
        &self,
        node: &str,
        service: &str,
        _fault: DiskFault,
    ) -> Result<DiskFaultId, WorldError> {
        Err(no_volume(self.name(), node, service))
    }

    /// Ends a failure of a volume; one that has ended is no error.
    async fn disk_heal(
        &self,
        node: &str,
        service: &str,
        _fault: DiskFaultId,
    ) -> Result<(), WorldError> {
        Err(no_volume(self.name(), node, service))
    }

    /// Writes, flushes and reads back files on the volume of a service, from its
    /// node and by the way that the service takes. Nothing of a file stays.
    async fn probe_disk(
        &self,
        node: &str,
        service: &str,
        _probe: &DiskProbe,
    ) -> Result<DiskReport, WorldError> {
        Err(no_volume(self.name(), node, service))
    }

    /// What a node's processes are doing, read from the kernel.
    async fn state(&self, node: &str) -> Result<NodeState, WorldError>;

    /// The counters of a node's port.
    fn counters(&self, node: &str) -> Result<PortCounters, WorldError>;

    /// Reports of the world; take it once.
    fn events(&self) -> Option<mpsc::UnboundedReceiver<WorldEvent>>;

    /// Ends every node and waits until nothing of the world is left.
    async fn close(&self) -> Result<(), WorldError>;
}
