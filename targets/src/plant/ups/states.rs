//! The states of a UPS and what moves it between them.

use super::super::bus::{Notes, Output};
use super::super::event::{Change, UpsState};
use super::super::site::UpsClass;
use super::model::UpsModel;
use crate::clock::Micros;

/// Overload bands: above this share of the rating for this long it gives up.
/// Typical: 125 % for ten minutes, 150 % for one, more for 200 ms.
pub(super) const OVERLOAD: [(f64, Micros); 3] =
    [(1.0, 600_000_000), (1.25, 60_000_000), (1.5, 200_000)];

type Move = (UpsState, &'static str);

impl UpsModel {
    /// What is wrong with an input, if anything.
    pub(super) fn objection(&self, input: Output) -> Option<&'static str> {
        let deviation = (input.frequency_hz / self.nominal_hz - 1.0).abs();
        match input.voltage_pu {
            v if v < 0.1 => Some("input lost"),
            v if v < self.window.low.get() => Some("input voltage low"),
            v if v > self.window.high.get() => Some("input voltage high"),
            _ if deviation > self.window.frequency.get() => Some("input frequency out of range"),
            _ => None,
        }
    }

    pub(super) fn next_state(&self, t_us: Micros, objection: Option<&'static str>) -> Option<Move> {
        self.imposed(t_us)
            .or_else(|| self.by_itself(t_us, objection))
    }

    /// What an order, a failure or an overload makes it do.
    fn imposed(&self, t_us: Micros) -> Option<Move> {
        use UpsState as S;
        match self.state {
            S::Off if self.switched_off => None,
            _ if self.switched_off => Some((S::Off, "switched off")),
            S::Bypass => None,
            _ if self.held && self.bypass => Some((S::Bypass, "put on bypass by hand")),
            S::Off => None,
            _ if self.failed => Some(self.refuge("converter failed")),
            _ if self.overloaded(t_us) => Some(self.refuge("overload")),
            _ if self.told_bypass && self.bypass_good => Some((S::Bypass, "told to")),
            _ => None,
        }
    }

    fn by_itself(&self, t_us: Micros, objection: Option<&'static str>) -> Option<Move> {
        use UpsState as S;
        let delivers = self.battery.delivers(t_us);
        let for_us = t_us - self.since;
        let requalified = for_us >= self.requalify_us;
        let passes = self.class != UpsClass::Vfi;
        match (self.state, objection) {
            (S::Normal, None) => {
                let eco = self.eco && t_us - self.entered >= self.requalify_us;
                eco.then_some((S::Eco, "input steady"))
            }
            (S::Eco, None) => None,
            (S::Normal, Some(_)) if !passes && !delivers => Some(self.refuge(self.dead_battery())),
            (S::Normal | S::Eco, Some(why)) if for_us >= self.disqualify_us => {
                match self.transfer_time() {
                    0 if !delivers => Some(self.refuge(self.dead_battery())),
                    0 => Some((S::OnBattery, why)),
                    _ => Some((S::Transferring, why)),
                }
            }
            (S::Normal | S::Eco, Some(_)) => None,
            (S::Transferring, _) if t_us - self.entered < self.transfer_us => None,
            (S::Transferring, _) if delivers => Some((S::OnBattery, "transferred")),
            (S::OnBattery | S::Qualifying | S::Transferring, _) if !delivers => {
                Some(self.refuge(self.dead_battery()))
            }
            (S::OnBattery, None) if !self.locked => Some((S::Qualifying, "input good")),
            (S::OnBattery | S::Transferring, _) => None,
            (S::Qualifying | S::WalkIn, Some(why)) => Some((S::OnBattery, why)),
            (S::Qualifying, None) if requalified && self.retransfer_fails => {
                Some(self.refuge("retransfer failed"))
            }
            (S::Qualifying, None) => requalified.then_some((S::WalkIn, "input requalified")),
            (S::WalkIn, None) if !delivers => Some((S::Normal, self.dead_battery())),
            (S::WalkIn, None) => {
                (t_us - self.entered >= self.walk_in_us).then_some((S::Normal, "load on mains"))
            }
            (S::Bypass, _) => self.leaves_bypass(t_us),
            (S::Off, _) => self.comes_back(t_us),
        }
    }

    /// Where it goes when its converter cannot carry the load.
    fn refuge(&self, why: &'static str) -> Move {
        if self.bypass && self.bypass_good {
            (UpsState::Bypass, why)
        } else {
            (UpsState::Off, why)
        }
    }

    /// Nothing keeps its converter from carrying the load on mains.
    pub(super) fn may_return(&self) -> bool {
        self.good
            && !(self.failed || self.locked || self.retransfer_fails || self.switched_off)
            && !(self.held && self.bypass)
    }

    fn waited(&self, t_us: Micros) -> bool {
        t_us - self.since.max(self.entered) >= self.requalify_us
    }

    /// It may leave its bypass, once it has waited.
    pub(super) fn may_leave_bypass(&self) -> bool {
        self.may_return() && !self.told_bypass && self.load <= self.rating
    }

    fn leaves_bypass(&self, t_us: Micros) -> Option<Move> {
        let battery = self.battery.delivers(t_us) && !self.failed && !self.held;
        if battery && !self.bypass_good && self.bypass_lost_at.is_some_and(|at| at <= t_us) {
            return Some((UpsState::OnBattery, "bypass lost"));
        }
        (self.may_leave_bypass() && self.waited(t_us))
            .then_some((UpsState::Normal, "input requalified"))
    }

    fn comes_back(&self, t_us: Micros) -> Option<Move> {
        if self.may_return() {
            let back = (UpsState::Normal, "input requalified");
            return self.waited(t_us).then_some(back);
        }
        let stuck = self.failed || self.locked || self.retransfer_fails;
        let bypass = self.bypass && self.bypass_good && !self.switched_off;
        (stuck && bypass).then_some((UpsState::Bypass, "bypass good"))
    }

    pub(super) fn enter(
        &mut self,
        t_us: Micros,
        to: UpsState,
        cause: &'static str,
        notes: &mut Notes,
    ) {
        use UpsState as S;
        let from = self.state;
        if matches!(from, S::Normal | S::Eco) && to != S::Eco {
            self.reason = cause;
        }
        if matches!(to, S::Off | S::Bypass) {
            self.over = [None; 3];
            // It learns only now that there was nothing behind the charge that
            // it showed.
            let shown = self.battery.believed(t_us);
            let wanted = !matches!(from, S::Off | S::Bypass);
            self.replace |= wanted && !self.battery.delivers(t_us) && shown > 0.05;
        }
        self.state = to;
        self.entered = t_us;
        if !self.on_battery() {
            self.battery_since = None;
        } else if to != S::Transferring {
            self.battery_since = self.battery_since.or(Some(t_us));
        }
        notes.push((cause.to_string(), Change::Ups { from, to }));
        let left = matches!(to, S::OnBattery | S::Transferring);
        if left && matches!(from, S::Normal | S::Eco | S::Qualifying | S::WalkIn) {
            self.strike(t_us, notes);
        }
    }

    /// One more disturbance; too many in too short a time lock it out.
    fn strike(&mut self, t_us: Micros, notes: &mut Notes) {
        let Some((count, window_us)) = self.strikes else {
            return;
        };
        self.struck.push(t_us);
        self.struck.retain(|at| at + window_us > t_us);
        if self.struck.len() >= count && !self.locked {
            self.locked = true;
            notes.push((
                "too many disturbances".to_string(),
                Change::Lockout { on: true },
            ));
        }
    }

    /// A person clears a lock-out. Says whether there was one.
    pub(in super::super) fn reset(&mut self, notes: &mut Notes) -> bool {
        self.struck.clear();
        if self.locked {
            self.locked = false;
            notes.push(("reset".to_string(), Change::Lockout { on: false }));
            return true;
        }
        false
    }

    fn dead_battery(&self) -> &'static str {
        if self.battery.open {
            "battery open"
        } else {
            "battery empty"
        }
    }

    fn overloaded(&self, t_us: Micros) -> bool {
        self.over
            .iter()
            .zip(OVERLOAD)
            .any(|(since, (_, limit))| since.is_some_and(|s| s + limit <= t_us))
    }

    pub(super) fn on_battery(&self) -> bool {
        use UpsState as S;
        !matches!(self.state, S::Normal | S::Eco | S::Bypass | S::Off)
    }
}
