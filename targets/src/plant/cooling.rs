//! A cooling unit: contactors that drop out, and the way back.

use super::bus::{Notes, Output};
use super::event::{Change, CoolingState};
use super::ledger::{Meter, Milliwatts, milliwatts};
use super::site;
use crate::clock::Micros;

/// What it draws without a value of its own, as a share of its capacity.
const DRAW_SHARE: f64 = 1.0 / 3.0;

/// A cooling unit.
#[derive(Clone, Debug)]
pub(super) struct CoolingModel {
    /// Heat that it takes away.
    pub(super) capacity: Milliwatts,
    /// Its room, by index.
    pub(super) room: usize,
    draw: Milliwatts,
    dropout_pu: f64,
    swell_pu: f64,
    hold_us: Micros,
    auto_restart: bool,
    restart_us: Micros,
    /// Its state.
    pub(super) state: CoolingState,
    entered: Micros,
    bad: bool,
    since: Micros,
    told: bool,
    /// What it drew.
    pub(super) meter: Meter,
}

impl CoolingModel {
    pub(super) fn new(site: &site::Cooling, room: usize) -> Self {
        let capacity = site.capacity.get();
        let draw = site.draw.map_or(capacity * DRAW_SHARE, |draw| draw.get());
        Self {
            capacity: milliwatts(capacity),
            room,
            draw: milliwatts(draw),
            dropout_pu: site.dropout.get(),
            swell_pu: site.swell.map_or(f64::INFINITY, |swell| swell.get()),
            hold_us: site.hold.micros(),
            auto_restart: site.auto_restart,
            restart_us: site.restart.micros(),
            state: CoolingState::Running,
            entered: 0,
            bad: false,
            since: 0,
            told: false,
            meter: Meter::default(),
        }
    }

    /// Moves through every state that is due.
    pub(super) fn react(&mut self, t_us: Micros, input: Output, notes: &mut Notes) {
        let bad = input.voltage_pu < self.dropout_pu || input.voltage_pu > self.swell_pu;
        if bad != self.bad {
            self.bad = bad;
            self.since = t_us;
        }
        for _ in 0..4 {
            let Some((to, cause)) = self.next_state(t_us) else {
                break;
            };
            self.enter(t_us, to, cause, notes);
        }
        self.told = false;
    }

    fn next_state(&self, t_us: Micros) -> Option<(CoolingState, &'static str)> {
        use CoolingState as S;
        let trips = self.bad && self.since.saturating_add(self.hold_us) <= t_us;
        match self.state {
            S::Running | S::Restarting if trips && self.auto_restart => {
                Some((S::Tripped, "contactors dropped out"))
            }
            S::Running | S::Restarting if trips => Some((S::Locked, "contactors dropped out")),
            S::Running => None,
            S::Tripped => (!self.bad).then_some((S::Restarting, "voltage back")),
            S::Restarting => {
                let up = t_us >= self.entered.saturating_add(self.restart_us);
                up.then_some((S::Running, "restarted"))
            }
            S::Locked => (self.told && !self.bad).then_some((S::Restarting, "told to")),
        }
    }

    fn enter(&mut self, t_us: Micros, to: CoolingState, cause: &str, notes: &mut Notes) {
        let from = self.state;
        if from == to {
            return;
        }
        self.state = to;
        self.entered = t_us;
        notes.push((cause.to_string(), Change::Cooling { from, to }));
    }

    /// It trips and waits for a person.
    pub(super) fn trip(&mut self, t_us: Micros, notes: &mut Notes) {
        self.enter(t_us, CoolingState::Locked, "tripped", notes);
    }

    /// It runs again at once, where it has voltage.
    pub(super) fn put_back(&mut self, t_us: Micros, notes: &mut Notes) {
        let to = match self.bad {
            true => CoolingState::Tripped,
            false => CoolingState::Running,
        };
        self.enter(t_us, to, "put back", notes);
    }

    /// A person restarts it. Says whether that is possible.
    pub(super) fn restart(&mut self) -> bool {
        self.told = self.state == CoolingState::Locked;
        !self.bad
    }

    /// It cools.
    pub(super) fn runs(&self) -> bool {
        self.state == CoolingState::Running
    }

    /// What it draws from its bus.
    pub(super) fn carry(&mut self, t_us: Micros, input: Output) -> Milliwatts {
        let draw = if self.runs() && input.voltage_pu > 0.0 {
            self.draw
        } else {
            0
        };
        self.meter.set(t_us, draw);
        draw
    }

    /// When it wants to be looked at again.
    pub(super) fn next_due(&self) -> Option<Micros> {
        use CoolingState as S;
        match self.state {
            S::Running | S::Restarting if self.bad => Some(self.since.saturating_add(self.hold_us)),
            S::Restarting => Some(self.entered.saturating_add(self.restart_us)),
            S::Running | S::Tripped | S::Locked => None,
        }
    }
}
