//! Recent gaps between tokens, for a bound on silence that knows the pace.

use std::sync::Mutex;
use std::time::Duration;

const KEPT: usize = 512;
/// The quantile is worked out again after this many gaps.
const EVERY: usize = 64;
/// Silence is this many times the recent p99.
const FACTOR: u32 = 20;

#[derive(Default)]
struct Ring {
    gaps_us: Vec<u32>,
    at: usize,
    since: usize,
    p99_us: u32,
}

/// The last gaps of all streams.
#[derive(Default)]
pub(super) struct Gaps(Mutex<Ring>);

impl Gaps {
    pub(super) fn observe(&self, gap: Duration) {
        let gap = u32::try_from(gap.as_micros()).unwrap_or(u32::MAX);
        let mut ring = self.0.lock().unwrap_or_else(|poison| poison.into_inner());
        if ring.gaps_us.len() < KEPT {
            ring.gaps_us.push(gap);
        } else {
            let at = ring.at;
            ring.gaps_us[at] = gap;
            ring.at = (at + 1) % KEPT;
        }
        ring.since += 1;
        if ring.since >= EVERY {
            ring.since = 0;
            let mut sorted = ring.gaps_us.clone();
            let rank = (sorted.len() * 99) / 100;
            let rank = rank.min(sorted.len() - 1);
            ring.p99_us = *sorted.select_nth_unstable(rank).1;
        }
    }

    /// How long a stream may be silent.
    pub(super) fn idle_bound(&self, least: Duration) -> Duration {
        let ring = self.0.lock().unwrap_or_else(|poison| poison.into_inner());
        least.max(Duration::from_micros(ring.p99_us.into()) * FACTOR)
    }
}

#[cfg(test)]
mod tests;
