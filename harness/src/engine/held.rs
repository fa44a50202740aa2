//! The times of a playbook on the run's clock, which people may make stand still.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::units::Span;

/// A clock of playbook time: it begins with the first phase, and stands while
/// anything holds it. Run time, plant and load go on meanwhile. Cheap to clone.
#[derive(Clone)]
pub(crate) struct HeldClock {
    clock: Clock,
    origin_us: Micros,
    state: Arc<watch::Sender<Held>>,
}

#[derive(Clone, Copy, Default)]
struct Held {
    /// How long it stood before, in all.
    stood_us: Micros,
    /// Who holds it.
    holds: usize,
    /// Since when.
    since_us: Micros,
}

/// It stands while this is there.
pub(crate) struct Standing {
    times: HeldClock,
    over: bool,
}

impl HeldClock {
    pub(crate) fn new(clock: Clock, origin_us: Micros) -> Self {
        Self {
            clock,
            origin_us,
            state: Arc::new(watch::Sender::new(Held::default())),
        }
    }

    /// Waits until `early` before a moment of the playbook; returns that moment in
    /// run time. Nothing where the run was stopped first.
    pub(crate) async fn reach(
        &self,
        at: Span,
        early: Duration,
        stop: &CancellationToken,
    ) -> Option<Micros> {
        let early_us = u64::try_from(early.as_micros()).unwrap_or(Micros::MAX);
        let mut changes = self.state.subscribe();
        loop {
            let held = *changes.borrow_and_update();
            let due_us = self.origin_us + at.micros() + held.stood_us;
            let instant = self.clock.instant(due_us.saturating_sub(early_us));
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                changed = changes.changed() => {
                    // The sender is ours: it cannot be gone.
                    let _ = changed;
                }
                () = tokio::time::sleep_until(instant), if held.holds == 0 => return Some(due_us),
            }
        }
    }

    /// Makes it stand from now on.
    pub(crate) fn hold(&self) -> Standing {
        let now_us = self.clock.now_us();
        self.state.send_modify(|held| {
            if held.holds == 0 {
                held.since_us = now_us;
            }
            held.holds += 1;
        });
        Standing {
            times: self.clone(),
            over: false,
        }
    }

    fn let_go(&self) -> Option<Micros> {
        let now_us = self.clock.now_us();
        let mut stood = None;
        self.state.send_modify(|held| {
            held.holds = held.holds.saturating_sub(1);
            if held.holds == 0 {
                let held_us = now_us.saturating_sub(held.since_us);
                held.stood_us += held_us;
                stood = Some(held_us);
            }
        });
        stood
    }
}

impl Standing {
    /// Lets it go; how long it stood, where nothing else holds it.
    pub(crate) fn go_on(mut self) -> Option<Micros> {
        self.over = true;
        self.times.let_go()
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        if !self.over {
            self.times.let_go();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    fn seconds(n: u64) -> Span {
        Span::from_secs(n)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_while_it_stands_comes_later_by_as_much() {
        let clock = Clock::start();
        let times = HeldClock::new(clock, 1_000_000);
        let stop = CancellationToken::new();
        let later = times.clone();
        let waiting = tokio::spawn(async move {
            let stop = CancellationToken::new();
            let early = later
                .reach(seconds(10), Duration::from_secs(3), &stop)
                .await;
            (early, clock.now_us())
        });
        sleep(Duration::from_secs(5)).await;
        let (first, second) = (times.hold(), times.hold());
        sleep(Duration::from_secs(7)).await;
        assert_eq!(first.go_on(), None, "another still holds it");
        sleep(Duration::from_secs(3)).await;
        assert_eq!(second.go_on(), Some(10_000_000));
        // 1 s of origin, 10 s of the playbook, 10 s of standing.
        assert_eq!(waiting.await.unwrap(), (Some(21_000_000), 18_000_000));
        let due = times.reach(seconds(12), Duration::ZERO, &stop).await;
        assert_eq!(due, Some(23_000_000));
        stop.cancel();
        assert_eq!(times.reach(seconds(60), Duration::ZERO, &stop).await, None);
    }
}
