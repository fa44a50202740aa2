//! A run whose changes of the host are written down and watched over.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use ridethrough_targets::undo::{Guard, GuardOrder, Journal, left_behind, state_dir};
use ridethrough_targets::units::Span;

use crate::conduct::ConductError;
use crate::engine::longest;
use crate::plan::Plan;

/// A harness that shows no life for so long is ended by its guardian.
const LEASE: Span = Span::from_secs(10);

/// What a run may take beyond all its own bounds before its guardian ends it.
const GRACE: Span = Span::from_secs(60);

/// A run's journal and its guardian.
pub(crate) struct Guarded {
    journal: Arc<Journal>,
    guard: Guard,
}

impl Guarded {
    /// Begins a journal and starts a guardian over it, of a run that people may
    /// hold up for `held`.
    pub(crate) async fn start(run: &str, plan: &Plan, held: Span) -> Result<Self, ConductError> {
        let order = GuardOrder {
            state: state_dir(),
            run: run.to_string(),
            harness: std::process::id(),
            lease: LEASE,
            bound: Span::from_micros(longest(plan).micros() + held.micros() + GRACE.micros()),
        };
        let failed = |what: String| {
            |source: io::Error| ConductError::Guard {
                what,
                source,
                remedy: "set RIDETHROUGH_STATE to a folder that can be written",
            }
        };
        let path = order.journal();
        let journal = Journal::create(&path)
            .map_err(failed(format!("could not begin {}", path.display())))?;
        let exe = std::env::current_exe().map_err(failed("could not find this program".into()))?;
        let started = Guard::start(&exe, &order).await;
        let guard = started.map_err(|source| {
            let _ = journal.close();
            failed("could not start the guardian".into())(source)
        })?;
        Ok(Self {
            journal: Arc::new(journal),
            guard,
        })
    }

    pub(crate) fn journal(&self) -> Arc<Journal> {
        Arc::clone(&self.journal)
    }

    /// Cancelled when the guardian is gone.
    pub(crate) fn lost(&self) -> CancellationToken {
        self.guard.lost.clone()
    }

    /// Takes back what is left of the run, and lets the guardian go.
    pub(crate) async fn over(self) -> Result<(), ConductError> {
        let journal = self.journal;
        let closed = tokio::task::spawn_blocking(move || {
            let closed = journal.close();
            // And with it its lock, which the guardian may now need.
            drop(journal);
            closed
        });
        let closed = closed
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        if closed.is_ok() {
            self.guard.over().await;
        }
        // Dropped without a word, the guardian tries by itself.
        closed.map_err(|source| ConductError::Guard {
            what: "could not put this host back".into(),
            source,
            remedy: "run `ridethrough heal`",
        })
    }
}

/// A line about earlier runs that have left something on this host.
pub(crate) fn leftovers(state: &Path) -> Option<String> {
    let left = left_behind(state).ok()?;
    let dead: Vec<String> = left
        .into_iter()
        .filter(|left| !left.alive)
        .map(|left| left.run)
        .collect();
    (!dead.is_empty()).then(|| {
        let runs = dead.join(", ");
        format!("earlier runs were not undone ({runs}); `ridethrough heal` does it")
    })
}
