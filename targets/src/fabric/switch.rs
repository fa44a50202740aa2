//! The handle to the switch.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

use crate::clock::{Clock, Micros};
use crate::world::{LinkRule, PortCounters, RuleId};

/// How a switch is started.
#[derive(Debug)]
pub struct SwitchConfig {
    /// Seed of the loss and jitter decisions.
    pub seed: u64,
    /// The run's clock.
    pub clock: Clock,
    /// Where every frame is written as pcapng. Turns segmentation offload off,
    /// so that frames and their checksums are complete.
    pub pcap: Option<std::fs::File>,
    /// Whether the devices may hand over segments of up to 64 kB.
    pub offload: bool,
}

/// The switch. Dropping it stops its thread and closes every device.
#[derive(Debug)]
pub struct Switch {
    config: SwitchConfig,
}

impl Switch {
    /// Starts the switch on a thread of its own.
    ///
    /// # Errors
    /// When the kernel gives no epoll instance, timer, eventfd or thread.
    pub fn start(config: SwitchConfig) -> io::Result<Switch> {
        Ok(Self { config })
    }

    /// Adds a port for a node. It is dark until [`Switch::light`].
    pub fn add_port(&self, _name: &str, _mac: [u8; 6], _ip: Ipv4Addr) {}

    /// Attaches a TAP device to a port and lights it; its counters start anew.
    ///
    /// # Errors
    /// When there is no such port, or the device cannot be watched.
    pub fn light(&self, _name: &str, _tap: OwnedFd) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Darkens ports, all at one instant. Returns when no frame of theirs can
    /// leave any more: for each, its name, when it went dark, and its counters.
    /// The devices are closed after that.
    pub fn darken(&self, _names: &[String]) -> Vec<(String, Micros, PortCounters)> {
        Vec::new()
    }

    /// Installs a rule; it acts on the next frame.
    ///
    /// # Errors
    /// Names a node the switch has no port for.
    pub fn install(&self, _rule: LinkRule) -> Result<RuleId, String> {
        Err("the switch takes no rules yet".to_string())
    }

    /// Takes a rule off; an unknown id is no error.
    pub fn remove(&self, _id: RuleId) {}

    /// The counters of a port; `None` when there is no such port.
    pub fn counters(&self, _name: &str) -> Option<PortCounters> {
        let _ = self.config.seed;
        None
    }

    /// Darkens every port and closes every device.
    pub fn detach_all(&self) {}
}
