//! Every kernel and every link of a world, behind one lock.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::task::Waker;

use indexmap::IndexMap;

use super::agenda::Agenda;
use super::datagram::{Bound, Ends};
use super::neighbour::{Neighbour, NeighbourTimes};
use super::probe::{Leg, Probe};
use super::segment::{LARGE, MSS, Nanos, Segment};
use super::tcb::Tcb;
use crate::fabric::{Link, RuleBook};
use crate::net::SocketOptions;
use crate::world::PortCounters;
use crate::world::names::NameBook;

/// Names a connection's end; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SockId {
    pub(super) slot: u32,
    pub(super) turn: u32,
}

/// Where a packet goes on the node it reaches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dest {
    /// A listener: the packet is a SYN.
    Port(u16),
    /// A connection.
    Sock(SockId),
    /// A datagram socket.
    Datagram(Ends),
    /// The kernel itself: a probe packet, or the answer to one.
    Probe(Leg),
}

/// A packet on its way.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The sender's boot: what a dead kernel sent does not arrive later.
    pub(super) boot: u32,
    /// The sender's end.
    pub(super) reply: Option<SockId>,
    pub(super) dest: Dest,
    /// Source and destination of TCP or UDP.
    pub(super) ports: (u16, u16),
    pub(super) segment: Segment,
    /// A bit has flipped on its way.
    pub(super) damaged: bool,
    /// When it left, for probes.
    pub(super) left: Nanos,
}

/// One end of a connection and who waits for it.
#[derive(Debug)]
pub(super) struct Sock {
    pub(super) tcb: Tcb,
    pub(super) node: usize,
    pub(super) port: u16,
    pub(super) peer_node: usize,
    pub(super) peer_port: u16,
    pub(super) peer: Option<SockId>,
    /// The listener that made it, until it is accepted.
    pub(super) parent: Option<u16>,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
    /// When its next [`Job::Timer`] is.
    pub(super) alarm: Option<Nanos>,
}

/// A listening port.
#[derive(Debug, Default)]
pub(super) struct Listening {
    pub(super) options: SocketOptions,
    /// Complete connections that nobody has accepted.
    pub(super) ready: VecDeque<SockId>,
    pub(super) waker: Option<Waker>,
}

/// One node's place on the fabric, and its kernel.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) ip: Ipv4Addr,
    /// Its kernel runs and its port is lit.
    pub(super) lit: bool,
    /// Counts kernels.
    pub(super) boot: u32,
    pub(super) listeners: BTreeMap<u16, Listening>,
    /// Datagram sockets by port.
    pub(super) bound: BTreeMap<u16, Bound>,
    pub(super) next_port: u16,
    pub(super) counters: PortCounters,
    /// Packets that this kernel dropped for their checksum.
    pub(super) bad_checksums: u64,
    pub(super) times: NeighbourTimes,
}

/// Linux's `ip_local_port_range`.
const FIRST_PORT: u16 = 32_768;

#[derive(Debug)]
struct Slot {
    turn: u32,
    sock: Option<Box<Sock>>,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct State {
    pub(super) seed: u64,
    pub(super) places: IndexMap<String, Place>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    pub(super) rules: RuleBook,
    /// What resolvers are made to answer.
    pub(super) names: NameBook,
    /// Directions with a rule on them.
    pub(super) links: BTreeMap<(usize, usize), Link>,
    pub(super) neighbours: BTreeMap<(usize, usize), Neighbour>,
    /// The end that answers each connecting end.
    pub(super) answered: BTreeMap<SockId, SockId>,
    pub(super) probes: BTreeMap<u64, Probe>,
    pub(super) agenda: Agenda,
    /// Segments that their kernels have just made.
    pub(super) out: Vec<Segment>,
    /// Packets that leave now.
    pub(super) leaving: VecDeque<Packet>,
    /// Connections whose timers may have changed.
    pub(super) touched: Vec<SockId>,
    /// Tasks to wake once the lock is free.
    pub(super) wakers: Vec<Waker>,
}

impl State {
    pub(super) fn new(seed: u64, places: IndexMap<String, Place>) -> Self {
        Self {
            seed,
            places,
            slots: Vec::new(),
            free: Vec::new(),
            rules: RuleBook::default(),
            names: NameBook::default(),
            links: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            answered: BTreeMap::new(),
            probes: BTreeMap::new(),
            agenda: Agenda::default(),
            out: Vec::new(),
            leaving: VecDeque::new(),
            touched: Vec::new(),
            wakers: Vec::new(),
        }
    }

