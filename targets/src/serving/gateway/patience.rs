//! Waiting for others without blaming them for one's own delays.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// A timer that fires later than this shows that this process was held up.
const LATE: Duration = Duration::from_millis(20);
/// Most extensions of one wait.
const EXTENSIONS: u32 = 5;

/// Waits for `work` until `until`.
///
/// When the timer itself fires late, this process did not run, and what it
/// waited for may be at hand without having been looked at: then the wait goes
/// on for as long as the delay was. Without this, a host that stalls for a
/// second would find all its replicas silent and take them out at once.
pub(super) async fn by<T>(until: Instant, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut until = until;
    for _ in 0..EXTENSIONS {
        if let Ok(done) = timeout_at(until, work.as_mut()).await {
            return Some(done);
        }
        let now = Instant::now();
        let late = now.saturating_duration_since(until);
        if late < LATE {
            return None;
        }
        until = now + late.min(Duration::from_secs(1));
    }
    None
}

#[cfg(test)]
mod tests;
