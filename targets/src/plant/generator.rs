//! A generator: from the loss of the mains to good voltage, and what can go
//! wrong on the way.
//!
//! Its voltage dips when load comes at once and recovers exponentially. The
//! recovery goes up in steps, so that voltages stay constant between events;
//! a new load shows half a cycle after it came, as an RMS value does.

use super::bus::{Notes, Output, Source};
use super::event::{Change, GeneratorFault, GeneratorState};
use super::ledger::{Meter, Milliwatts, milliwatts};
use super::site;
use super::timers::{earlier, microseconds_for};
use crate::clock::Micros;

/// After so long a change of load shows in the voltage.
const HALF_CYCLE_US: Micros = 10_000;
/// Steps in which the voltage recovers.
const RECOVERY_STEP_US: Micros = 100_000;
/// A dip smaller than this is over.
const DIP_ENDS_PU: f64 = 0.005;
/// Voltage and frequency, as shares of nominal, where it is unstable.
const UNSTABLE: (f64, f64) = (0.84, 0.93);
/// Fuel burnt without load, as a share of that at rated power (typical).
const IDLE_BURN: f64 = 0.25;

/// A generator.
#[derive(Clone, Debug)]
pub(super) struct GeneratorModel {
    site: site::Generator,
    nominal_hz: f64,
    /// Rated output power.
    pub(super) rating: Milliwatts,
    /// Its state.
    pub(super) state: GeneratorState,
    entered: Micros,
    /// It was told to run.
    pub(super) called: bool,
    mains_out: bool,
    /// Attempts to start since it was last at rest.
    pub(super) attempts: u32,
    fails_to_start: bool,
    unstable: bool,
    tripped: bool,
    /// It overheats after so long under load, whatever the site says.
    hot_after: Option<Micros>,
    /// Why it is in fault.
    pub(super) fault: &'static str,
    load: Milliwatts,
    /// The load that the voltage has seen.
    seen: Milliwatts,
    shows_at: Option<Micros>,
    dip: f64,
    dip_at: Micros,
    over_since: Option<Micros>,
    loaded_since: Option<Micros>,
    /// Fuel at `fuel_at`, in microseconds at rated power, and how fast it
    /// goes.
    fuel_us: Option<f64>,
    fuel_at: Micros,
    burn: f64,
    /// What was drawn from it.
    pub(super) meter: Meter,
}

impl GeneratorModel {
    pub(super) fn new(site: &site::Generator, nominal_hz: f64) -> Self {
        Self {
            nominal_hz,
            rating: milliwatts(site.rating.get()),
            state: GeneratorState::Off,
            entered: 0,
            called: false,
            mains_out: false,
            attempts: 0,
            fails_to_start: site.fails_to_start,
            unstable: site.unstable,
            tripped: false,
            hot_after: None,
            fault: "",
            load: 0,
            seen: 0,
            shows_at: None,
            dip: 0.0,
            dip_at: 0,
            over_since: None,
            loaded_since: None,
            fuel_us: site.fuel.map(|fuel| fuel.micros() as f64),
            fuel_at: 0,
            burn: 0.0,
            meter: Meter::default(),
            site: site.clone(),
        }
    }

    fn wanted(&self) -> bool {
        self.called || self.mains_out
    }

    /// It turns at speed.
    fn runs(&self) -> bool {
        use GeneratorState as S;
        matches!(self.state, S::Ready | S::Loaded | S::Cooldown)
    }

    /// Handles what is due and returns its output; `mains` is what it backs
    /// up, `index` its own among the buses.
    pub(super) fn react(
        &mut self,
        t_us: Micros,
        mains: Option<Output>,
        index: usize,
        notes: &mut Notes,
    ) -> Output {
        let low = self.site.start_below.get();
        self.mains_out = mains.is_some_and(|mains| mains.voltage_pu < low);
        for _ in 0..8 {
            let Some((to, cause)) = self.next_state(t_us) else {
                break;
            };
            self.enter(t_us, to, cause, notes);
        }
        self.show_load(t_us);
        self.output(t_us, index)
    }

