//! The retry budget: retries may follow requests, not multiply them.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// How far back requests and retries are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// Retries a second that are always allowed, so that few requests can be
/// retried at all.
const FLOOR_PER_S: f64 = 10.0;
/// The window is counted in slots of this length.
const SLOT: Duration = Duration::from_millis(500);

#[derive(Clone, Copy)]
struct Slot {
    start: Instant,
    requests: u64,
    retries: u64,
}

/// Counts requests, and grants retries as a share of them.
pub(super) struct RetryBudget {
    share: f64,
    slots: Mutex<VecDeque<Slot>>,
}

impl RetryBudget {
    pub(super) fn new(share: f64) -> Self {
        Self {
            share,
            slots: Mutex::new(VecDeque::new()),
        }
    }

    /// A request came in.
    pub(super) fn request(&self, now: Instant) {
        self.with(now, |slots| {
            if let Some(slot) = slots.back_mut() {
                slot.requests += 1;
            }
        });
    }

    /// Takes one retry, if there is one.
    pub(super) fn take(&self, now: Instant) -> bool {
        self.with(now, |slots| {
            let (requests, retries) = slots
                .iter()
                .fold((0, 0), |(a, b), slot| (a + slot.requests, b + slot.retries));
            let allowed = self.share * requests as f64 + FLOOR_PER_S * WINDOW.as_secs_f64();
            let granted = (retries as f64) + 1.0 <= allowed;
            if granted && let Some(slot) = slots.back_mut() {
                slot.retries += 1;
            }
            granted
        })
    }

    fn with<T>(&self, now: Instant, act: impl FnOnce(&mut VecDeque<Slot>) -> T) -> T {
        let mut slots = self
            .slots
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        while slots
            .front()
            .is_some_and(|slot| now.saturating_duration_since(slot.start) >= WINDOW)
        {
            slots.pop_front();
        }
        if slots
            .back()
            .is_none_or(|slot| now.saturating_duration_since(slot.start) >= SLOT)
        {
            slots.push_back(Slot {
                start: now,
                requests: 0,
                retries: 0,
            });
        }
        act(&mut slots)
    }
}

#[cfg(test)]
mod tests;
