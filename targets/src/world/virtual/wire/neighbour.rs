//! Neighbour entries: when a kernel notices that nobody answers at an address.
//!
//! A host without power does not answer ARP. Its peers do not know that at
//! once: an entry that was confirmed a moment ago is used blindly, then checked
//! with unicast requests, then asked for by broadcast, and only when that fails
//! is the host unreachable (Linux's `Documentation/networking/ip-sysctl`,
//! `neigh/*`).

use super::segment::Nanos;
use crate::units::Span;

/// Requests before an entry fails, unicast and broadcast alike.
const SOLICITS: u64 = 3;

/// The times of a kernel's neighbour table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighbourTimes {
    /// How long an entry is believed without a sign of life.
    pub reachable: Span,
    /// How long an old entry is used before it is checked.
    pub delay: Span,
    /// Time between two requests.
    pub retransmit: Span,
}

/// As in Linux: `base_reachable_time_ms`, `delay_first_probe_time`,
/// `retrans_time_ms`.
impl Default for NeighbourTimes {
    fn default() -> Self {
        Self {
            reachable: Span::from_secs(30),
            delay: Span::from_secs(5),
            retransmit: Span::from_secs(1),
        }
    }
}

/// What a kernel does with a packet for an address that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is sent to where the address was.
    Sent,
    /// It waits for an answer until then, and comes back as unreachable.
    Waits(Nanos),
}

/// One entry of a kernel's table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Neighbour {
    /// The last sign of life.
    confirmed: Option<Nanos>,
    /// Since when the old entry is being checked.
    checking: Option<Nanos>,
    /// Until when the address is being asked for.
    asking: Option<Nanos>,
}

impl Neighbour {
    /// The peer was heard.
    pub(super) fn confirm(&mut self, now: Nanos) {
        self.confirmed = Some(now);
        self.checking = None;
        self.asking = None;
    }

    /// A packet is to be sent at `now`, and nobody answers at the address.
    pub(super) fn silent(&mut self, now: Nanos, times: &NeighbourTimes) -> Fate {
        let ns = |span: Span| span.micros().saturating_mul(1_000);
        let asked_for = SOLICITS * ns(times.retransmit);
        if let Some(at) = self.confirmed {
            let old = at.saturating_add(ns(times.reachable));
            if now < old {
                return Fate::Sent;
            }
            let checking = *self.checking.get_or_insert(now);
            if now < checking + ns(times.delay) + asked_for {
                return Fate::Sent;
            }
            self.confirmed = None;
            self.checking = None;
        }
        match self.asking {
            Some(until) if now < until => Fate::Waits(until),
            _ => {
                let until = now + asked_for;
                self.asking = Some(until);
                Fate::Waits(until)
            }
        }
    }
}
