//! A PDU: one breaker, and outlets with a restore policy.

use super::bus::{Notes, Output};
use super::event::Change;
use super::ledger::{Meter, Milliwatts};
use super::site::{self, RestorePolicy};
use super::timers::earlier;
use crate::clock::Micros;

/// How long a current above the instantaneous step takes to open the breaker.
const INSTANTANEOUS_US: Micros = 20_000;
/// How long the PDU's own controller lives without input (typical); a shorter
/// gap leaves the outlets as they are.
const CONTROLLER_HOLD_UP_US: Micros = 100_000;
/// Below this voltage the controller has no supply (typical).
const CONTROLLER_DROPOUT_PU: f64 = 0.5;

/// A power distribution unit.
#[derive(Clone, Debug)]
pub(super) struct PduModel {
    /// Rated current of the breaker.
    pub(super) rating_a: f64,
    pickup: f64,
    pickup_delay_us: Micros,
    instantaneous: f64,
    /// What the outlets do when power returns.
    pub(super) policy: RestorePolicy,
    /// How long they wait.
    pub(super) restore_delay_us: Micros,
    /// The breaker conducts.
    pub(super) closed: bool,
    /// The breaker opened by itself.
    pub(super) tripped: bool,
    /// The outlets conduct.
    pub(super) outlets_on: bool,
    over_pickup_since: Option<Micros>,
    over_instant_since: Option<Micros>,
    dead_since: Option<Micros>,
    restore_at: Option<Micros>,
    /// What went through it.
    pub(super) meter: Meter,
}

impl PduModel {
    pub(super) fn new(site: &site::Pdu) -> Self {
        Self {
            rating_a: site.breaker.rating.get(),
            pickup: site.breaker.pickup.get(),
            pickup_delay_us: site.breaker.pickup_delay.micros(),
            instantaneous: site.breaker.instantaneous.get(),
            policy: site.restore,
            restore_delay_us: site.restore_delay.micros(),
            closed: true,
            tripped: false,
            outlets_on: true,
            over_pickup_since: None,
            over_instant_since: None,
            dead_since: None,
            restore_at: None,
            meter: Meter::default(),
        }
    }

    /// The breaker is moved by hand. Closing also puts the outlets back on,
    /// whatever the restore policy left them at.
    pub(super) fn switch(&mut self, closed: bool, notes: &mut Notes) {
        if closed {
            self.outlets_on = true;
            self.dead_since = None;
            self.restore_at = None;
        }
        if self.closed != closed {
            self.set_breaker(closed, "moved by hand", notes);
        }
    }

    fn set_breaker(&mut self, closed: bool, cause: &str, notes: &mut Notes) {
        self.closed = closed;
        self.tripped = false;
        self.over_pickup_since = None;
        self.over_instant_since = None;
        notes.push((cause.to_string(), Change::Breaker { closed }));
    }

    /// Handles what is due and returns the voltage of its bus.
    pub(super) fn react(&mut self, t_us: Micros, input: Output, notes: &mut Notes) -> Output {
        let due = |since: Option<Micros>, delay: Micros| since.is_some_and(|s| s + delay <= t_us);
        if due(self.over_instant_since, INSTANTANEOUS_US) {
            self.set_breaker(false, "instantaneous overcurrent", notes);
            self.tripped = true;
        } else if due(self.over_pickup_since, self.pickup_delay_us) {
            self.set_breaker(false, "overcurrent", notes);
            self.tripped = true;
        }
        let out = if self.closed { input } else { Output::DEAD };
        self.restore(t_us, out.voltage_pu);
        out
    }

    fn restore(&mut self, t_us: Micros, voltage_pu: f64) {
        if voltage_pu < CONTROLLER_DROPOUT_PU {
            self.restore_at = None;
            let since = *self.dead_since.get_or_insert(t_us);
            if since + CONTROLLER_HOLD_UP_US <= t_us {
                self.outlets_on = false;
            }
            return;
        }
        self.dead_since = None;
        if self.outlets_on || self.policy == RestorePolicy::AlwaysOff {
            return;
        }
        let at = *self
            .restore_at
            .get_or_insert(t_us.saturating_add(self.restore_delay_us));
        if at <= t_us {
            self.restore_at = None;
            self.outlets_on = true;
        }
    }

    /// Looks at the current: constant power draws more of it at less voltage.
    pub(super) fn load(&mut self, t_us: Micros, load: Milliwatts, voltage_pu: f64, nominal_v: f64) {
        self.meter.set(t_us, load);
        let share = self.current_a(load, voltage_pu, nominal_v) / self.rating_a;
        let watch = |since: &mut Option<Micros>, over: bool| {
            *since = if over { since.or(Some(t_us)) } else { None };
        };
        watch(&mut self.over_pickup_since, share > self.pickup);
        watch(&mut self.over_instant_since, share > self.instantaneous);
    }

    /// The current at the present load, all phases together.
    pub(super) fn current_a(&self, load: Milliwatts, voltage_pu: f64, nominal_v: f64) -> f64 {
        if voltage_pu > 0.0 {
            load as f64 / 1e3 / (voltage_pu * nominal_v)
        } else {
            0.0
        }
    }

    /// When it wants to be looked at again.
    pub(super) fn next_due(&self) -> Option<Micros> {
        let after = |since: Option<Micros>, delay: Micros| since.map(|s| s.saturating_add(delay));
        let trip = earlier(
            after(self.over_pickup_since, self.pickup_delay_us),
            after(self.over_instant_since, INSTANTANEOUS_US),
        );
        let outlets = match self.dead_since {
            Some(since) if self.outlets_on => Some(since + CONTROLLER_HOLD_UP_US),
            _ => self.restore_at,
        };
        earlier(trip, outlets)
    }
}
