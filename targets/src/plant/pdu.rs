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

/// One outlet: what it is, and what it will be.
#[derive(Clone, Copy, Debug)]
struct Outlet {
    on: bool,
    will: Option<(Micros, bool)>,
}

/// A power distribution unit.
#[derive(Clone, Debug)]
pub(super) struct PduModel {
    /// Rated current of the breaker.
    pub(super) rating_a: f64,
    pickup: f64,
    set_pickup: f64,
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
    /// Its controller has put the outlets as they are to be.
    alive: bool,
    outlets: Vec<Outlet>,
    on_delay_us: Micros,
    off_delay_us: Micros,
    /// The next outlet that switches by itself.
    outlet_due: Option<Micros>,
    /// Counts every switching of an outlet.
    pub(super) switchings: u32,
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
            set_pickup: site.breaker.pickup.get(),
            pickup_delay_us: site.breaker.pickup_delay.micros(),
            instantaneous: site.breaker.instantaneous.get(),
            policy: site.restore,
            restore_delay_us: site.restore_delay.micros(),
            closed: true,
            tripped: false,
            alive: true,
            outlets: Vec::new(),
            on_delay_us: site.outlet_on_delay.micros(),
            off_delay_us: site.outlet_off_delay.micros(),
            outlet_due: None,
            switchings: 0,
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
            self.set_all(Some(true));
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
        self.switch_outlets(t_us, notes);
        out
    }

    fn restore(&mut self, t_us: Micros, voltage_pu: f64) {
        if voltage_pu < CONTROLLER_DROPOUT_PU {
            self.restore_at = None;
            let since = *self.dead_since.get_or_insert(t_us);
            if since + CONTROLLER_HOLD_UP_US <= t_us {
                self.switchings += u32::from(self.alive);
                self.alive = false;
            }
            return;
        }
        self.dead_since = None;
        if self.alive {
            return;
        }
        let at = *self
            .restore_at
            .get_or_insert(t_us.saturating_add(self.restore_delay_us));
        if at <= t_us {
            self.restore_at = None;
            self.set_all(match self.policy {
                RestorePolicy::AlwaysOn => Some(true),
                RestorePolicy::AlwaysOff => Some(false),
                RestorePolicy::LastState => None,
            });
        }
    }

    /// Its controller puts every outlet to a state, or to what it was.
    fn set_all(&mut self, to: Option<bool>) {
        self.alive = true;
        self.switchings += 1;
        self.outlet_due = None;
        for outlet in &mut self.outlets {
            outlet.on = to.unwrap_or(outlet.on);
            outlet.will = None;
        }
    }

    /// One more cord is plugged in. Returns its outlet.
    pub(super) fn plug_in(&mut self) -> usize {
        self.outlets.push(Outlet {
            on: true,
            will: None,
        });
        self.outlets.len() - 1
    }

    /// An outlet conducts.
    pub(super) fn conducts(&self, outlet: usize) -> bool {
        self.alive && self.outlets.get(outlet).is_some_and(|outlet| outlet.on)
    }

    /// What an outlet will switch to by itself.
    pub(super) fn pending(&self, outlet: usize) -> Option<bool> {
        let will = self.outlets.get(outlet)?.will;
        will.map(|(_, on)| on)
    }

    /// How many cords are plugged in.
    pub(super) fn outlets(&self) -> usize {
        self.outlets.len()
    }

    /// Its controller has supply.
    pub(super) fn has_supply(&self) -> bool {
        self.alive && self.dead_since.is_none()
    }

    /// An outlet is to switch, at once or after its delay.
    pub(super) fn order(&mut self, t_us: Micros, outlet: usize, on: bool, at_once: bool) {
        let delay = match (at_once, on) {
            (true, _) => 0,
            (false, true) => self.on_delay_us,
            (false, false) => self.off_delay_us,
        };
        if let Some(outlet) = self.outlets.get_mut(outlet) {
            outlet.will = Some((t_us.saturating_add(delay), on));
        }
        self.find_due();
    }

    fn find_due(&mut self) {
        let due = self.outlets.iter().filter_map(|o| o.will.map(|(at, _)| at));
        self.outlet_due = due.min();
    }

    fn switch_outlets(&mut self, t_us: Micros, notes: &mut Notes) {
        if self.outlet_due.is_none_or(|at| at > t_us) {
            return;
        }
        for (index, outlet) in self.outlets.iter_mut().enumerate() {
            let Some((_, on)) = outlet.will.filter(|(at, _)| *at <= t_us) else {
                continue;
            };
            outlet.will = None;
            if outlet.on != on {
                outlet.on = on;
                self.switchings += 1;
                let change = Change::Outlet { outlet: index, on };
                notes.push(("told to".to_string(), change));
            }
        }
        self.find_due();
    }

    /// The breaker trips at another share of its rating than it was set to.
    pub(super) fn set_pickup(&mut self, pickup: Option<f64>) {
        self.pickup = pickup.unwrap_or(self.set_pickup);
    }

    /// The share of its rating above which it trips, where that is not what it
    /// was set to.
    pub(super) fn wrong_pickup(&self) -> Option<f64> {
        (self.pickup != self.set_pickup).then_some(self.pickup)
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
            Some(since) if self.alive => Some(since + CONTROLLER_HOLD_UP_US),
            _ => self.restore_at,
        };
        earlier(earlier(trip, outlets), self.outlet_due)
    }
}
