//! Who runs when: a run on virtual time takes a whole core, and a run in real
//! time beside it would lag behind its schedule.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Runs in real time that a machine of two cores bears beside each other.
const SIDE_BY_SIDE: usize = 6;

/// As how many of them a run in containers counts: to start a dozen of them keeps
/// both cores busy for seconds.
const CONTAINERS: usize = 3;

static RUNS: Mutex<Runs> = Mutex::new(Runs {
    real: 0,
    waiting: 0,
    on_virtual_time: 0,
});
static CHANGED: Condvar = Condvar::new();

/// What runs, or waits to run.
struct Runs {
    real: usize,
    /// Runs in real time that wait for others to end.
    waiting: usize,
    on_virtual_time: usize,
}

/// A run, while it lives.
pub(crate) enum Pace {
    /// As so many runs.
    RealTime(usize),
    VirtualTime,
}

fn runs() -> MutexGuard<'static, Runs> {
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait_while(
    runs: MutexGuard<'static, Runs>,
    busy: impl Fn(&mut Runs) -> bool,
) -> MutexGuard<'static, Runs> {
    let waited = CHANGED.wait_while(runs, busy);
    waited.unwrap_or_else(PoisonError::into_inner)
}

/// Begins a run in real time, once nothing runs on virtual time; a few others in
/// real time may go on beside it.
pub(crate) fn real_time() -> Pace {
    begin(1)
}

/// The same for a run in containers.
pub(crate) fn containers() -> Pace {
    begin(CONTAINERS)
}

/// Begins a run in real time once nothing else runs.
pub(crate) fn alone() -> Pace {
    begin(SIDE_BY_SIDE)
}

fn begin(count: usize) -> Pace {
    let mut runs = runs();
    runs.waiting += 1;
    let full = |runs: &mut Runs| runs.on_virtual_time > 0 || runs.real + count > SIDE_BY_SIDE;
    let mut runs = wait_while(runs, full);
    runs.waiting -= 1;
    runs.real += count;
    Pace::RealTime(count)
}

/// Begins a run on virtual time, once nothing runs in real time.
pub(crate) fn virtual_time() -> Pace {
    let mut runs = wait_while(runs(), |runs| runs.real + runs.waiting > 0);
    runs.on_virtual_time += 1;
    Pace::VirtualTime
}

impl Drop for Pace {
    fn drop(&mut self) {
        let mut runs = runs();
        match self {
            Self::RealTime(count) => runs.real -= *count,
            Self::VirtualTime => runs.on_virtual_time -= 1,
        }
        CHANGED.notify_all();
    }
}
