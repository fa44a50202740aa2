//! A BESS and its states.
//!
//! Its bus hangs on the grid through a breaker. While it follows the grid it
//! holds no voltage, so that the bus dies with the grid. Once the breaker is
//! open and it was told to form, it carries the bus alone.

use super::super::bus::{Notes, Output, Source};
use super::super::event::{BessState, Change};
use super::super::ledger::{Meter, Milliwatts, Nanojoules, milliwatts};
use super::super::site;
use crate::clock::Micros;

/// Grid voltages that it accepts to close its breaker on (typical).
const GRID_PU: [f64; 2] = [0.9, 1.1];
/// How far the grid's frequency may be off, as a share (typical).
const GRID_HZ: f64 = 0.01;
/// Overload bands: so long above the rating, and above the overload limit.
pub(super) const OVERLOAD_US: [Micros; 2] = [10_000_000, 100_000];

/// A BESS.
#[derive(Clone, Debug)]
pub(in super::super) struct BessModel {
    pub(super) site: site::Bess,
    nominal_hz: f64,
    /// Rated power.
    pub(in super::super) rating: Milliwatts,
    /// Its state.
    pub(in super::super) state: BessState,
    pub(super) entered: Micros,
    /// Its breaker to the grid conducts.
    pub(in super::super) closed: bool,
    pub(super) grid_good: bool,
    pub(super) grid_since: Micros,
    /// It was told to form, or to close its breaker once it can.
    pub(super) told_form: bool,
    pub(super) told_close: bool,
    pub(super) told_run: bool,
    pub(super) told_connect: bool,
    /// The power that it was told to give, positive when discharging.
    pub(in super::super) set: Option<Milliwatts>,
    pub(super) heard_at: Option<Micros>,
    /// It hears its controller.
    pub(in super::super) heard: bool,
    /// Why it is in fault.
    pub(in super::super) fault: &'static str,
    pub(super) over: [Option<Micros>; 2],
    /// Energy in its cells, exact, in nanojoules, at `since`.
    pub(super) store: Nanojoules,
    pub(super) capacity: Nanojoules,
    /// Energy at which it stops to discharge.
    pub(super) floor: Nanojoules,
    pub(super) since: Micros,
    /// What leaves the cells, negative when it comes in.
    pub(super) dc: Milliwatts,
    /// What it gives to its bus, negative when it charges.
    pub(in super::super) ac: Milliwatts,
    pub(super) meters: Meters,
}

/// Energy meters of a BESS.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meters {
    pub(super) input: Meter,
    pub(super) output: Meter,
    pub(super) charged: Meter,
    pub(super) discharged: Meter,
}

impl BessModel {
    pub(in super::super) fn new(site: &site::Bess, nominal_hz: f64) -> Self {
        let capacity = site.energy.get() * site.health.get() * 3.6e12;
        Self {
            nominal_hz,
            rating: milliwatts(site.rating.get()),
            state: BessState::Following,
            entered: 0,
            closed: true,
            grid_good: true,
            grid_since: 0,
            told_form: false,
            told_close: true,
            told_run: true,
            told_connect: true,
            set: None,
            heard_at: None,
            heard: false,
            fault: "",
            over: [None; 2],
            store: (capacity * site.charge.get()).round() as Nanojoules,
            capacity: capacity.round() as Nanojoules,
            floor: (capacity * site.lowest.get()).round() as Nanojoules,
            since: 0,
            dc: 0,
            ac: 0,
            meters: Meters::default(),
            site: site.clone(),
        }
    }

    fn accepts(&self, grid: Output) -> bool {
        let [low, high] = GRID_PU;
        let off = (grid.frequency_hz / self.nominal_hz - 1.0).abs();
        (low..=high).contains(&grid.voltage_pu) && off <= GRID_HZ
    }

    /// Moves through every state that is due and returns the voltage of its
    /// bus; `index` is its own among the buses.
    pub(in super::super) fn react(
        &mut self,
        t_us: Micros,
        grid: Output,
        index: usize,
        notes: &mut Notes,
    ) -> Output {
        if self.accepts(grid) != self.grid_good {
            self.grid_good = !self.grid_good;
            self.grid_since = t_us;
        }
        self.settle(t_us);
        self.listen(t_us, notes);
        for _ in 0..8 {
            self.move_breaker(t_us, notes);
            let Some((to, cause)) = self.next_state(t_us) else {
                break;
            };
            self.enter(t_us, to, cause, notes);
        }
        let forms = self.state == BessState::Forming;
        match (self.closed, forms) {
            (true, _) => grid,
            (false, true) => Output {
                voltage_pu: 1.0,
                frequency_hz: self.nominal_hz,
                source: Source::Battery(index),
            },
            (false, false) => Output::DEAD,
        }
    }

