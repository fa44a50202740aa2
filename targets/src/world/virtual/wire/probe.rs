//! Probe packets, echoed by kernels.

use bytes::Bytes;

use super::segment::{Nanos, Segment};
use super::state::{Dest, Packet, State};
use crate::world::{Arrival, PROBE_PORT, ProbeReport, Train};

/// Where a run of probes goes, and how large its packets are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProbeWay {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The sender's port.
    pub(crate) port: u16,
    /// Bytes of UDP payload.
    pub(crate) payload: u32,
}

/// One way of one probe packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    token: u64,
    /// The number of the packet.
    seq: u32,
    /// On the way back, the number of the arrival that is answered.
    answers: Option<u32>,
}

/// One run of probe packets.
#[derive(Debug, Default)]
pub(super) struct Probe {
    /// When each was sent.
    sent: Vec<Nanos>,
    /// What reached the echoing node: numbers of packets, and when.
    there: Vec<(u32, Nanos)>,
    /// Answers: numbers of arrivals, and when.
    back: Vec<(u32, Nanos)>,
    /// Round trips by packet, where they came back.
    trips: Vec<Option<Nanos>>,
}

impl Probe {
    pub(super) fn report(&self) -> ProbeReport {
        let since = |at: Nanos, from: Nanos| at.saturating_sub(from) / 1_000;
        let begun = self.sent.first().copied().unwrap_or(0);
        let train = |sent: &dyn Fn(u32) -> Option<Nanos>, arrived: &[(u32, Nanos)]| {
            let arrival = |(seq, at): &(u32, Nanos)| {
                let left = sent(*seq)?;
                Some(Arrival {
                    seq: *seq,
                    sent_us: since(left, begun),
                    way_us: since(*at, left),
                })
            };
            arrived.iter().filter_map(arrival).collect()
        };
        let sent = |seq: u32| self.sent.get(seq as usize).copied();
        let echoed = |nth: u32| self.there.get(nth as usize).map(|(_, at)| *at);
        let trips = self.trips.iter().flatten().map(|ns| ns / 1_000);
        let rtt_us: Vec<u64> = trips.collect();
        ProbeReport {
            sent: self.sent.len() as u32,
            arrived: Some(self.there.len() as u32),
            answered: rtt_us.len() as u32,
            rtt_us,
            there: Some(Train {
                sent: self.sent.len() as u32,
                sent_us: self.sent.iter().map(|at| since(*at, begun)).collect(),
                arrivals: train(&sent, &self.there),
            }),
            back: Train {
                sent: self.there.len() as u32,
                sent_us: self.there.iter().map(|(_, at)| since(*at, begun)).collect(),
                arrivals: train(&echoed, &self.back),
            },
            bad_checksums: None,
        }
    }
}

impl State {
    /// Sends the next packet of a run.
    pub(super) fn send_probe(&mut self, now: Nanos, token: u64, way: ProbeWay) {
        let probe = self.probes.entry(token).or_default();
        let seq = probe.sent.len() as u32;
        probe.sent.push(now);
        probe.trips.push(None);
        self.leaving.push_back(Packet {
            from: way.from,
            to: way.to,
            boot: self.places[way.from].boot,
            reply: None,
            dest: Dest::Probe(Leg {
                token,
                seq,
                answers: None,
            }),
            ports: (way.port, PROBE_PORT),
            segment: Segment {
                data: Bytes::from(vec![0; way.payload as usize]),
                ..Segment::default()
            },
            damaged: false,
            left: now,
        });
    }

    /// One has arrived, or its echo has come back.
    pub(super) fn probe_arrived(&mut self, packet: Packet, leg: Leg) {
        let Some(probe) = self.probes.get_mut(&leg.token) else {
            return;
        };
        if let Some(nth) = leg.answers {
            probe.back.push((nth, packet.left));
            let at = leg.seq as usize;
            if let (Some(sent), Some(trip)) = (probe.sent.get(at), probe.trips.get_mut(at)) {
                trip.get_or_insert(packet.left.saturating_sub(*sent));
            }
            return;
        }
        let nth = probe.there.len() as u32;
        probe.there.push((leg.seq, packet.left));
        self.leaving.push_back(Packet {
            from: packet.to,
            to: packet.from,
            boot: self.places[packet.to].boot,
            dest: Dest::Probe(Leg {
                answers: Some(nth),
                ..leg
            }),
            ports: (packet.ports.1, packet.ports.0),
            ..packet
        });
    }
}
