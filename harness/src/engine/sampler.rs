//! When meters are read, and which readings are worth telling.
//!
//! Between two events of the plant every power is constant, and charges move
//! along straight lines: there is nothing to see but what can be foretold. So
//! meters are looked at soon after the plant was moved, and else only as often
//! as a battery's charge goes by a meter's resolution.

use std::time::Duration;

use indexmap::IndexMap;
use tokio::time::Instant;

use ridethrough_targets::telemetry::Reading;

/// The shortest time between two looks at the meters.
const SOONEST: Duration = Duration::from_millis(100);
/// The longest time between two tellings. Cards hold their last reading for as
/// long as they get no other, so that none grows stale by it.
const STEADY: Duration = Duration::from_secs(10);
/// Changes of charge below this are not seen, of 1.
const CHARGE_RESOLUTION: f64 = 0.001;
/// Changes of power below this are not seen, as a share of the power.
const POWER_RESOLUTION: f64 = 0.01;

/// What the meters show at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readings {
    /// Voltage per unit by component.
    pub(crate) voltage_pu: IndexMap<String, f64>,
    /// True state of charge by UPS.
    pub(crate) charge: IndexMap<String, f64>,
    /// Watts by machine.
    pub(crate) watts: IndexMap<String, f64>,
    /// What each device that has a card measures of itself.
    pub(crate) devices: IndexMap<String, Reading>,
}

/// Decides when to look at the meters and whether to tell what they show.
#[derive(Debug)]
pub(crate) struct Sampler {
    /// When the meters are looked at next.
    due: Instant,
    /// The last look.
    seen: Option<(Instant, Readings)>,
    /// The last telling.
    told: Option<(Instant, Readings)>,
    /// The plant was acted on since the last look: what moved before says
    /// nothing of what moves now.
    stirred: bool,
    /// The plant changed by itself or by a fault: the next look is told.
    changed: bool,
}

impl Sampler {
    /// One whose first look is due now.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            due: now,
            seen: None,
            told: None,
            stirred: true,
            changed: true,
        }
    }

    /// When the meters are to be looked at next.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// The plant was acted on; `changed` where it told of a change too.
    pub(crate) fn stir(&mut self, now: Instant, changed: bool) {
        self.stirred = true;
        self.changed |= changed;
        let soonest = self.seen.as_ref().map_or(now, |(at, _)| *at + SOONEST);
        self.due = self.due.min(soonest.max(now));
    }

    /// Takes what the meters show now; true where it is to be told.
    pub(crate) fn look(&mut self, now: Instant, shown: &Readings) -> bool {
        let wait = match &self.seen {
            Some((at, before)) if !self.stirred => foresee(now - *at, before, shown),
            _ => SOONEST,
        };
        let tell = self.changed
            || match &self.told {
                None => true,
                Some((at, told)) => now - *at >= STEADY || differs(told, shown),
            };
        self.stirred = false;
        self.changed = false;
        self.seen = Some((now, shown.clone()));
        if tell {
            self.told = Some((now, shown.clone()));
        }
        let told_at = self.told.as_ref().map_or(now, |(at, _)| *at);
        self.due = (now + wait).min((told_at + STEADY).max(now + SOONEST));
        tell
    }
}

/// How long nothing moves by more than half of a resolution, if all goes on as
/// it did in the last `passed`.
fn foresee(passed: Duration, before: &Readings, now: &Readings) -> Duration {
    let share = |moved: f64, resolution: f64| moved.abs() / resolution;
    let charges = now.charge.iter().filter_map(|(ups, charge)| {
        let before = before.charge.get(ups)?;
        Some(share(charge - before, CHARGE_RESOLUTION))
    });
    let believed = now.devices.iter().filter_map(|(device, reading)| {
        let before = before.devices.get(device)?;
        Some(reading.steps_from(before))
    });
    let resolutions = charges.chain(believed).fold(0.0, f64::max);
    let wait = passed.as_secs_f64() * 0.5 / resolutions;
    // Nothing moved: the division gives infinity, or no number at all.
    let wait = if wait.is_finite() { wait } else { f64::MAX };
    Duration::from_secs_f64(wait.clamp(SOONEST.as_secs_f64(), STEADY.as_secs_f64()))
}

/// Something is not what it was, as far as a meter can see.
fn differs(told: &Readings, now: &Readings) -> bool {
    let any = |told: &IndexMap<String, f64>,
               now: &IndexMap<String, f64>,
               differ: &dyn Fn(f64, f64) -> bool| {
        now.iter()
            .any(|(name, b)| told.get(name).is_none_or(|a| differ(*a, *b)))
    };
    any(&told.voltage_pu, &now.voltage_pu, &|a, b| a != b)
        || any(&told.charge, &now.charge, &charge_differs)
        || any(&told.watts, &now.watts, &power_differs)
        || now.devices.iter().any(|(device, b)| {
            let told = told.devices.get(device);
            told.is_none_or(|a| b.moved_from(a))
        })
}

fn charge_differs(a: f64, b: f64) -> bool {
    // An empty or a full battery is told to the point.
    let end = |charge: f64| charge <= 0.0 || charge >= 1.0;
    (a - b).abs() >= CHARGE_RESOLUTION || (a != b && end(b))
}

fn power_differs(a: f64, b: f64) -> bool {
    (a - b).abs() > POWER_RESOLUTION * a.abs()
}

#[cfg(test)]
mod tests;