    /// The controller's heartbeat stays away: what it ordered lapses.
    fn listen(&mut self, t_us: Micros, notes: &mut Notes) {
        let limit = self.site.heartbeat.micros();
        let heard = self
            .heard_at
            .is_some_and(|at| at.saturating_add(limit) > t_us);
        if self.heard && !heard {
            self.set = None;
        }
        if self.heard != heard {
            self.heard = heard;
            let cause = if heard { "heartbeat" } else { "no heartbeat" };
            notes.push((cause.to_string(), Change::Heartbeat { heard }));
        }
    }

    fn move_breaker(&mut self, t_us: Micros, notes: &mut Notes) {
        let lost = self.site.inline && self.state == BessState::Following && !self.grid_good;
        let synced = self.grid_good && t_us >= self.grid_since.saturating_add(self.resync_us());
        let (closed, cause) = match self.closed {
            true if lost && self.can_discharge() => (false, "grid lost"),
            true if !self.told_close => (false, "told to"),
            false if self.told_close && synced => (true, "in step with the grid"),
            as_it_is => (as_it_is, ""),
        };
        if closed == self.closed {
            return;
        }
        self.closed = closed;
        if closed {
            self.told_form = false;
        } else if lost {
            self.told_form = true;
        }
        notes.push((cause.to_string(), Change::GridBreaker { closed }));
    }

    pub(super) fn resync_us(&self) -> Micros {
        self.site.resync.micros()
    }

    pub(super) fn can_discharge(&self) -> bool {
        self.store > self.floor
    }

    fn next_state(&self, t_us: Micros) -> Option<(BessState, &'static str)> {
        use BessState as S;
        let for_us = t_us - self.entered;
        let after = |since: Option<Micros>, delay: Micros| {
            since.is_some_and(|since| since.saturating_add(delay) <= t_us)
        };
        let over = self.over.iter().zip(OVERLOAD_US);
        let overloaded = over.into_iter().any(|(since, delay)| after(*since, delay));
        match self.state {
            S::Fault => None,
            _ if overloaded => Some((S::Fault, "overload")),
            S::Disconnected => self
                .told_connect
                .then_some((S::Initializing, "told to connect")),
            _ if !self.told_connect => Some((S::Disconnected, "told to disconnect")),
            S::Initializing => {
                (for_us >= self.site.initialize.micros()).then_some((S::Standby, "ready"))
            }
            S::Standby if self.told_run => Some((S::Following, "told to run")),
            S::Standby => None,
            _ if !self.told_run => Some((S::Standby, "told to stand by")),
            S::Following if self.told_form && !self.closed && self.can_discharge() => {
                Some((S::Starting, "told to form"))
            }
            S::Following => None,
            S::Starting | S::Forming if self.closed => Some((S::Following, "breaker closed")),
            S::Starting | S::Forming if !self.told_form => Some((S::Following, "told to follow")),
            S::Starting | S::Forming if !self.can_discharge() => {
                Some((S::Following, "lowest charge"))
            }
            S::Starting => {
                (for_us >= self.transition_us()).then_some((S::Forming, "bus energised"))
            }
            S::Forming => None,
        }
    }

    pub(super) fn transition_us(&self) -> Micros {
        if self.site.inline {
            0
        } else {
            self.site.transition.micros()
        }
    }

    fn enter(&mut self, t_us: Micros, to: BessState, cause: &'static str, notes: &mut Notes) {
        let from = self.state;
        self.state = to;
        self.entered = t_us;
        self.over = [None; 2];
        match to {
            BessState::Fault => self.fault = cause,
            // It must not come back by itself on what little is left.
            BessState::Following if !self.can_discharge() => self.told_form = false,
            _ => {}
        }
        let charge = self.charge(t_us);
        notes.push((cause.to_string(), Change::Bess { from, to, charge }));
    }
}
