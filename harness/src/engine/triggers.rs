//! Occasions that faults wait for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::oneshot;

use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::service::{Milestone, ToService};
use ridethrough_targets::supervisor::SupervisorState;
use ridethrough_targets::world::World;

use super::power::PowerGrid;
use crate::plan::Occasion;
use crate::playbook::Condition;

/// How often a battery is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Hears what happens, and tells who waits for it.
pub(crate) struct Triggers {
    clock: Clock,
    /// Not kept: it is over when nobody else keeps it, and so are its events.
    world: Weak<dyn World>,
    next: AtomicU64,
    inner: Mutex<Inner>,
}

/// A milestone that a fault waits for.
struct Awaited {
    milestone: Milestone,
    /// Who can tell, by node and service.
    tellers: Vec<(String, String)>,
    tell: oneshot::Sender<Micros>,
}

#[derive(Default)]
struct Inner {
    /// Milestones by ticket.
    milestones: IndexMap<u64, Awaited>,
    /// States of the supervisor, by name.
    states: Vec<(String, oneshot::Sender<Micros>)>,
    /// The supervisor's state now.
    state: Option<String>,
}

impl Triggers {
    pub(crate) fn new(world: &Arc<dyn World>) -> Self {
        Self {
            clock: world.clock(),
            world: Arc::downgrade(world),
            next: AtomicU64::new(1),
            inner: Mutex::default(),
        }
    }

    /// Waits until a condition is met; returns when it was. Never returns where
    /// nobody is left who could tell.
    pub(crate) async fn met(&self, occasion: &Occasion, grid: &PowerGrid) -> Micros {
        let told = match &occasion.when {
            Condition::BatteryBelow(it) => {
                while grid
                    .charge(&it.ups)
                    .is_none_or(|left| left >= it.charge.get())
                {
                    tokio::time::sleep(LOOK).await;
                }
                return self.clock.now_us();
            }
            Condition::Supervisor(state) => match self.state(*state) {
                Ok(told) => told,
                Err(now) => return now,
            },
            Condition::Token(count) => {
                let count = *count;
                self.milestone(Milestone::Token { count }, &occasion.tellers)
            }
            Condition::Prefill(it) => {
                let at_least = it.at_least;
                self.milestone(Milestone::Prefill { at_least }, &occasion.tellers)
            }
        };
        match told.await {
            Ok(t_us) => t_us,
            Err(_) => std::future::pending().await,
        }
    }

    /// The moment of a state, where it is not the state now.
    fn state(&self, wanted: SupervisorState) -> Result<oneshot::Receiver<Micros>, Micros> {
        let wanted = wanted.to_string();
        let mut inner = self.lock();
        if inner.state.as_ref() == Some(&wanted) {
            return Err(self.clock.now_us());
        }
        let (tell, told) = oneshot::channel();
        inner.states.push((wanted, tell));
        Ok(told)
    }

    fn milestone(
        &self,
        milestone: Milestone,
        tellers: &[(String, String)],
    ) -> oneshot::Receiver<Micros> {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = oneshot::channel();
        let awaited = Awaited {
            milestone,
            tellers: tellers.to_vec(),
            tell,
        };
        self.lock().milestones.insert(ticket, awaited);
        if let Some(world) = self.world.upgrade() {
            for (node, service) in tellers {
                let word = ToService::Await { ticket, milestone };
                world.say(node, service, word);
            }
        }
        told
    }

    /// A service has reached a milestone. The first one counts.
    pub(crate) fn reached(&self, ticket: u64, t_us: Micros) {
        if let Some(awaited) = self.lock().milestones.shift_remove(&ticket) {
            let _ = awaited.tell.send(t_us);
        }
    }

    /// A service is there, perhaps again: it knows nothing of what was asked
    /// before.
    pub(crate) fn greet(&self, node: &str, service: &str) {
        let Some(world) = self.world.upgrade() else {
            return;
        };
        for (ticket, awaited) in &self.lock().milestones {
            if awaited
                .tellers
                .iter()
                .any(|(n, s)| n == node && s == service)
            {
                let word = ToService::Await {
                    ticket: *ticket,
                    milestone: awaited.milestone,
                };
                world.say(node, service, word);
            }
        }
    }

    /// A state machine has moved.
    pub(crate) fn moved(&self, of: &str, to: &str, t_us: Micros) {
        if of != "supervisor" {
            return;
        }
        let met = {
            let mut inner = self.lock();
            inner.state = Some(to.to_string());
            let states = std::mem::take(&mut inner.states);
            let (met, rest): (Vec<_>, Vec<_>) = states.into_iter().partition(|(s, _)| s == to);
            inner.states = rest;
            met
        };
        for (_, tell) in met {
            let _ = tell.send(t_us);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
