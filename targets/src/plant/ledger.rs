//! Energy accounts. Powers are whole milliwatts and times whole microseconds,
//! so that every account is an exact integer of nanojoules.

use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// Power in whole milliwatts.
pub(super) type Milliwatts = i64;

/// Energy in nanojoules: milliwatts times microseconds.
pub(super) type Nanojoules = i128;

/// Watts, rounded to whole milliwatts.
pub(super) fn milliwatts(watts: f64) -> Milliwatts {
    (watts * 1e3).round() as Milliwatts
}

/// Nanojoules as watt-hours.
pub(super) fn watt_hours(energy: Nanojoules) -> f64 {
    energy as f64 / 3.6e12
}

/// Whole microseconds, rounded up, for an energy at a power.
pub(super) fn time_for(energy: Nanojoules, power: Milliwatts) -> Micros {
    let power = Nanojoules::from(power);
    let dt = (energy + power - 1).div_euclid(power).max(0);
    Micros::try_from(dt).unwrap_or(Micros::MAX)
}

/// A meter of one power that is constant between changes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    power: Milliwatts,
    since: Micros,
    total: Nanojoules,
}

impl Meter {
    /// From `t_us` on, this power flows.
    pub(super) fn set(&mut self, t_us: Micros, power: Milliwatts) {
        if power != self.power {
            self.total = self.read(t_us);
            self.since = t_us;
            self.power = power;
        }
    }

    /// The energy that has flowed until `t_us`.
    pub(super) fn read(&self, t_us: Micros) -> Nanojoules {
        let dt = t_us.saturating_sub(self.since);
        self.total + Nanojoules::from(self.power) * Nanojoules::from(dt)
    }
}

/// Where the energy of a site went, since time 0. Without an error of the
/// model `drawn = delivered + cooling + losses + stored_delta`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EnergyLedger {
    /// Drawn from the utilities and generators, in watt-hours.
    pub drawn_wh: f64,
    /// Delivered to the machines, in watt-hours.
    pub delivered_wh: f64,
    /// Drawn by cooling units, in watt-hours.
    pub cooling_wh: f64,
    /// Put into batteries, after the charger's loss, in watt-hours.
    pub battery_charged_wh: f64,
    /// Taken from batteries, in watt-hours at the output of the inverter, as a
    /// runtime curve counts it.
    pub battery_discharged_wh: f64,
    /// Lost in the conversion of UPSs and in charging, in watt-hours.
    pub losses_wh: f64,
    /// What batteries and hold-up capacitors hold more than at time 0, in
    /// watt-hours; negative when less.
    pub stored_delta_wh: f64,
}

impl EnergyLedger {
    /// What the accounts leave unexplained, in watt-hours.
    pub fn imbalance_wh(&self) -> f64 {
        self.drawn_wh - self.delivered_wh - self.cooling_wh - self.losses_wh - self.stored_delta_wh
    }
}
