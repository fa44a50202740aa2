//! What the handle keeps under its lock: ports, rules, and how they become a
//! view for the thread.

use std::sync::Arc;

use crate::clock::Micros;
use crate::fabric::RuleBook;

use super::parse::mac_key;
use super::port::{Counters, Life};
use super::reactor::Tap;
use super::view::{LinkView, PortView, View};

/// A port, lit or dark.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    /// The node that it belongs to: its name, unless a node has several.
    pub(crate) owner: String,
    /// The network that it is on.
    pub(crate) segment: usize,
    /// Whether what is on no port of its network is behind it.
    pub(crate) uplink: bool,
    pub(crate) mac: [u8; 6],
    pub(crate) life: Option<Arc<Life<Tap>>>,
    /// The counters of its life, or of its last one.
    pub(crate) counters: Arc<Counters>,
    /// When it last went dark.
    pub(crate) dark_us: Option<Micros>,
    /// Whether its device hands over large segments now; `None` where it hands
    /// over what it gets.
    offload: Option<bool>,
}

/// Where a port is to be.
pub(crate) struct Socket<'a> {
    pub(crate) name: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) segment: usize,
    pub(crate) uplink: bool,
    pub(crate) mac: [u8; 6],
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

    /// The numbers of a node's ports.
    pub(crate) fn of(&self, owner: &str) -> Vec<usize> {
        let ports = self.ports.iter().enumerate();
        let own = ports.filter(|(_, port)| port.owner == owner);
        own.map(|(at, _)| at).collect()
    }

    /// Adds a dark port; a known name only gets its new address. Tells whether
    /// the port is new.
    pub(crate) fn add(&mut self, socket: &Socket<'_>) -> bool {
        if let Some(at) = self.find(socket.name) {
            self.ports[at].mac = socket.mac;
            return false;
        }
        self.ports.push(Port {
            name: socket.name.to_string(),
            owner: socket.owner.to_string(),
            segment: socket.segment,
            uplink: socket.uplink,
            mac: socket.mac,
            life: None,
            counters: Arc::default(),
            dark_us: None,
            offload: None,
        });
        true
    }

    /// Gives a port its new life.
    pub(crate) fn light(&mut self, life: &Arc<Life<Tap>>, offload: Option<bool>) {
        let port = &mut self.ports[life.port];
        port.counters = Arc::clone(&life.counters);
        port.life = Some(Arc::clone(life));
        port.dark_us = None;
        port.offload = offload;
    }

    /// The lit ports whose devices hand over other segments than the rules
    /// need, with whether they shall hand over large ones.
    pub(crate) fn misfits(&self) -> Vec<(Arc<Life<Tap>>, bool)> {
        let fit = |(at, port): (usize, &Port)| {
            let wanted = self.wants_offload(at);
            let now = port.offload?;
            let life = port.life.as_ref().filter(|_| now != wanted)?;
            Some((Arc::clone(life), wanted))
        };
        self.ports.iter().enumerate().filter_map(fit).collect()
    }

    /// Notes what a device hands over now.
    pub(crate) fn fitted(&mut self, life: &Arc<Life<Tap>>, offload: bool) {
        let port = &mut self.ports[life.port];
        if port.life.as_ref().is_some_and(|now| Arc::ptr_eq(now, life)) {
            port.offload = Some(offload);
        }
    }

    /// Whether a port may hand over large segments, by the rules on what it
    /// sends.
    pub(crate) fn wants_offload(&self, at: usize) -> bool {
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
            segment: port.segment,
            uplink: port.uplink,
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
