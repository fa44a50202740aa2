//! A battery: what it holds, and what its UPS believes that it holds.

use super::curve::Curve;
use super::event::BatteryState;
use super::ledger::{Milliwatts, milliwatts};
use super::site::{self, BatteryCondition};
use super::timers::microseconds_for;
use crate::clock::Micros;

/// Share of the charging power that ends up in the battery (typical).
pub(super) const CHARGE_EFFICIENCY: f64 = 0.95;
/// From this charge on, the charger tapers (constant voltage).
const TAPER_FROM: f64 = 0.9;
/// The taper goes down in steps of this much charge, so that powers stay
/// constant between events.
const TAPER_STEP: f64 = 0.005;
/// The taper ends here, so that the battery is full in a finite time.
const TAPER_FLOOR: f64 = 0.05;
/// Charges closer than this are the same.
const CLOSE: f64 = 1e-9;

/// A battery.
#[derive(Clone, Debug)]
pub(super) struct BatteryModel {
    curve: Curve,
    energy_wh: f64,
    /// Charging power at the input of the UPS.
    charger: Milliwatts,
    /// Low below this charge.
    pub(super) charge_low: f64,
    /// Low below this runtime.
    pub(super) runtime_low_s: f64,
    /// The string is open.
    pub(super) open: bool,
    health: f64,
    /// It dies at this true charge.
    floor: f64,
    /// True and believed charge at `since`, and their slopes per microsecond.
    charge: f64,
    believed: f64,
    since: Micros,
    slope: f64,
    believed_slope: f64,
    /// Its state, as last told.
    pub(super) state: BatteryState,
}

impl BatteryModel {
    pub(super) fn new(site: &site::Battery, rating_w: f64) -> Self {
        let mut battery = Self {
            curve: Curve::new(site, rating_w),
            energy_wh: site.energy.get(),
            charger: milliwatts(site.charger.get() * rating_w),
            charge_low: site.charge_low.get(),
            runtime_low_s: site.runtime_low.secs_f64(),
            open: site.condition == BatteryCondition::Open,
            health: site.health.get(),
            floor: site.sudden_death_at.get(),
            charge: site.charge.get(),
            believed: site.charge.get(),
            since: 0,
            slope: 0.0,
            believed_slope: 0.0,
            state: BatteryState::Idle,
        };
        battery.state = battery.state_now(false, 0, 0);
        battery
    }

    /// State of health, 1 is new.
    pub(super) fn health(&self) -> f64 {
        self.health
    }

    /// Seconds that a new and full battery carries this power.
    pub(super) fn full_runtime_s(&self, power_w: f64) -> f64 {
        self.curve.runtime_s(power_w)
    }

    /// True charge, 0 to 1.
    pub(super) fn charge(&self, t_us: Micros) -> f64 {
        (self.charge + self.slope * (t_us - self.since) as f64).clamp(0.0, 1.0)
    }

    /// The charge that the UPS counts, 0 to 1: it takes the battery for new.
    pub(super) fn believed(&self, t_us: Micros) -> f64 {
        (self.believed + self.believed_slope * (t_us - self.since) as f64).clamp(0.0, 1.0)
    }

    /// Seconds left at this load, as the UPS works it out.
    pub(super) fn believed_runtime_s(&self, t_us: Micros, load: Milliwatts) -> f64 {
        let full_s = self.curve.runtime_s(load as f64 / 1e3);
        // An unloaded UPS shows a day, not infinity.
        (self.believed(t_us) * full_s).min(86_400.0)
    }

    /// Seconds left at this load, in truth.
    pub(super) fn true_runtime_s(&self, t_us: Micros, load: Milliwatts) -> f64 {
        if !self.delivers(t_us) {
            return 0.0;
        }
        let full_s = self.curve.runtime_s(load as f64 / 1e3) * self.health;
        ((self.charge(t_us) - self.floor) * full_s).min(86_400.0)
    }

    /// It can carry a load.
    pub(super) fn delivers(&self, t_us: Micros) -> bool {
        !self.open && self.charge(t_us) > self.floor + CLOSE
    }