    fn next_state(&self, t_us: Micros) -> Option<(GeneratorState, &'static str)> {
        use GeneratorState as S;
        let for_us = t_us - self.entered;
        if self.runs()
            && let Some(why) = self.failure(t_us)
        {
            return Some((S::Fault, why));
        }
        match self.state {
            S::Off | S::Sensing if self.tripped => Some((S::Fault, "tripped")),
            S::Off | S::Sensing if self.called => Some((S::Cranking, "told to start")),
            S::Off => self.mains_out.then_some((S::Sensing, "mains lost")),
            S::Sensing if !self.mains_out => Some((S::Off, "mains back")),
            S::Sensing => {
                (for_us >= self.site.sense.micros()).then_some((S::Cranking, "mains lost"))
            }
            S::Cranking if !self.fails_to_start && for_us >= self.site.crank.micros() => {
                Some((S::Ready, "at speed"))
            }
            S::Cranking if for_us < self.site.crank_limit.micros() => None,
            S::Cranking if self.attempts >= self.site.attempts => {
                Some((S::Fault, "does not start"))
            }
            S::Cranking => Some((S::Resting, "does not start")),
            S::Resting if for_us < self.site.rest.micros() => None,
            S::Resting if self.wanted() => Some((S::Cranking, "next attempt")),
            S::Resting => Some((S::Off, "not needed")),
            S::Ready => (!self.wanted() && self.load == 0).then_some((S::Cooldown, "not needed")),
            S::Cooldown if self.wanted() => Some((S::Ready, "needed")),
            S::Cooldown => {
                (for_us >= self.site.cooldown.micros()).then_some((S::Off, "cooled down"))
            }
            S::Loaded | S::Fault => None,
        }
    }

