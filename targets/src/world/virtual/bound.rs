//! The bound on events: a run that would never end is stopped, and it is said
//! who kept it alive.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::service::Census;

/// How much may happen in a virtual run. An event is one turn of one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventBounds {
    /// Events of the whole run.
    pub total: u64,
    /// Events in one instant: with more, time is not getting anywhere.
    pub per_instant: u64,
}

impl Default for EventBounds {
    fn default() -> Self {
        Self {
            total: 2_000_000_000,
            per_instant: 5_000_000,
        }
    }
}

/// How often the clock is looked at, in events.
const LOOK_EVERY: u64 = 1_024;

/// Counts every turn of every task.
#[derive(Debug)]
pub(super) struct Bound {
    bounds: EventBounds,
    counts: Mutex<Counts>,
    verdict: OnceLock<String>,
    over: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    total: u64,
    /// The instant looked at last, and the events in it so far.
    instant: Option<Instant>,
    in_instant: u64,
    /// Who had how many of them, once there are many.
    by_actor: BTreeMap<String, u64>,
}

impl Bound {
    pub(super) fn new(bounds: EventBounds) -> Self {
        Self {
            bounds,
            counts: Mutex::default(),
            verdict: OnceLock::new(),
            over: Notify::new(),
        }
    }

    /// Waits until a bound is passed; says which, and by whom.
    pub(super) async fn passed(&self) -> String {
        loop {
            let over = self.over.notified();
            if let Some(verdict) = self.verdict.get() {
                return verdict.clone();
            }
            over.await;
        }
    }

    fn trip(&self, verdict: String) {
        if self.verdict.set(verdict).is_ok() {
            self.over.notify_waiters();
            self.over.notify_one();
        }
    }
}

impl Census for Bound {
    fn polled(&self, actor: &str, polls: u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total += 1;
        counts.in_instant += 1;
        if counts.in_instant > self.bounds.per_instant / 2 {
            match counts.by_actor.get_mut(actor) {
                Some(count) => *count += 1,
                None => drop(counts.by_actor.insert(actor.to_string(), 1)),
            }
        }
        if !counts.total.is_multiple_of(LOOK_EVERY) && counts.total < self.bounds.total {
            return;
        }
        let now = Instant::now();
        if counts.instant != Some(now) {
            counts.instant = Some(now);
            counts.in_instant = 0;
            counts.by_actor.clear();
        }
        if counts.in_instant > self.bounds.per_instant {
            let busiest = counts.by_actor.iter().max_by_key(|(_, count)| **count);
            let busiest = busiest.map_or(actor, |(actor, _)| actor);
            self.trip(format!(
                "stopped after {} events without time moving on: {busiest} kept it alive",
                counts.in_instant
            ));
        } else if counts.total >= self.bounds.total {
            self.trip(format!(
                "stopped after {} events: {actor} still had work to do, after {polls} turns",
                counts.total
            ));
        }
    }
}
