//! When each component wants to be looked at again.

use std::collections::BTreeSet;

use crate::clock::Micros;

/// One wake-up time per component, ordered by time and then by component, so
/// that a tie always falls the same way.
#[derive(Clone, Debug)]
pub(super) struct Timers {
    due: Vec<Option<Micros>>,
    queue: BTreeSet<(Micros, usize)>,
}

impl Timers {
    /// For so many components.
    pub(super) fn new(components: usize) -> Self {
        Self {
            due: vec![None; components],
            queue: BTreeSet::new(),
        }
    }

    /// Sets or clears a component's wake-up.
    pub(super) fn set(&mut self, component: usize, at: Option<Micros>) {
        let slot = &mut self.due[component];
        if *slot == at {
            return;
        }
        if let Some(old) = *slot {
            self.queue.remove(&(old, component));
        }
        if let Some(new) = at {
            self.queue.insert((new, component));
        }
        *slot = at;
    }

    /// The next wake-up.
    pub(super) fn next(&self) -> Option<Micros> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes a component that is due at or before `t_us`.
    pub(super) fn take(&mut self, t_us: Micros) -> Option<usize> {
        let (at, component) = *self.queue.first()?;
        if at > t_us {
            return None;
        }
        self.queue.pop_first();
        self.due[component] = None;
        Some(component)
    }
}

/// The earlier of two wake-ups.
pub(super) fn earlier(a: Option<Micros>, b: Option<Micros>) -> Option<Micros> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Whole microseconds, rounded up, in which `amount` is used up at `per_us`;
/// at least 1, and nothing when that would be never.
pub(super) fn microseconds_for(amount: f64, per_us: f64) -> Option<Micros> {
    let dt = (amount / per_us).ceil();
    // Beyond 10,000 years there is no event worth waiting for.
    (dt.is_finite() && dt < 3.2e17).then_some((dt as Micros).max(1))
}
