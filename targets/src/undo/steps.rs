//! The steps of a journal, at each of which a test can kill the harness.

use std::sync::atomic::{AtomicU64, Ordering};

/// Kills this process, as SIGKILL does, at the step of this number. For the
/// project's own tests.
const DIE_AT: &str = "RIDETHROUGH_DIE_AT";

static STEPS: AtomicU64 = AtomicU64::new(0);

/// One step: before or after something that a crash may fall between.
pub(super) fn step(what: &str) {
    let number = STEPS.fetch_add(1, Ordering::Relaxed) + 1;
    tracing::debug!(number, what, "journal");
    let asked = std::env::var(DIE_AT).ok().and_then(|at| at.parse().ok());
    if asked == Some(number) {
        die();
    }
}

#[cfg(linux_worlds)]
fn die() {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
    // The signal may take a moment to arrive.
    std::thread::sleep(std::time::Duration::from_secs(60));
}

#[cfg(not(linux_worlds))]
fn die() {
    std::process::abort();
}
