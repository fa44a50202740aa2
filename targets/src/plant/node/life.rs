//! Whether a machine lives: its inputs, its hold-up, and its return.

use super::super::bus::Notes;
use super::super::event::Change;
use super::super::ledger::{Milliwatts, time_for};
use super::super::psu::{OVERCURRENT_US, RELEASE_US};
use super::super::timers::earlier;
use super::model::NodeModel;
use crate::clock::Micros;
use crate::units::Span;

impl NodeModel {
    /// Handles what is due with these input voltages, one per cord, and works
    /// out what it draws from each. `backup`: its rack's backup unit carries
    /// it where it has no input.
    pub(in super::super) fn react(
        &mut self,
        t_us: Micros,
        inputs: &[f64],
        backup: bool,
        notes: &mut Notes,
    ) {
        self.settle(t_us);
        if self.surge_until.is_some_and(|at| at <= t_us) {
            self.surge_until = None;
        }
        let live = self.live(inputs);
        if self.powered && self.must_be_off() {
            let cause = if self.too_hot { "too hot" } else { "told to" };
            self.die(cause, notes);
        }
        if self.powered {
            self.hold_up(live > 0 || backup, notes);
        }
        if self.powered {
            self.limit_current(t_us, inputs, live, notes);
        }
        self.power = self.power_now();
        let refill = self.powered && live > 0 && self.store < self.full();
        self.recharge = if refill {
            self.psu.recharge() * live as Milliwatts
        } else {
            0
        };
        self.draw(inputs, live);
    }

    fn hold_up(&mut self, carried: bool, notes: &mut Notes) {
        self.power = self.power_now();
        let left = Span::from_micros(self.left_us().unwrap_or(86_400_000_000));
        if !self.on_hold_up && !carried {
            self.on_hold_up = true;
            let change = Change::HoldUp { active: true, left };
            notes.push(("no input above dropout".to_string(), change));
        }
        if self.on_hold_up && self.store <= 0 {
            self.die("hold-up exhausted", notes);
        } else if self.on_hold_up && carried {
            self.on_hold_up = false;
            let change = Change::HoldUp {
                active: false,
                left,
            };
            notes.push(("input back".to_string(), change));
        }
    }

    fn die(&mut self, cause: &str, notes: &mut Notes) {
        let before = self.clocks();
        self.died_of = match () {
            () if self.too_hot => "ThermalEvent",
            () if self.switched_off => "ManagementCommand",
            () => "PowerEvent",
        };
        self.powered = false;
        self.on_hold_up = false;
        self.utilisation = 0.0;
        self.psu_brake = false;
        self.over_since = None;
        self.fine_since = None;
        self.surge_until = None;
        let change = Change::NodePower { on: false };
        notes.push((cause.to_string(), change));
        self.tell_clocks(before, "power supplies off", notes);
    }

    fn must_be_off(&self) -> bool {
        self.switched_off || self.too_hot
    }

    /// Its power supplies deliver again.
    pub(in super::super) fn power_on(&mut self, t_us: Micros, cause: &str, notes: &mut Notes) {
        self.settle(t_us);
        self.powered = true;
        self.reset_cause = self.died_of;
        self.surge_until = self.psu.surge.map(|(_, lasts)| t_us.saturating_add(lasts));
        notes.push((cause.to_string(), Change::NodePower { on: true }));
    }

    fn draw(&mut self, inputs: &[f64], live: usize) {
        let total = if live > 0 {
            self.power + self.recharge
        } else {
            0
        };
        let share = total.checked_div(live as Milliwatts).unwrap_or(0);
        let mut rest = total - share * live as Milliwatts;
        for (cord, v) in inputs.iter().enumerate() {
            let supplies = match live > 0 && self.psu.live(*v) {
                true => self.healthy(cord) as Milliwatts,
                false => 0,
            };
            self.drawn[cord] = match supplies {
                0 => 0,
                _ => share * supplies + std::mem::take(&mut rest),
            };
        }
    }

    /// How long the hold-up energy lasts; nothing when nothing is drawn.
    fn left_us(&self) -> Option<Micros> {
        if self.power <= 0 {
            return None;
        }
        Some(time_for(self.store, self.power))
    }

    /// When it wants to be looked at again.
    pub(in super::super) fn next_due(&self) -> Option<Micros> {
        let after = |since: Option<Micros>, delay: Micros| since.map(|s| s.saturating_add(delay));
        let store = if self.on_hold_up {
            self.left_us()
        } else if self.recharge > 0 {
            Some(time_for(self.full() - self.store, self.recharge))
        } else {
            None
        };
        let brake = earlier(
            after(self.over_since, OVERCURRENT_US),
            after(self.fine_since, RELEASE_US),
        );
        let store = store.map(|dt| self.since.saturating_add(dt));
        earlier(earlier(store, brake), self.surge_until)
    }

    /// A dead machine with a good input that may run.
    pub(in super::super) fn waits(&self, inputs: &[f64]) -> bool {
        !self.powered && !self.must_be_off() && self.live(inputs) > 0
    }

    /// It runs without input.
    pub(in super::super) fn is_dark(&self, inputs: &[f64]) -> bool {
        self.powered && self.live(inputs) == 0
    }
}
