//! What holds a machine down: its supplies' current limit, its brake line, the
//! power that it is held to, the heat, and its BMC.

use super::super::bus::Notes;
use super::super::event::Change;
use super::super::ledger::Milliwatts;
use super::super::psu::{OVERCURRENT_US, RELEASE_US};
use super::model::NodeModel;
use crate::clock::Micros;

impl NodeModel {
    pub(super) fn limit_current(
        &mut self,
        t_us: Micros,
        inputs: &[f64],
        live: usize,
        notes: &mut Notes,
    ) {
        let before = self.clocks();
        let lowest = inputs
            .iter()
            .copied()
            .filter(|v| self.psu.live(*v))
            .fold(f64::INFINITY, f64::min);
        let over = live > 0
            && self
                .psu
                .over_limit(self.power_at(self.brake_clocks()), live, lowest);
        let unbraked = self.power_at(self.line_clocks.min(self.heat_clocks));
        let fine = live > 0 && self.psu.well_inside(unbraked, live, lowest);
        let watch = |since: Option<Micros>, is: bool| if is { since.or(Some(t_us)) } else { None };
        self.over_since = watch(self.over_since, over && !self.psu_brake);
        self.fine_since = watch(self.fine_since, fine && self.psu_brake);
        if self.over_since.is_some_and(|s| s + OVERCURRENT_US <= t_us) {
            self.psu_brake = true;
            self.over_since = None;
            self.tell_clocks(before, "input current over limit", notes);
        } else if self.fine_since.is_some_and(|s| s + RELEASE_US <= t_us) {
            self.psu_brake = false;
            self.fine_since = None;
            self.tell_clocks(before, "input current inside limit", notes);
        }
    }

    /// Its power-brake line is pulled or let go from outside.
    pub(in super::super) fn brake_line(&mut self, clocks: f64, notes: &mut Notes) {
        let before = self.clocks();
        self.line_clocks = if clocks.is_nan() {
            1.0
        } else {
            clocks.clamp(0.0, 1.0)
        };
        self.tell_clocks(before, "power-brake line", notes);
    }

    /// It is held to a power, or let go.
    pub(in super::super) fn hold_to(&mut self, limit: Option<Milliwatts>, notes: &mut Notes) {
        if self.limit == limit {
            return;
        }
        let before = self.clocks();
        self.limit = limit;
        let watts = limit.map(|limit| limit as f64 / 1e3);
        notes.push(("told to".to_string(), Change::Limit { watts }));
        self.tell_clocks(before, "power limit", notes);
    }

    /// The heat leaves it these clocks, and keeps it off or not.
    pub(in super::super) fn heat(&mut self, clocks: f64, too_hot: bool, notes: &mut Notes) {
        let before = self.clocks();
        self.heat_clocks = clocks;
        self.too_hot = too_hot;
        self.tell_clocks(before, "temperature", notes);
    }

    /// Its BMC switches it.
    pub(in super::super) fn switch(&mut self, on: bool) {
        self.switched_off = !on;
    }

    /// One of its supplies fails, or is replaced.
    pub(in super::super) fn set_supply(&mut self, supply: usize, healthy: bool, notes: &mut Notes) {
        let count = self.cords.len() * self.psu.per_cord;
        if supply >= count.min(64) || self.works(supply) == healthy {
            return;
        }
        self.failed ^= 1 << supply;
        notes.push((
            if healthy { "replaced" } else { "failed" }.to_string(),
            Change::Supplies { supply, healthy },
        ));
    }
}
