//! Who is let in. Refusals come before the first byte, never in mid-answer.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use hyper::StatusCode;

use super::metrics::{Metrics, count};
use crate::serving::config::{Admission, PowerAware};
use crate::serving::http::ApiError;

/// The class of requests that name none.
pub(super) const DEFAULT_CLASS: &str = "interactive";
/// The class that must not crowd out others.
const BATCH: &str = "batch";

/// What the site's power allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PowerState {
    /// Mains, or nothing known.
    #[default]
    Normal,
    /// A UPS is on battery.
    OnBattery,
    /// A battery is low.
    LowBattery,
}

impl PowerState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::OnBattery => "on_battery",
            Self::LowBattery => "low_battery",
        }
    }
}

/// The door.
pub(super) struct Door {
    bounds: Admission,
    power: PowerAware,
    state: Mutex<PowerState>,
    pub(super) in_flight: AtomicU32,
    batch: AtomicU32,
}

/// A request that is in; dropping it lets the next one in.
pub(super) struct Admitted {
    door: Arc<Door>,
    batch: bool,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.door.in_flight.fetch_sub(1, Ordering::Relaxed);
        if self.batch {
            self.door.batch.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Door {
    pub(super) fn new(bounds: Admission, power: PowerAware) -> Self {
        Self {
            bounds,
            power,
            state: Mutex::new(PowerState::Normal),
            in_flight: AtomicU32::new(0),
            batch: AtomicU32::new(0),
        }
    }

    /// Sets what power allows; returns the state left.
    pub(super) fn set_power(&self, state: PowerState) -> PowerState {
        let mut now = self
            .state
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        std::mem::replace(&mut *now, state)
    }

    fn sheds(&self, class: &str) -> bool {
        let state = *self
            .state
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        let listed = |classes: &[String]| classes.iter().any(|shed| shed == class);
        (state >= PowerState::OnBattery && listed(&self.power.shed_on_battery))
            || (state >= PowerState::LowBattery && listed(&self.power.shed_on_low_battery))
    }

    /// Lets a request in, or says why not.
    pub(super) fn admit(
        self: &Arc<Self>,
        class: &str,
        metrics: &Metrics,
    ) -> Result<Admitted, ApiError> {
        if self.sheds(class) {
            count(&metrics.shed);
            let message = format!("class {class} is shed while the site is on battery");
            return Err(ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, message));
        }
        let batch = class == BATCH;
        if batch && !take(&self.batch, self.bounds.max_batch) {
            count(&metrics.rejected);
            return Err(ApiError::retry(
                StatusCode::TOO_MANY_REQUESTS,
                "too many batch requests in flight",
            ));
        }
        if !take(&self.in_flight, self.bounds.max_in_flight) {
            if batch {
                self.batch.fetch_sub(1, Ordering::Relaxed);
            }
            count(&metrics.rejected);
            return Err(ApiError::retry(
                StatusCode::TOO_MANY_REQUESTS,
                "too many requests in flight",
            ));
        }
        Ok(Admitted {
            door: Arc::clone(self),
            batch,
        })
    }
}

fn take(count: &AtomicU32, most: u32) -> bool {
    count
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
            (now < most).then_some(now + 1)
        })
        .is_ok()
}
