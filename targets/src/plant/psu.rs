//! The power supplies of one machine: hold-up energy and current limit.

use super::ledger::{Milliwatts, milliwatts};
use super::site;
use crate::clock::Micros;

/// A PSU refills its hold-up capacitor with this share of its rating
/// (typical): little enough to stay inside its current limit at full load.
const RECHARGE_SHARE: f64 = 0.05;
/// How long the input current may be over the limit.
pub(super) const OVERCURRENT_US: Micros = 20_000;
/// The brake is let go when the machine, unbraked, would stay below this share
/// of the limit ...
const RELEASE_SHARE: f64 = 0.95;
/// ... for this long (typical), so that it does not flap.
pub(super) const RELEASE_US: Micros = 1_000_000;

/// One power supply.
#[derive(Clone, Copy, Debug)]
pub(super) struct PsuModel {
    /// Rated output power.
    pub(super) rating_w: f64,
    /// Hold-up energy in nanojoules.
    pub(super) hold_up: i64,
    dropout_pu: f64,
    limit: f64,
    /// Supplies on each cord.
    pub(super) per_cord: usize,
    /// Supplies with input that the machine needs.
    pub(super) needed: usize,
    /// What the machine draws on its return, as a multiple, and for how long.
    pub(super) surge: Option<(f64, Micros)>,
}

impl PsuModel {
    pub(super) fn new(site: &site::Psu) -> Self {
        Self {
            rating_w: site.rating.get(),
            hold_up: (site.hold_up.get() * 1e9).round() as i64,
            dropout_pu: site.dropout.get(),
            limit: site.current_limit.get(),
            per_cord: site.per_cord as usize,
            needed: site.needed as usize,
            surge: site.surge.as_ref().map(|s| (s.factor, s.lasts.micros())),
        }
    }

    /// It works at this input voltage.
    pub(super) fn live(&self, voltage_pu: f64) -> bool {
        voltage_pu > 0.0 && voltage_pu >= self.dropout_pu
    }

    /// What it draws on top of its load while its capacitor refills.
    pub(super) fn recharge(&self) -> Milliwatts {
        milliwatts(self.rating_w * RECHARGE_SHARE)
    }

    /// The input current of each of `live` supplies that share `load`, at the
    /// lowest voltage among them, is over the limit.
    pub(super) fn over_limit(&self, load: Milliwatts, live: usize, lowest_pu: f64) -> bool {
        self.current(load, live, lowest_pu) > self.limit
    }

    /// The current would be clearly inside the limit.
    pub(super) fn well_inside(&self, load: Milliwatts, live: usize, lowest_pu: f64) -> bool {
        self.current(load, live, lowest_pu) <= self.limit * RELEASE_SHARE
    }

    /// Per unit of the current at rated power and nominal voltage.
    fn current(&self, load: Milliwatts, live: usize, lowest_pu: f64) -> f64 {
        load as f64 / 1e3 / (self.rating_w * live as f64 * lowest_pu)
    }
}

/// The share of the dynamic power that is left at these clocks: half the
/// clocks leave 0.45 of it, a little more than proportional because voltage
/// falls with the clocks.
pub(super) fn dynamic_share(clocks: f64) -> f64 {
    /// log2(1 / 0.45)
    const EXPONENT: f64 = 1.152_003_093_445_049_8;
    clocks.powf(EXPONENT)
}
