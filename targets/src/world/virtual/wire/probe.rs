//! Probe packets, echoed by kernels.

use super::segment::{Nanos, Segment};
use super::state::{Dest, Packet, State};

/// One run of probe packets.
#[derive(Debug, Default)]
pub(super) struct Probe {
    /// When each was sent.
    sent: Vec<Nanos>,
    /// How many reached the echoing node.
    arrived: u32,
    /// Round trips by packet, where they came back.
    trips: Vec<Option<Nanos>>,
}

impl Probe {
    /// Packets sent, packets that arrived, and the round trips in microseconds.
    pub(super) fn report(&self) -> (u32, u32, Vec<u64>) {
        let trips = self.trips.iter().flatten().map(|ns| ns / 1_000);
        (self.sent.len() as u32, self.arrived, trips.collect())
    }
}

impl State {
    /// Sends the next packet of a run.
    pub(super) fn send_probe(&mut self, now: Nanos, token: u64, from: usize, to: usize) {
        let probe = self.probes.entry(token).or_default();
        let index = probe.sent.len() as u32;
        probe.sent.push(now);
        probe.trips.push(None);
        self.leaving.push_back(Packet {
            from,
            to,
            boot: self.places[from].boot,
            reply: None,
            dest: Dest::Probe {
                token,
                index,
                back: false,
            },
            segment: Segment::default(),
            left: now,
        });
    }

    /// One has arrived, or its echo has come back.
    pub(super) fn probe_arrived(&mut self, packet: &Packet, token: u64, index: u32, back: bool) {
        let Some(probe) = self.probes.get_mut(&token) else {
            return;
        };
        if back {
            let at = index as usize;
            if let (Some(sent), Some(trip)) = (probe.sent.get(at), probe.trips.get_mut(at)) {
                *trip = Some(packet.left.saturating_sub(*sent));
            }
            return;
        }
        probe.arrived += 1;
        self.leaving.push_back(Packet {
            from: packet.to,
            to: packet.from,
            boot: self.places[packet.to].boot,
            reply: None,
            dest: Dest::Probe {
                token,
                index,
                back: true,
            },
            segment: Segment::default(),
            left: packet.left,
        });
    }
}
