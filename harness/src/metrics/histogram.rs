//! A histogram with fixed bounds, as Prometheus counts.

use ridethrough_targets::exposition::Buckets;

/// Upper bounds in seconds: from a token's time to a client's patience.
const BOUNDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Counts of values in seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    /// Values up to each bound that are above the one before.
    counts: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Histogram {
    pub(super) fn add(&mut self, seconds: f64) {
        if let Some(place) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            self.counts[place] += 1;
        }
        self.count += 1;
        self.sum += seconds;
    }

    /// As Prometheus counts: each bound with how many are not above it.
    pub(super) fn buckets(&self) -> Buckets {
        let mut below = 0;
        let bounded = BOUNDS.iter().zip(self.counts).map(|(bound, count)| {
            below += count;
            (*bound, below)
        });
        Buckets {
            up_to: bounded.collect(),
            count: self.count,
            sum: self.sum,
        }
    }
}
