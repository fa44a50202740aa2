//! A histogram with fixed bounds, as Prometheus counts.

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

    /// Each bound with how many are not above it; the last one has no bound.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (String, u64)> {
        let mut sum = 0;
        let bounded = BOUNDS.iter().zip(self.counts).map(move |(bound, count)| {
            sum += count;
            (bound.to_string(), sum)
        });
        bounded.chain([("+Inf".to_string(), self.count)])
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn sum(&self) -> f64 {
        self.sum
    }
}
