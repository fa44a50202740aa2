//! Probe packets: UDP echoes between the inits of nodes.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use nix::time::{ClockId, clock_gettime};

use super::message::Answer;

/// Where every node's init answers.
pub(super) const PORT: u16 = 7777;

/// How many marks are counted; the oldest is forgotten first.
const MARKS_MAX: usize = 1024;

/// How many packets are read in one go.
const READS_MAX: usize = 256;

const MAGIC: [u8; 8] = *b"rtprobe1";
const SIZE: usize = 24;

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
}

struct Probe {
    order: ProbeOrder,
    begun_us: u64,
    sent_us: Vec<u64>,
    rtt_us: BTreeMap<u32, u64>,
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
    arrived: BTreeMap<u64, u32>,
    probes: Vec<Probe>,
}

impl Echo {
    /// Listens on [`PORT`].
    pub(super) fn open() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT))?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            arrived: BTreeMap::new(),
            probes: Vec::new(),
        })
    }

    /// To be polled for reading.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Begins a probe; [`Echo::step`] does the rest.
    pub(super) fn start(&mut self, order: ProbeOrder) {
        self.probes.push(Probe {
            order,
            begun_us: monotonic_us(),
            sent_us: Vec::new(),
            rtt_us: BTreeMap::new(),
        });
    }

    /// How many packets with this mark were echoed.
    pub(super) fn arrived(&self, token: u64) -> u32 {
        self.arrived.get(&token).copied().unwrap_or(0)
    }

    /// When there is something to do without a packet coming in.
    pub(super) fn due_us(&self) -> Option<u64> {
        self.probes.iter().map(Probe::due_us).min()
    }

    /// Reads, answers, sends what is due; returns the probes that are done.
    pub(super) fn step(&mut self, now_us: u64) -> Vec<(u64, Answer)> {
        self.read(now_us);
        for probe in &mut self.probes {
            while (probe.sent_us.len() as u64) < u64::from(probe.order.count)
                && probe.due_us() <= now_us
            {
                let seq = probe.sent_us.len() as u32;
                let bytes = packet(0, probe.order.token, seq);
                probe.sent_us.push(monotonic_us());
                // A packet that cannot leave is a packet that is lost.
                let _ = self.socket.send_to(&bytes, (probe.order.to, PORT));
            }
        }
        let (done, probes): (Vec<_>, Vec<_>) = std::mem::take(&mut self.probes)
            .into_iter()
            .partition(|probe| probe.done(now_us));
        self.probes = probes;
        done.into_iter()
            .map(|probe| {
                let answer = Answer::Probed {
                    sent: probe.sent_us.len() as u32,
                    rtt_us: probe.rtt_us.into_values().collect(),
                };
                (probe.order.id, answer)
            })
            .collect()
    }

    fn read(&mut self, now_us: u64) {
        let mut buffer = [0; 64];
        for _ in 0..READS_MAX {
            match self.socket.recv_from(&mut buffer) {
                Ok((count, from)) => self.packet(&buffer[..count], from, now_us),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An ICMP error of an earlier packet; the queue goes on.
                Err(_) => {}
            }
        }
    }

    fn packet(&mut self, bytes: &[u8], from: SocketAddr, now_us: u64) {
        let Some((answer, token, seq)) = parse(bytes) else {
            return;
        };
        if answer {
            let probe = self.probes.iter_mut().find(|p| p.order.token == token);
            if let Some(probe) = probe
                && let Some(sent) = probe.sent_us.get(seq as usize)
            {
                let rtt = now_us.saturating_sub(*sent);
                probe.rtt_us.entry(seq).or_insert(rtt);
            }
            return;
        }
        *self.arrived.entry(token).or_insert(0) += 1;
        if self.arrived.len() > MARKS_MAX {
            self.arrived.pop_first();
        }
        let _ = self.socket.send_to(&packet(1, token, seq), from);
    }
}

fn packet(kind: u8, token: u64, seq: u32) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..16].copy_from_slice(&token.to_be_bytes());
    bytes[16..20].copy_from_slice(&seq.to_be_bytes());
    bytes[20] = kind;
    bytes
}

fn parse(bytes: &[u8]) -> Option<(bool, u64, u32)> {
    let bytes: &[u8; SIZE] = bytes.try_into().ok()?;
    if bytes[..8] != MAGIC || bytes[20] > 1 {
        return None;
    }
    let token = u64::from_be_bytes(bytes[8..16].try_into().ok()?);
    let seq = u32::from_be_bytes(bytes[16..20].try_into().ok()?);
    Some((bytes[20] == 1, token, seq))
}

#[cfg(test)]
mod tests;
