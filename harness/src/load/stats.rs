//! Counters of the load, and the numbers of its progress line.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hdrhistogram::Histogram;
use indexmap::IndexMap;

use ridethrough_targets::clock::Micros;

/// Counts of everything the load's requests do.
#[derive(Debug, Default)]
pub(super) struct Stats {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    sent: u64,
    tokens: u64,
    in_flight: u64,
    failed: u64,
    /// Times to the first token of this tick and of the one before: together
    /// the last second.
    ttft: [Option<Histogram<u64>>; 2],
    told: Option<Told>,
}

/// What the last progress line counted from.
#[derive(Clone, Copy, Debug)]
struct Told {
    t_us: Micros,
    sent: u64,
    tokens: u64,
}

impl Stats {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Counters are whole after every statement, so a poisoned lock is good.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sent(&self) {
        let mut inner = self.lock();
        inner.sent += 1;
        inner.in_flight += 1;
    }

    pub(super) fn tokens(&self, count: u32) {
        self.lock().tokens += u64::from(count);
    }

    pub(super) fn first_token(&self, ttft_us: Micros) {
        let mut inner = self.lock();
        inner.ttft[0]
            .get_or_insert_with(histogram)
            .saturating_record(ttft_us);
    }

    pub(super) fn ended(&self, failed: bool) {
        let mut inner = self.lock();
        inner.in_flight = inner.in_flight.saturating_sub(1);
        inner.failed += u64::from(failed);
    }

    /// The numbers since the last call, which was at least a moment ago.
    pub(super) fn progress(&self, now: Micros) -> IndexMap<String, f64> {
        let mut inner = self.lock();
        let told = inner.told.unwrap_or(Told {
            t_us: now.saturating_sub(500_000),
            sent: 0,
            tokens: 0,
        });
        let seconds = (now.saturating_sub(told.t_us).max(1)) as f64 / 1e6;
        let mut numbers = IndexMap::from([
            (
                "requests_per_s".to_owned(),
                (inner.sent - told.sent) as f64 / seconds,
            ),
            (
                "tokens_per_s".to_owned(),
                (inner.tokens - told.tokens) as f64 / seconds,
            ),
            ("in_flight".to_owned(), inner.in_flight as f64),
            ("failed".to_owned(), inner.failed as f64),
        ]);
        if let Some(ttft) = inner.ttft_p50_us() {
            numbers.insert("ttft_ms".to_owned(), ttft as f64 / 1e3);
        }
        inner.told = Some(Told {
            t_us: now,
            sent: inner.sent,
            tokens: inner.tokens,
        });
        inner.ttft[1] = inner.ttft[0].take();
        numbers
    }
}

impl Inner {
    fn ttft_p50_us(&self) -> Option<u64> {
        // A histogram is some hundred kilobytes, and most of a long run is idle.
        if self.ttft.iter().all(Option::is_none) {
            return None;
        }
        let mut last_second = histogram();
        for half in self.ttft.iter().flatten() {
            last_second.add(half).ok()?;
        }
        (!last_second.is_empty()).then(|| last_second.value_at_quantile(0.5))
    }
}

/// Microseconds up to an hour, to three digits.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000, 3)
        .unwrap_or_else(|_| unreachable!("the bounds are constant and good"))
}

#[cfg(test)]
mod tests;
