//! Moments in the life of answers that somebody waits for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::FromService;

/// Numbers of tokens that are waited for, each told once.
pub(super) struct Milestones {
    /// How many are waited for: nobody takes the lock for every token.
    count: AtomicUsize,
    waiting: Mutex<Vec<(u64, u32)>>,
    voice: mpsc::UnboundedSender<FromService>,
}

impl Milestones {
    pub(super) fn new(voice: mpsc::UnboundedSender<FromService>) -> Self {
        Self {
            count: AtomicUsize::new(0),
            waiting: Mutex::default(),
            voice,
        }
    }

    /// Waits for an answer with so many tokens.
    pub(super) fn wait(&self, ticket: u64, tokens: u32) {
        let mut waiting = self.lock();
        waiting.push((ticket, tokens));
        self.count.store(waiting.len(), Ordering::Relaxed);
    }

    /// An answer that had `before` tokens has `now` more of them.
    pub(super) fn tokens(&self, before: u32, more: u32, t_us: Micros) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut waiting = self.lock();
        waiting.retain(|(ticket, tokens)| {
            let reached = before < *tokens && *tokens <= before + more;
            if reached {
                let ticket = *ticket;
                let _ = self.voice.send(FromService::Reached { t_us, ticket });
            }
            !reached
        });
        self.count.store(waiting.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, u32)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_milestone_is_told_once_by_the_answer_that_passes_it() {
        let (voice, mut said) = mpsc::unbounded_channel();
        let milestones = Milestones::new(voice);
        milestones.tokens(0, 60, 1);
        milestones.wait(7, 50);
        milestones.tokens(60, 10, 2);
        milestones.tokens(0, 49, 3);
        assert!(said.try_recv().is_err());
        milestones.tokens(49, 3, 4);
        let reached = FromService::Reached { t_us: 4, ticket: 7 };
        assert_eq!(said.try_recv(), Ok(reached));
        milestones.tokens(49, 1, 5);
        assert!(said.try_recv().is_err());
    }
}
