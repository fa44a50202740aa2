//! The way of a packet: off its node, over its link, into a kernel.

use super::agenda::Job;
use super::neighbour::Fate;
use super::segment::{Nanos, Segment};
use super::state::{Dest, Packet, Sock, SockId, State};
use super::tcb::{Phase, Tcb};
use crate::fabric::{Decision, Frame, Link, Verdict};

/// Where a new connection goes when so many wait to be accepted.
const BACKLOG: usize = 1024;

/// What a link does with a packet; a datagram is lost with any of its fragments
/// and there when the last one is. Only a datagram that is one packet comes
/// twice: its copies would have to come whole.
fn decide(link: &mut Link, at: Nanos, packet: &Packet) -> Decision {
    let (count, packets) = if packet.is_datagram() {
        (packet.packets(), 1)
    } else {
        (1, packet.packets())
    };
    let mut whole = Decision::from(Verdict::Now);
    for index in 0..count {
        let share = packet.wire_bytes() / u64::from(count);
        let rest = if index == 0 {
            packet.wire_bytes() % u64::from(count)
        } else {
            0
        };
        let flags = packet.segment.syn || packet.segment.rst;
        let frame = Frame {
            to: 0,
            group: false,
            ip: true,
            packets,
            wire_bytes: share + rest,
            longest: packet.longest(),
            ports: (index == 0).then_some(packet.ports),
            resettable: !packet.is_datagram() && !flags,
        };
        let next = link.decide(at, &frame);
        whole.verdict = later(whole.verdict, next.verdict);
        whole.flip = whole.flip.or(next.flip);
        whole.reset |= next.reset;
        whole.copies = if count == 1 { next.copies } else { 0 };
    }
    whole
}

/// Of two fragments, the one that holds the other up.
fn later(a: Verdict, b: Verdict) -> Verdict {
    match (a, b) {
        (Verdict::Drop, _) | (_, Verdict::Drop) => Verdict::Drop,
        (Verdict::At(a), Verdict::At(b)) => Verdict::At(a.max(b)),
        (Verdict::Now, other) | (other, Verdict::Now) => other,
    }
}

/// Makes a segment the reset that its receiver waits for, and returns the one
/// that its sender waits for.
fn reset(packet: &mut Packet) -> Packet {
    let old = std::mem::take(&mut packet.segment);
    packet.segment = Segment {
        seq: old.seq,
        ack: old.ack,
        rst: true,
        ..Segment::default()
    };
    Packet {
        from: packet.to,
        to: packet.from,
        reply: None,
        dest: packet.reply.map_or(packet.dest, Dest::Sock),
        ports: (packet.ports.1, packet.ports.0),
        segment: Segment {
            seq: old.ack.unwrap_or(0),
            ack: Some(old.end()),
            rst: true,
            ..Segment::default()
        },
        ..packet.clone()
    }
}

impl State {
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
                Job::Unreachable(id) => self.unreachable(now, id),
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
    fn unreachable(&mut self, now: Nanos, id: SockId) {
        let ends = self.sock(id).map(|sock| (sock.node, sock.peer_node));
        if ends.is_none_or(|(from, to)| self.answers(now, from, to)) {
            return;
        }
        self.with_sock(id, |tcb, _| {
            if tcb.phase == Phase::SynSent {
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
        counters.frames_in += u64::from(packet.packets());
        counters.bytes_in += packet.wire_bytes();
        if !self.answers(now, from, to) && self.waits(now, &packet) {
            return self.lose(from, to);
        }
        // Into the void, or onto a link that may let this way through.
        if !self.places[to].lit {
            return self.lose(from, to);
        }
        let Some(link) = self.links.get_mut(&(from, to)) else {
            return self.deliver(now, packet);
        };
        let at = if packet.left == 0 { now } else { packet.left };
        let decision = decide(link, at, &packet);
        self.carry(now, decision, packet);
    }

    /// A packet and its copies cross their link as was decided.
    fn carry(&mut self, now: Nanos, decision: Decision, mut packet: Packet) {
        let (from, to) = (packet.from, packet.to);
        packet.damaged |= decision.flip.is_some();
        if decision.reset {
            let back = reset(&mut packet);
            self.deliver(now, back);
        }
        for _ in 0..=decision.copies {
            match decision.verdict {
                Verdict::Drop => self.lose(from, to),
                Verdict::Now => self.deliver(now, packet.clone()),
                Verdict::At(due) => {
                    if let Some(link) = self.links.get_mut(&(from, to)) {
                        link.held_frames += 1;
                    }
                    self.agenda.push(due, Job::Arrive(packet.clone()));
                }
            }
        }
    }

    /// Whether a neighbour request from one node would be answered by another:
    /// both ports are lit, and neither way is cut.
    fn answers(&self, now: Nanos, from: usize, to: usize) -> bool {
        let cut = |a, b| self.links.get(&(a, b)).is_some_and(|l| l.is_cut(now));
        self.places[to].lit && (self.links.is_empty() || !(cut(from, to) || cut(to, from)))
    }

    fn lose(&mut self, from: usize, to: usize) {
        self.places[from].counters.dropped += 1;
        self.places[to].counters.dropped += 1;
    }

    /// Whether the sender's kernel keeps a packet because nobody answers at the
    /// address; as long as it believes what it knew, it sends.
    fn waits(&mut self, now: Nanos, packet: &Packet) -> bool {
        let times = self.places[packet.from].times;
        let entry = self.neighbours.entry((packet.from, packet.to)).or_default();
        let Fate::Waits(until) = entry.silent(now, &times) else {
            return false;
        };
        if let Some(id) = packet.reply {
            self.agenda.push(until, Job::Unreachable(id));
        }
        true
    }

    /// A packet that was held back reaches the end of its link.
    fn arrive(&mut self, now: Nanos, due: Nanos, mut packet: Packet) {
        let (from, to) = (packet.from, packet.to);
        let link = self.links.get_mut(&(from, to));
        let cut = link.is_some_and(|link| {
            link.held_frames = link.held_frames.saturating_sub(1);
            link.is_cut(due)
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
        place.counters.frames_out += u64::from(packet.packets());
        place.counters.bytes_out += packet.wire_bytes();
        if packet.damaged {
            place.bad_checksums += 1;
            return;
        }
        let heard = self.neighbours.entry((packet.to, packet.from)).or_default();
        heard.confirm(now);
        match packet.dest {
            Dest::Probe(leg) => self.probe_arrived(packet, leg),
            Dest::Port(port) => self.on_syn(now, port, packet),
            Dest::Sock(id) => self.on_packet(now, id, packet),
            Dest::Datagram(ends) => self.on_datagram(ends, packet),
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
        if sock.tcb.phase != Phase::Open {
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
            ports: (packet.ports.1, packet.ports.0),
            segment,
            damaged: false,
            left: 0,
        });
    }
}
