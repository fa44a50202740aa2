//! What an embedded world is opened with.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::clock::Clock;
use crate::undo::Journal;

/// How an embedded world is opened.
#[derive(Clone, Debug)]
pub struct EmbeddedConfig {
    /// A binary whose `main` begins with
    /// [`run_child_if_asked`](super::run_child_if_asked); as a rule
    /// `std::env::current_exe()`.
    pub exe: PathBuf,
    /// The run folder: `logs/<node>.log`, `capture.pcapng` and, while the world
    /// is open, `ridethrough-world/`.
    pub run_dir: PathBuf,
    /// The run's clock.
    pub clock: Clock,
    /// The run's seed: losses, jitter, boot ids.
    pub seed: u64,
    /// Every node that may be booted, with its address. All of them get a name
    /// on every node.
    pub hosts: IndexMap<String, Ipv4Addr>,
    /// Where changes of the host are written down before they are made; without
    /// it none are made.
    pub undo: Option<Arc<Journal>>,
    /// Whether all frames are written to `capture.pcapng`.
    pub pcap: bool,
}