    pub(super) fn sock(&mut self, id: SockId) -> Option<&mut Sock> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        slot.sock.as_deref_mut().filter(|_| slot.turn == id.turn)
    }

    pub(super) fn add(&mut self, sock: Sock) -> SockId {
        let sock = Some(Box::new(sock));
        match self.free.pop() {
            Some(slot) => {
                let entry = &mut self.slots[slot as usize];
                entry.turn += 1;
                entry.sock = sock;
                let turn = entry.turn;
                SockId { slot, turn }
            }
            None => {
                self.slots.push(Slot { turn: 0, sock });
                let slot = (self.slots.len() - 1) as u32;
                SockId { slot, turn: 0 }
            }
        }
    }

    /// Forgets a connection; whoever waits for it is woken.
    pub(super) fn forget(&mut self, id: SockId) {
        let Some(slot) = self.slots.get_mut(id.slot as usize) else {
            return;
        };
        if slot.turn != id.turn {
            return;
        }
        if let Some(sock) = slot.sock.take() {
            self.free.push(id.slot);
            if let Some(peer) = sock.peer
                && self.answered.get(&peer) == Some(&id)
            {
                self.answered.remove(&peer);
            }
            self.wakers.extend(sock.reader);
            self.wakers.extend(sock.writer);
        }
    }

    /// Every connection.
    pub(super) fn socks(&self) -> impl Iterator<Item = &Sock> {
        self.slots.iter().filter_map(|slot| slot.sock.as_deref())
    }

    /// Every connection of a node, by name.
    pub(super) fn socks_of(&self, node: usize) -> Vec<SockId> {
        let slots = self.slots.iter().enumerate();
        let mine = slots.filter(|(_, s)| s.sock.as_ref().is_some_and(|sock| sock.node == node));
        mine.map(|(slot, s)| SockId {
            slot: slot as u32,
            turn: s.turn,
        })
        .collect()
    }

    /// The most bytes of one segment from one node to another: large where no
    /// rule needs to see single packets.
    pub(super) fn mss(&self, from: usize, to: usize) -> usize {
        if self.links.is_empty() || !self.links.contains_key(&(from, to)) {
            LARGE
        } else {
            MSS
        }
    }

    pub(super) fn ephemeral(&mut self, node: usize) -> u16 {
        let place = &mut self.places[node];
        let port = place.next_port.max(FIRST_PORT);
        place.next_port = if port == u16::MAX {
            FIRST_PORT
        } else {
            port + 1
        };
        port
    }

    /// Calls into a connection's TCP; what that makes leaves with the next
    /// [`State::pump`].
    pub(super) fn with_sock<T>(
        &mut self,
        id: SockId,
        act: impl FnOnce(&mut Tcb, &mut Vec<Segment>) -> T,
    ) -> Option<T> {
        let (from, to) = self.sock(id).map(|s| (s.node, s.peer_node))?;
        let mss = self.mss(from, to);
        let mut out = std::mem::take(&mut self.out);
        let Some(sock) = self.sock(id) else {
            self.out = out;
            return None;
        };
        sock.tcb.mss = mss;
        let result = act(&mut sock.tcb, &mut out);
        let (peer, port) = (sock.peer, sock.peer_port);
        let ports = (sock.port, port);
        let (readable, writable) = (sock.tcb.readable(), sock.tcb.writable());
        let reader = if readable { sock.reader.take() } else { None };
        let writer = if writable { sock.writer.take() } else { None };
        let gone = sock.tcb.gone;
        self.wakers.extend(reader);
        self.wakers.extend(writer);
        let boot = self.places[from].boot;
        for segment in out.drain(..) {
            let dest = match peer {
                Some(peer) => Dest::Sock(peer),
                None => Dest::Port(port),
            };
            self.leaving.push_back(Packet {
                from,
                to,
                boot,
                reply: Some(id),
                dest,
                ports,
                segment,
                damaged: false,
                left: 0,
            });
        }
        self.out = out;
        if gone {
            self.forget(id);
        } else {
            self.touched.push(id);
        }
        Some(result)
    }
}
