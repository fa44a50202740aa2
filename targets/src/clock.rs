//! The run's clock: microseconds since the run began, the same in every
//! process of the run.

use std::time::Duration;

use tokio::time::Instant;

/// Microseconds since the run began.
pub type Micros = u64;

/// The run's clock. Cheap to copy; every event of a run is stamped by it.
///
/// It rests on tokio's clock, so a paused runtime pauses it too. A process in a
/// time namespace is given how long ago the run began and builds its own with
/// [`Clock::started`].
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// A clock that started `ago`.
    pub fn started(ago: Duration) -> Self {
        let now = Instant::now();
        Self {
            origin: now.checked_sub(ago).unwrap_or(now),
        }
    }

    /// Microseconds since the run began.
    pub fn now_us(&self) -> Micros {
        self.at(Instant::now())
    }

    /// Microseconds from the run's beginning to `instant`.
    pub fn at(&self, instant: Instant) -> Micros {
        instant.saturating_duration_since(self.origin).as_micros() as Micros
    }

    /// The instant at which this clock shows `t_us`.
    pub fn instant(&self, t_us: Micros) -> Instant {
        self.origin + Duration::from_micros(t_us)
    }
}
