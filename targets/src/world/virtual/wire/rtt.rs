//! Round-trip estimation and the retransmission timeout (RFC 6298).

use super::segment::Nanos;

const MS: u64 = 1_000_000;
/// Before the first measurement (RFC 6298, 2.1).
const INITIAL: Nanos = 1_000 * MS;
/// Linux's `TCP_RTO_MIN`.
const MIN: Nanos = 200 * MS;
/// Linux's `TCP_RTO_MAX`.
const MAX: Nanos = 120_000 * MS;

/// What a sender knows of the round trip.
#[derive(Debug, Default)]
pub(super) struct Rtt {
    /// Smoothed round trip and its variation, once measured.
    smooth: Option<(Nanos, Nanos)>,
    /// The segment being timed: the number after its end, and when it left.
    timed: Option<(u64, Nanos)>,
}

impl Rtt {
    /// A segment leaves for the first time.
    pub(super) fn sent(&mut self, end: u64, now: Nanos) {
        self.timed.get_or_insert((end, now));
    }

    /// Something was sent again: what is being timed says nothing (Karn).
    pub(super) fn spoiled(&mut self) {
        self.timed = None;
    }

    /// Everything before `ack` has arrived.
    pub(super) fn acked(&mut self, ack: u64, now: Nanos) {
        let Some((_, left)) = self.timed.filter(|(end, _)| ack >= *end) else {
            return;
        };
        self.timed = None;
        let took = now.saturating_sub(left);
        self.smooth = Some(match self.smooth {
            None => (took, took / 2),
            Some((smooth, var)) => (
                (7 * smooth + took) / 8,
                (3 * var + smooth.abs_diff(took)) / 4,
            ),
        });
    }

    /// The timeout after `retries` unanswered retransmissions.
    pub(super) fn timeout(&self, retries: u32) -> Nanos {
        let base = match self.smooth {
            None => INITIAL,
            Some((smooth, var)) => (smooth + 4 * var).max(MIN),
        };
        base.saturating_mul(1 << retries.min(16)).min(MAX)
    }
}