    fn failure(&self, t_us: Micros) -> Option<&'static str> {
        let after = |since: Option<Micros>, delay: Micros| {
            since.is_some_and(|since| since.saturating_add(delay) <= t_us)
        };
        let hot = self.hot_after();
        match () {
            () if self.tripped => Some("tripped"),
            () if self.fuel(t_us).is_some_and(|fuel| fuel <= 0.0) => Some("out of fuel"),
            () if after(self.over_since, self.site.overload_delay.micros()) => Some("overload"),
            () if hot.is_some_and(|hot| after(self.loaded_since, hot)) => Some("overheated"),
            () => None,
        }
    }

    fn enter(&mut self, t_us: Micros, to: GeneratorState, cause: &'static str, notes: &mut Notes) {
        use GeneratorState as S;
        let from = self.state;
        match to {
            S::Off | S::Sensing => self.attempts = 0,
            S::Cranking => self.attempts += 1,
            S::Fault => self.fault = cause,
            _ => {}
        }
        self.state = to;
        self.entered = t_us;
        if !self.runs() {
            (self.dip, self.seen, self.shows_at) = (0.0, 0, None);
            (self.over_since, self.loaded_since) = (None, None);
        }
        notes.push((cause.to_string(), Change::Generator { from, to }));
    }

    /// The load's last change becomes visible in the voltage.
    fn show_load(&mut self, t_us: Micros) {
        if self.shows_at.is_none_or(|at| at > t_us) {
            return;
        }
        self.shows_at = None;
        let step = (self.load - self.seen) as f64 / self.rating as f64;
        self.dip = self.dip_now(t_us) + self.site.step_dip.get() * step;
        self.dip_at = t_us;
        self.seen = self.load;
    }

    /// The dip, held over each step of the recovery.
    fn dip_now(&self, t_us: Micros) -> f64 {
        let steps = (t_us - self.dip_at) / RECOVERY_STEP_US;
        let dt = (steps * RECOVERY_STEP_US) as f64 / self.site.recovery.micros().max(1) as f64;
        let dip = self.dip * (-dt).exp();
        if dip.abs() < DIP_ENDS_PU { 0.0 } else { dip }
    }

    fn output(&self, t_us: Micros, index: usize) -> Output {
        if !self.runs() {
            return Output::DEAD;
        }
        let (v, hz) = if self.unstable { UNSTABLE } else { (1.0, 1.0) };
        Output {
            voltage_pu: (v - self.dip_now(t_us)).clamp(0.01, 1.5),
            frequency_hz: hz * self.nominal_hz,
            source: Source::Generator(index),
        }
    }

    /// Takes the load at its output.
    pub(super) fn carry(&mut self, t_us: Micros, load: Milliwatts, notes: &mut Notes) {
        use GeneratorState as S;
        self.fuel_us = self.fuel(t_us);
        self.fuel_at = t_us;
        self.load = load;
        self.meter.set(t_us, load);
        if self.runs() {
            let to = match (self.state, load > 0) {
                (_, true) => S::Loaded,
                (S::Loaded, false) => S::Ready,
                (state, false) => state,
            };
            if to != self.state {
                self.enter(
                    t_us,
                    to,
                    if load > 0 { "load on" } else { "load off" },
                    notes,
                );
            }
            if load != self.seen {
                self.shows_at = self.shows_at.or(Some(t_us + HALF_CYCLE_US));
            }
        }
        let share = load as f64 / self.rating as f64;
        self.burn = if self.runs() {
            IDLE_BURN + (1.0 - IDLE_BURN) * share
        } else {
            0.0
        };
        let watch = |since: Option<Micros>, is: bool| if is { since.or(Some(t_us)) } else { None };
        self.over_since = watch(
            self.over_since,
            self.runs() && share > self.site.overload.get(),
        );
        self.loaded_since = watch(self.loaded_since, self.state == S::Loaded);
    }

    /// How long it carries load before it overheats, where it does.
    fn hot_after(&self) -> Option<Micros> {
        let built = self.site.trip_after.map(|after| after.micros());
        self.hot_after.or(built)
    }

    fn fuel(&self, t_us: Micros) -> Option<f64> {
        let burnt = self.burn * (t_us - self.fuel_at) as f64;
        self.fuel_us.map(|fuel| (fuel - burnt).max(0.0))
    }

    /// Hours of fuel at rated power; 0 where it is not counted.
    pub(super) fn fuel_h(&self, t_us: Micros) -> f64 {
        self.fuel(t_us).map_or(0.0, |fuel| fuel / 3.6e9)
    }

    /// Something in it breaks.
    pub(super) fn breaks(&mut self, how: GeneratorFault) {
        match how {
            GeneratorFault::Start => self.fails_to_start = true,
            GeneratorFault::Trip => self.tripped = true,
            GeneratorFault::Unstable => self.unstable = true,
            GeneratorFault::Overheat { after } => self.hot_after = Some(after.micros()),
        }
    }

    /// What is broken in it, whether or not it shows.
    pub(super) fn defects(&self) -> Vec<&'static str> {
        let all = [
            (self.fails_to_start, "does not start"),
            (self.tripped, "tripped"),
            (self.unstable, "unstable"),
            (self.hot_after.is_some(), "overheats"),
        ];
        let there = all.into_iter().filter(|(is, _)| *is);
        there.map(|(_, defect)| defect).collect()
    }

    /// It is as its maker built it again.
    pub(super) fn repaired(&mut self, t_us: Micros, notes: &mut Notes) {
        (self.fails_to_start, self.tripped, self.unstable) = (false, false, false);
        self.hot_after = None;
        self.reset(t_us, "repaired", notes);
    }

    /// A fault is cleared by hand. Says whether there was one.
    pub(super) fn reset(&mut self, t_us: Micros, cause: &'static str, notes: &mut Notes) -> bool {
        let was = self.state == GeneratorState::Fault;
        if was {
            self.fault = "";
            self.enter(t_us, GeneratorState::Off, cause, notes);
        }
        was
    }

    /// When it wants to be looked at again.
    pub(super) fn next_due(&self, t_us: Micros) -> Option<Micros> {
        use GeneratorState as S;
        let in_state = |span: crate::units::Span| Some(self.entered.saturating_add(span.micros()));
        let state = match self.state {
            S::Sensing => in_state(self.site.sense),
            S::Cranking if !self.fails_to_start => in_state(self.site.crank),
            S::Cranking => in_state(self.site.crank_limit),
            S::Resting => in_state(self.site.rest),
            S::Ready if !self.wanted() && self.load == 0 => Some(t_us),
            S::Cooldown => in_state(self.site.cooldown),
            S::Off | S::Ready | S::Loaded | S::Fault => None,
        };
        if !self.runs() {
            return state;
        }
        let after = |since: Option<Micros>, span: crate::units::Span| {
            since.map(|since| since.saturating_add(span.micros()))
        };
        let hot = self
            .hot_after()
            .and_then(|hot| Some(self.loaded_since?.saturating_add(hot)));
        let over = after(self.over_since, self.site.overload_delay);
        let fuel = self
            .fuel_us
            .and_then(|fuel| microseconds_for(fuel, self.burn));
        let fuel = fuel.map(|dt| self.fuel_at.saturating_add(dt));
        let step = (t_us - self.dip_at) / RECOVERY_STEP_US + 1;
        let recovery = self.dip_now(t_us) != 0.0;
        let recovery = recovery.then(|| self.dip_at + step * RECOVERY_STEP_US);
        [hot, over, fuel, recovery, self.shows_at]
            .into_iter()
            .fold(state, earlier)
    }
}
