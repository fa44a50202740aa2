//! Who runs when: a run on virtual time takes a whole core, and a run in real
//! time beside it would lag behind its schedule.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

static REAL_TIME: Mutex<usize> = Mutex::new(0);
static QUIET: Condvar = Condvar::new();

/// A run in real time, while it lives.
pub(crate) struct InRealTime(());

fn running() -> MutexGuard<'static, usize> {
    REAL_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins a run in real time; others may go on beside it.
pub(crate) fn real_time() -> InRealTime {
    *running() += 1;
    InRealTime(())
}

impl Drop for InRealTime {
    fn drop(&mut self) {
        *running() -= 1;
        QUIET.notify_all();
    }
}

/// Waits until nothing runs in real time.
pub(crate) fn quiet() {
    let mut running = running();
    while *running > 0 {
        running = QUIET.wait(running).unwrap_or_else(PoisonError::into_inner);
    }
}
