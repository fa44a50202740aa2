//! What a rule has met: one thread adds, any thread reads.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::world::RuleCounters;

use super::frame::Frame;

/// The counters of one rule, over all its directions.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    matched: AtomicU64,
    acted: AtomicU64,
}

impl Tally {
    /// Counts a frame that passed the filter, unless it is a probe.
    pub(crate) fn note(&self, frame: &Frame, acted: bool) {
        if frame.is_probe() {
            return;
        }
        self.matched.fetch_add(1, Ordering::Relaxed);
        if acted {
            self.acted.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> RuleCounters {
        RuleCounters {
            matched: self.matched.load(Ordering::Relaxed),
            acted: self.acted.load(Ordering::Relaxed),
        }
    }
}
