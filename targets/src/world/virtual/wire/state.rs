//! Every kernel and every link of a world, behind one lock.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::task::Waker;

use indexmap::IndexMap;

use super::agenda::{Agenda, Job};
use super::neighbour::{Neighbour, NeighbourTimes};
use super::probe::Probe;
use super::segment::{LARGE, MSS, Nanos, Segment};
use super::tcb::Tcb;
use crate::fabric::{Frame, Link, RuleBook, Verdict};
use crate::net::SocketOptions;
use crate::world::PortCounters;

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
    /// The kernel itself: a probe packet, or the answer to one.
    Probe { token: u64, index: u32, back: bool },
}

/// A packet on its way.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The sender's boot: what a dead kernel sent does not arrive later.
    pub(super) boot: u32,
    /// The sender's end.
    pub(super) reply: Option<SockId>,
    pub(super) dest: Dest,
    pub(super) segment: Segment,
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
    pub(super) next_port: u16,
    pub(super) counters: PortCounters,
    pub(super) times: NeighbourTimes,
}

/// Where a new connection goes when so many wait to be accepted.
const BACKLOG: usize = 1024;
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
    /// Directions with a rule on them.
    pub(super) links: BTreeMap<(usize, usize), Link>,
    pub(super) neighbours: BTreeMap<(usize, usize), Neighbour>,
    /// The end that answers each connecting end.
    answered: BTreeMap<SockId, SockId>,
    pub(super) probes: BTreeMap<u64, Probe>,
    pub(super) agenda: Agenda,
    /// Segments that their kernels have just made.
    pub(super) out: Vec<Segment>,
    /// Packets that leave now.
    pub(super) leaving: VecDeque<Packet>,
    /// Connections whose timers may have changed.
    touched: Vec<SockId>,
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

    /// Every connection of a node.
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
                segment,
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

    /// Lets everything that leaves now go its way, and what that leads to.
    pub(super) fn pump(&mut self, now: Nanos) {
        while let Some(packet) = self.leaving.pop_front() {
            self.send(now, packet);
        }
        let mut touched = std::mem::take(&mut self.touched);
        for id in touched.drain(..) {
            self.set_alarm(id);
        }
        self.touched = touched;
    }

    fn set_alarm(&mut self, id: SockId) {
        let Some(sock) = self.sock(id) else {
            return;
        };
        let Some(due) = sock.tcb.deadline() else {
            return;
        };
        if sock.alarm.is_none_or(|alarm| due < alarm) {
            sock.alarm = Some(due);
            self.agenda.push(due, Job::Timer(id));
        }
    }

    /// Does everything that is due.
    pub(super) fn catch_up(&mut self, now: Nanos) {
        while let Some((due, job)) = self.agenda.pop_due(now) {
            match job {
                Job::Arrive(packet) => self.arrive(now, due, packet),
                Job::Timer(id) => self.on_timer(now, due, id),
                Job::Unreachable(id) => self.unreachable(id),
            }
            self.pump(now);
        }
    }

    fn on_timer(&mut self, now: Nanos, due: Nanos, id: SockId) {
        let Some(sock) = self.sock(id) else {
            return;
        };
        if sock.alarm != Some(due) {
            return;
        }
        sock.alarm = None;
        self.with_sock(id, |tcb, out| {
            if tcb.deadline().is_some_and(|at| at <= now) {
                tcb.on_time(now, out);
            }
        });
    }

    /// Nobody answers at the address: an attempt to connect fails; an open
    /// connection only keeps that in mind (a soft error).
    fn unreachable(&mut self, id: SockId) {
        let ends = self.sock(id).map(|sock| (sock.node, sock.peer_node));
        if ends.is_none_or(|(from, to)| self.answers(from, to)) {
            return;
        }
        self.with_sock(id, |tcb, _| {
            if tcb.phase == super::tcb::Phase::SynSent {
                tcb.fail(std::io::ErrorKind::HostUnreachable);
            }
        });
    }

    /// A packet leaves its node.
    fn send(&mut self, now: Nanos, packet: Packet) {
        let (from, to) = (packet.from, packet.to);
        if from == to {
            return self.deliver(now, packet);
        }
        if !self.places[from].lit {
            self.places[from].counters.dropped += 1;
            return;
        }
        let counters = &mut self.places[from].counters;
        counters.frames_in += u64::from(packet.segment.packets());
        counters.bytes_in += packet.segment.wire_bytes();
        if !self.answers(from, to) {
            self.lose(from, to);
            return self.silent(now, packet);
        }
        let Some(link) = self.links.get_mut(&(from, to)) else {
            return self.deliver(now, packet);
        };
        let frame = Frame {
            to: 0,
            group: false,
            ip: true,
            packets: packet.segment.packets(),
            wire_bytes: packet.segment.wire_bytes(),
        };
        let at = if packet.left == 0 { now } else { packet.left };
        match link.decide(at, &frame) {
            Verdict::Drop => self.lose(from, to),
            Verdict::Now => self.deliver(now, packet),
            Verdict::At(due) => {
                link.held_frames += 1;
                self.agenda.push(due, Job::Arrive(packet));
            }
        }
    }

    /// Whether a neighbour request from one node would be answered by another:
    /// both ports are lit, and neither way is cut.
    fn answers(&self, from: usize, to: usize) -> bool {
        let cut = |a, b| self.links.get(&(a, b)).is_some_and(Link::is_cut);
        self.places[to].lit && (self.links.is_empty() || !(cut(from, to) || cut(to, from)))
    }

    fn lose(&mut self, from: usize, to: usize) {
        self.places[from].counters.dropped += 1;
        self.places[to].counters.dropped += 1;
    }

    /// What the sender's kernel makes of it that nobody answers.
    fn silent(&mut self, now: Nanos, packet: Packet) {
        let times = self.places[packet.from].times;
        let entry = self.neighbours.entry((packet.from, packet.to)).or_default();
        let fate = entry.silent(now, &times);
        if let (super::neighbour::Fate::Waits(until), Some(id)) = (fate, packet.reply) {
            self.agenda.push(until, Job::Unreachable(id));
        }
    }

    /// A packet that was held back reaches the end of its link.
    fn arrive(&mut self, now: Nanos, due: Nanos, mut packet: Packet) {
        let (from, to) = (packet.from, packet.to);
        let link = self.links.get_mut(&(from, to));
        let cut = link.is_some_and(|link| {
            link.held_frames = link.held_frames.saturating_sub(1);
            link.is_cut()
        });
        let sender = &self.places[from];
        if cut || !sender.lit || sender.boot != packet.boot || !self.places[to].lit {
            return self.lose(from, to);
        }
        packet.left = due;
        self.deliver(now, packet);
    }

    /// A packet is given to its node.
    fn deliver(&mut self, now: Nanos, packet: Packet) {
        let place = &mut self.places[packet.to];
        place.counters.frames_out += u64::from(packet.segment.packets());
        place.counters.bytes_out += packet.segment.wire_bytes();
        let heard = self.neighbours.entry((packet.to, packet.from)).or_default();
        heard.confirm(now);
        match packet.dest {
            Dest::Probe { token, index, back } => self.probe_arrived(&packet, token, index, back),
            Dest::Port(port) => self.on_syn(now, port, packet),
            Dest::Sock(id) => self.on_packet(now, id, packet),
        }
    }

    fn on_packet(&mut self, now: Nanos, id: SockId, packet: Packet) {
        let reply = packet.reply;
        let known = self.sock(id).is_some_and(|sock| {
            // The other end is known by the first packet from it.
            sock.peer = sock.peer.or(reply);
            sock.node == packet.to
        });
        if !known {
            return self.refuse(packet);
        }
        let was_open = self.sock(id).is_some_and(|s| s.parent.is_none());
        let segment = packet.segment;
        self.with_sock(id, |tcb, out| tcb.on_segment(now, segment, out));
        if !was_open {
            self.complete(id);
        }
    }

    /// A connection that is complete waits to be accepted.
    fn complete(&mut self, id: SockId) {
        let Some(sock) = self.sock(id) else {
            return;
        };
        let (node, Some(port)) = (sock.node, sock.parent) else {
            return;
        };
        if sock.tcb.phase != super::tcb::Phase::Open {
            return;
        }
        sock.parent = None;
        match self.places[node].listeners.get_mut(&port) {
            Some(listening) => {
                listening.ready.push_back(id);
                self.wakers.extend(listening.waker.take());
            }
            None => {
                self.with_sock(id, |tcb, out| {
                    out.push(tcb.reset());
                    tcb.gone = true;
                });
            }
        }
    }

    fn on_syn(&mut self, now: Nanos, port: u16, packet: Packet) {
        let Some(peer) = packet.reply else {
            return;
        };
        if !packet.segment.syn {
            // The connection that sent this has not been answered yet.
            return;
        }
        let Some(listening) = self.places[packet.to].listeners.get(&port) else {
            return self.refuse(packet);
        };
        if listening.ready.len() >= BACKLOG {
            // As a kernel does: the SYN is dropped, and comes again.
            return self.lose(packet.from, packet.to);
        }
        let options = listening.options;
        // A SYN that comes again while the first is being answered.
        if let Some(id) = self.answered.get(&peer).copied() {
            return self.on_packet(now, id, packet);
        }
        let mut made = Vec::new();
        let tcb = Tcb::accept(&packet.segment, options, now, &mut made);
        let peer_port = self.sock(peer).map_or(0, |s| s.port);
        let id = self.add(Sock {
            tcb,
            node: packet.to,
            port,
            peer_node: packet.from,
            peer_port,
            peer: Some(peer),
            parent: Some(port),
            reader: None,
            writer: None,
            alarm: None,
        });
        self.answered.insert(peer, id);
        self.with_sock(id, |_, out| out.append(&mut made));
    }

    /// Nobody here knows of this packet: a reset.
    fn refuse(&mut self, packet: Packet) {
        let (Some(id), false) = (packet.reply, packet.segment.rst) else {
            return;
        };
        let segment = Segment {
            seq: packet.segment.ack.unwrap_or(0),
            ack: Some(packet.segment.end()),
            rst: true,
            ..Segment::default()
        };
        self.leaving.push_back(Packet {
            from: packet.to,
            to: packet.from,
            boot: self.places[packet.to].boot,
            reply: None,
            dest: Dest::Sock(id),
            segment,
            left: 0,
        });
    }
}
