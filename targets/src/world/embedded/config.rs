//! What an embedded world is opened with.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use indexmap::IndexMap;

use crate::clock::Clock;

/// How an embedded world is opened.
#[derive(Clone, Debug)]
pub struct EmbeddedConfig {
    /// A binary whose `main` begins with
    /// [`run_child_if_asked`](super::run_child_if_asked); as a rule
    /// `std::env::current_exe()`.
    pub exe: PathBuf,
    /// The run folder: `logs/<node>.log`, `capture.pcapng` and, while the world
    /// is open, `embedded/`.
    pub run_dir: PathBuf,
    /// The run's clock.
    pub clock: Clock,
    /// The run's seed: losses, jitter, boot ids.
    pub seed: u64,
    /// Every node that may be booted, with its address. All of them get a name
    /// on every node.
    pub hosts: IndexMap<String, Ipv4Addr>,
    /// Whether all frames are written to `capture.pcapng`.
    pub pcap: bool,
}

impl EmbeddedConfig {
    /// The length of the longest prefix that holds all hosts, at most 24 bits.
    pub(super) fn prefix(&self) -> u8 {
        let mut hosts = self.hosts.values().map(|ip| u32::from(*ip));
        let Some(first) = hosts.next() else { return 24 };
        let differing = hosts.fold(0, |bits, host| bits | (host ^ first));
        differing.leading_zeros().min(24) as u8
    }

    /// What `/etc/hosts` says on every node.
    pub(super) fn hosts_text(&self) -> String {
        let mut text = String::from("127.0.0.1 localhost\n");
        for (name, ip) in &self.hosts {
            text.extend([ip.to_string().as_str(), " ", name, "\n"]);
        }
        text
    }
}

#[cfg(test)]
mod tests;
