//! What a virtual world is opened with.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use super::bound::EventBounds;
use super::wire::NeighbourTimes;
use crate::clock::Clock;
use crate::service::Registry;

/// How a virtual world is opened.
#[derive(Clone)]
pub struct VirtualConfig {
    /// Finds built-in services.
    pub registry: Arc<Registry>,
    /// Logs go to `logs/` below it, which must be there.
    pub run_dir: PathBuf,
    /// The run's clock, on a paused runtime.
    pub clock: Clock,
    /// Seed of everything random on the links.
    pub seed: u64,
    /// Every node that will ever be, with its address.
    pub hosts: IndexMap<String, Ipv4Addr>,
    /// Neighbour tables of nodes that differ from Linux's defaults.
    pub neighbours: IndexMap<String, NeighbourTimes>,
    /// When a run that would never end is stopped.
    pub bounds: EventBounds,
}
