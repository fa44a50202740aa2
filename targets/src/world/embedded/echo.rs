//! Probe packets: UDP echoes between the inits of nodes.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use nix::time::{ClockId, clock_gettime};

use crate::world::{PROBE_PAYLOAD_MIN, PROBE_PORT};

use super::message::{Answer, Seen};

mod packet;

use packet::Packet;

/// How many marks are counted; the oldest is forgotten first.
const MARKS_MAX: usize = 64;

/// How many arrivals of one mark are kept; later ones are not.
pub(super) const ARRIVALS_MAX: usize = 4_000;

/// How many packets are read in one go.
const READS_MAX: usize = 256;

/// This process's monotonic clock, in microseconds.
pub(super) fn monotonic_us() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |now| {
        now.tv_sec() as u64 * 1_000_000 + now.tv_nsec() as u64 / 1000
    })
}

/// A train of probe packets to send.
pub(super) struct ProbeOrder {
    /// Whom to answer.
    pub(super) id: u64,
    /// Marks the packets; rises from probe to probe.
    pub(super) token: u64,
    /// To whom.
    pub(super) to: Ipv4Addr,
    /// How many.
    pub(super) count: u32,
    /// Time between them.
    pub(super) interval_us: u64,
    /// Time after the last.
    pub(super) wait_us: u64,
    /// Bytes of payload.
    pub(super) payload: u32,
    /// From which port; from that of the echo where none is named.
    pub(super) port: Option<u16>,
}

struct Probe {
    order: ProbeOrder,
    /// Its own socket, where it has a port of its own.
    socket: Option<UdpSocket>,
    begun_us: u64,
    sent_us: Vec<u64>,
    rtt_us: BTreeMap<u32, u64>,
    back: Vec<Seen>,
}

impl Probe {
    fn due_us(&self) -> u64 {
        let sent = self.sent_us.len() as u64;
        if sent < u64::from(self.order.count) {
            self.begun_us + sent * self.order.interval_us
        } else {
            self.sent_us.last().copied().unwrap_or(self.begun_us) + self.order.wait_us
        }
    }

    fn done(&self, now_us: u64) -> bool {
        self.sent_us.len() as u64 == u64::from(self.order.count)
            && (self.rtt_us.len() == self.sent_us.len() || now_us >= self.due_us())
    }
}

/// The echo responder and the probes under way.
pub(super) struct Echo {
    socket: UdpSocket,
    /// What this node's clock shows above the host's, in microseconds.
    ahead_us: i64,
    arrived: BTreeMap<u64, Vec<Seen>>,
    probes: Vec<Probe>,
}

impl Echo {
    /// Listens on [`PROBE_PORT`]. `ahead_us` is what this node's clock shows
    /// above the host's.
    pub(super) fn open(ahead_us: i64) -> io::Result<Self> {
        Ok(Self {
            socket: bind(PROBE_PORT)?,
            ahead_us,
            arrived: BTreeMap::new(),
            probes: Vec::new(),
        })
    }

