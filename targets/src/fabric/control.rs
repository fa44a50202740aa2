//! What the handle keeps under its lock: ports, rules, and how they become a
//! view for the thread.

use std::os::fd::AsFd;
use std::sync::Arc;

use crate::clock::Micros;

use super::frame::mac_key;
use super::port::{Counters, Life};
use super::reactor::Tap;
use super::rules::RuleBook;
use super::tap;
use super::view::{LinkView, PortView, View};

/// A port, lit or dark.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) mac: [u8; 6],
    pub(crate) life: Option<Arc<Life<Tap>>>,
    /// The counters of its life, or of its last one.
    pub(crate) counters: Arc<Counters>,
    /// When it last went dark.
    pub(crate) dark_us: Option<Micros>,
    /// Whether its device hands over large segments now.
    offload: bool,
}

/// Ports and rules.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) ports: Vec<Port>,
    pub(crate) rules: RuleBook,
    /// Whether large segments are wanted at all.
    offload: bool,
}

impl Control {
    pub(crate) fn new(offload: bool) -> Self {
        Self {
            ports: Vec::new(),
            rules: RuleBook::default(),
            offload,
        }
    }

    /// The number of a port.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.ports.iter().position(|port| port.name == name)
    }

    /// Adds a dark port; a known name only gets its new address. Tells whether
    /// the port is new.
    pub(crate) fn add(&mut self, name: &str, mac: [u8; 6]) -> bool {
        if let Some(at) = self.find(name) {
            self.ports[at].mac = mac;
            return false;
        }
        self.ports.push(Port {
            name: name.to_string(),
            mac,
            life: None,
            counters: Arc::default(),
            dark_us: None,
            offload: false,
        });
        true
    }

    /// Sets what a device that was just attached hands over.
    pub(crate) fn fit_new(&mut self, at: usize, device: &Tap) -> std::io::Result<()> {
        let wanted = self.wants_offload(at);
        tap::set_offload(device.as_fd(), wanted)?;
        self.ports[at].offload = wanted;
        Ok(())
    }

    /// Switches segmentation offload of every lit port to what the rules need.
    pub(crate) fn fit_offload(&mut self) {
        for at in 0..self.ports.len() {
            let wanted = self.wants_offload(at);
            let port = &mut self.ports[at];
            let Some(life) = port.life.as_ref().filter(|_| port.offload != wanted) else {
                continue;
            };
            match tap::set_offload(life.device.as_fd(), wanted) {
                Ok(()) => port.offload = wanted,
                Err(error) => {
                    tracing::warn!(port = port.name, %error, "could not switch offload");
                }
            }
        }
    }

    fn wants_offload(&self, at: usize) -> bool {
        self.offload && !self.rules.needs_packets(at, self.ports.len())
    }

    /// The view that the thread shall work by.
    pub(crate) fn view(&self) -> View<Tap> {
        let count = self.ports.len();
        let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        let links = pairs.filter_map(|(from, to)| {
            let rules = self.rules.between(from, to);
            (!rules.is_empty()).then_some(LinkView { from, to, rules })
        });
        let ports = self.ports.iter().map(|port| PortView {
            life: port.life.clone(),
            counters: Arc::clone(&port.counters),
        });
        let named = self.ports.iter().enumerate();
        let mut by_mac: Vec<(u64, usize)> =
            named.map(|(at, port)| (mac_key(port.mac), at)).collect();
        by_mac.sort_unstable();
        View {
            ports: ports.collect(),
            by_mac,
            links: links.collect(),
        }
    }
}