    /// Its state of health becomes this; a battery without any holds nothing
    /// and would divide by zero.
    pub(super) fn set_health(&mut self, t_us: Micros, health: f64) {
        self.anchor(t_us);
        self.health = health.clamp(1e-3, 1.0);
    }

    /// What the charger takes now, when it is allowed to charge.
    pub(super) fn wants(&self, t_us: Micros) -> Milliwatts {
        let charge = self.charge(t_us);
        if self.open || charge >= 1.0 - CLOSE {
            return 0;
        }
        let share = match taper_steps(charge) {
            None => 1.0,
            Some(k) => {
                let from = TAPER_FROM + f64::from(k) * TAPER_STEP;
                ((1.0 - from) / (1.0 - TAPER_FROM)).clamp(TAPER_FLOOR, 1.0)
            }
        };
        (self.charger as f64 * share).round() as Milliwatts
    }

    /// From `t_us` on, `out` is taken from it and the charger draws `charging`.
    pub(super) fn flow(&mut self, t_us: Micros, out: Milliwatts, charging: Milliwatts) {
        self.anchor(t_us);
        if self.charge <= self.floor + CLOSE && charging == 0 {
            // What it has delivered says more than what was counted.
            self.believed = 0.0;
        }
        if self.charge >= 1.0 - CLOSE {
            // At the end of charge the voltage tells the truth.
            self.believed = 1.0;
        }
        if out > 0 {
            self.believed_slope = -1.0 / (self.curve.runtime_s(out as f64 / 1e3) * 1e6);
            self.slope = self.believed_slope / self.health;
        } else {
            let per_us = charging as f64 * CHARGE_EFFICIENCY / (self.energy_wh * 3.6e12);
            self.believed_slope = per_us;
            self.slope = per_us / self.health;
        }
    }

    fn anchor(&mut self, t_us: Micros) {
        let (charge, believed) = (self.charge(t_us), self.believed(t_us));
        self.charge = match charge {
            c if c <= CLOSE => 0.0,
            c if (c - self.floor).abs() <= CLOSE => self.floor,
            c if c >= 1.0 - CLOSE => 1.0,
            c => c,
        };
        self.believed = believed;
        self.since = t_us;
    }

    /// Its state with these flows.
    pub(super) fn state_now(
        &self,
        carries: bool,
        t_us: Micros,
        charging: Milliwatts,
    ) -> BatteryState {
        let empty = self.charge(t_us) <= self.floor + CLOSE;
        match () {
            () if self.open => BatteryState::Open,
            () if carries && !empty => BatteryState::Discharging,
            () if charging > 0 => BatteryState::Charging,
            () if empty => BatteryState::Empty,
            () => BatteryState::Idle,
        }
    }

    /// The believed charge below which it is low at this load.
    pub(super) fn low_at(&self, load: Milliwatts) -> f64 {
        let by_runtime = self.runtime_low_s / self.curve.runtime_s(load as f64 / 1e3);
        self.charge_low.max(by_runtime)
    }

    /// When the believed charge falls to `level`.
    pub(super) fn falls_to(&self, level: f64) -> Option<Micros> {
        if self.believed_slope >= 0.0 || self.believed <= level {
            return None;
        }
        let dt = microseconds_for(self.believed - level, -self.believed_slope)?;
        Some(self.since.saturating_add(dt))
    }

    /// When it is empty, full, or due for the next step of the taper.
    pub(super) fn next_due(&self) -> Option<Micros> {
        let dt = if self.slope < 0.0 {
            microseconds_for(self.charge - self.floor, -self.slope)
        } else if self.slope > 0.0 {
            let target = match taper_steps(self.charge) {
                None => TAPER_FROM,
                Some(k) => (TAPER_FROM + f64::from(k + 1) * TAPER_STEP).min(1.0),
            };
            microseconds_for(target - self.charge, self.slope)
        } else {
            None
        };
        dt.map(|dt| self.since.saturating_add(dt))
    }
}

/// Which step of the taper a charge is on; none before the taper.
fn taper_steps(charge: f64) -> Option<u32> {
    let steps = (charge - TAPER_FROM) / TAPER_STEP + 1e-6;
    (steps >= 0.0).then_some(steps as u32)
}