    /// To be polled for reading.
    pub(super) fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let own = self.probes.iter().filter_map(|p| p.socket.as_ref());
        std::iter::once(&self.socket).chain(own).map(AsFd::as_fd)
    }

    /// Begins a probe; [`Echo::step`] does the rest.
    pub(super) fn start(&mut self, order: ProbeOrder) -> Result<(), String> {
        let socket = match order.port.filter(|port| *port != PROBE_PORT) {
            Some(port) => {
                let socket = bind(port).map_err(|e| format!("UDP port {port} is not free: {e}"))?;
                Some(socket)
            }
            None => None,
        };
        self.probes.push(Probe {
            order,
            socket,
            begun_us: monotonic_us(),
            sent_us: Vec::new(),
            rtt_us: BTreeMap::new(),
            back: Vec::new(),
        });
        Ok(())
    }

    /// The packets with this mark that were echoed; it is forgotten.
    pub(super) fn take_arrived(&mut self, token: u64) -> Vec<Seen> {
        self.arrived.remove(&token).unwrap_or_default()
    }

    /// When there is something to do without a packet coming in.
    pub(super) fn due_us(&self) -> Option<u64> {
        self.probes.iter().map(Probe::due_us).min()
    }

    /// The host's clock now.
    fn host_us(&self) -> u64 {
        monotonic_us().saturating_add_signed(-self.ahead_us)
    }

    /// Reads, answers, sends what is due; returns the probes that are done.
    pub(super) fn step(&mut self, now_us: u64) -> Vec<(u64, Answer)> {
        self.read();
        let ahead_us = self.ahead_us;
        for probe in &mut self.probes {
            while (probe.sent_us.len() as u64) < u64::from(probe.order.count)
                && probe.due_us() <= now_us
            {
                let sent_us = monotonic_us();
                let packet = Packet {
                    token: probe.order.token,
                    seq: probe.sent_us.len() as u32,
                    answers: None,
                    begun_us: probe.begun_us.saturating_add_signed(-ahead_us),
                    sent_us: sent_us.saturating_sub(probe.begun_us) as u32,
                };
                probe.sent_us.push(sent_us);
                let socket = probe.socket.as_ref().unwrap_or(&self.socket);
                let bytes = packet.bytes(probe.order.payload.max(PROBE_PAYLOAD_MIN));
                // A packet that cannot leave is a packet that is lost.
                let _ = socket.send_to(&bytes, (probe.order.to, PROBE_PORT));
            }
        }
        let (done, probes): (Vec<_>, Vec<_>) = std::mem::take(&mut self.probes)
            .into_iter()
            .partition(|probe| probe.done(now_us));
        self.probes = probes;
        done.into_iter()
            .map(|probe| {
                let late = |(seq, at): (u64, &u64)| {
                    let due = probe.begun_us + seq * probe.order.interval_us;
                    at.saturating_sub(due) as u32
                };
                let answer = Answer::Probed {
                    late_us: (0..).zip(&probe.sent_us).map(late).collect(),
                    rtt_us: probe.rtt_us.into_values().collect(),
                    back: probe.back,
                };
                (probe.order.id, answer)
            })
            .collect()
    }

    fn read(&mut self) {
        let mut buffer = [0; 2048];
        for at in 0..=self.probes.len() {
            for _ in 0..READS_MAX {
                let own = at.checked_sub(1).and_then(|at| self.probes.get(at));
                let socket = match own {
                    Some(probe) => match &probe.socket {
                        Some(socket) => socket,
                        None => break,
                    },
                    None => &self.socket,
                };
                match socket.recv_from(&mut buffer) {
                    Ok((count, from)) => self.packet(&buffer[..count], from),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // An ICMP error of an earlier packet; the queue goes on.
                    Err(_) => {}
                }
            }
        }
    }

    fn packet(&mut self, bytes: &[u8], from: SocketAddr) {
        let Some(packet) = Packet::parse(bytes) else {
            return;
        };
        let seen = packet.seen(self.host_us());
        if packet.answers.is_some() {
            self.answered(&packet, seen);
            return;
        }
        let known = self.arrived.entry(packet.token).or_default();
        let nth = known.len() as u32;
        if known.len() < ARRIVALS_MAX {
            known.push(seen);
        }
        if self.arrived.len() > MARKS_MAX {
            self.arrived.pop_first();
        }
        let now_us = self.host_us();
        let answer = Packet {
            answers: Some(nth),
            sent_us: now_us.saturating_sub(packet.begun_us) as u32,
            ..packet
        };
        let _ = self.socket.send_to(&answer.bytes(bytes.len() as u32), from);
    }

    fn answered(&mut self, packet: &Packet, seen: Seen) {
        let now_us = monotonic_us();
        let mut probes = self.probes.iter_mut();
        let Some(probe) = probes.find(|p| p.order.token == packet.token) else {
            return;
        };
        if probe.back.len() < ARRIVALS_MAX {
            probe.back.push(seen);
        }
        if let Some(sent) = probe.sent_us.get(packet.seq as usize) {
            let rtt = now_us.saturating_sub(*sent);
            probe.rtt_us.entry(packet.seq).or_insert(rtt);
        }
    }
}

fn bind(port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
