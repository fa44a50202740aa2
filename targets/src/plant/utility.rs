//! A feeder of the grid: its own profile, or what a fault holds it at.

use super::bus::{Output, Source};
use super::ledger::Meter;
use super::site;
use super::timers::earlier;
use crate::clock::Micros;

/// A feeder of the grid.
#[derive(Clone, Debug)]
pub(super) struct UtilityModel {
    /// Steps (microseconds from the start of the profile, voltage, frequency).
    steps: Vec<(Micros, f64, f64)>,
    /// Frequency when nothing is wrong.
    pub(super) nominal_hz: f64,
    started: Option<Micros>,
    held_pu: Option<f64>,
    /// Why it last changed.
    pub(super) cause: &'static str,
    /// What was drawn from it.
    pub(super) meter: Meter,
}

impl UtilityModel {
    pub(super) fn new(site: &site::Utility, nominal_hz: f64) -> Self {
        let step = |p: &site::Profile| {
            let hz = p.frequency.map_or(nominal_hz, |f| f.get());
            (p.at.micros(), p.voltage.get(), hz)
        };
        Self {
            steps: site.profile.iter().map(step).collect(),
            nominal_hz,
            started: None,
            held_pu: None,
            cause: "profile",
            meter: Meter::default(),
        }
    }

    /// Its profile counts from `at_us`.
    pub(super) fn start(&mut self, at_us: Micros) {
        self.started = Some(at_us);
    }

    /// Holds its voltage at a level, or lets it follow its profile again.
    pub(super) fn hold(&mut self, level_pu: Option<f64>) {
        self.held_pu = level_pu;
        self.cause = match level_pu {
            Some(_) => "held from outside",
            None => "restored",
        };
    }

    /// A cut of it ended.
    pub(super) fn reconnected(&mut self) {
        self.cause = "restored";
    }

    /// Its output at `t_us`; `index` is its own among the buses. A hold fixes
    /// the voltage only: the frequency stays the profile's.
    pub(super) fn output(&mut self, t_us: Micros, index: usize) -> Output {
        let (profile_pu, hz) = self.profile(t_us);
        let voltage_pu = self.held_pu.unwrap_or(profile_pu);
        if voltage_pu <= 0.0 {
            return Output::DEAD;
        }
        Output {
            voltage_pu,
            frequency_hz: hz,
            source: Source::Utility(index),
        }
    }

    fn profile(&self, t_us: Micros) -> (f64, f64) {
        let Some(started) = self.started else {
            return (1.0, self.nominal_hz);
        };
        self.steps
            .iter()
            .take_while(|s| started.saturating_add(s.0) <= t_us)
            .last()
            .map_or((1.0, self.nominal_hz), |s| (s.1, s.2))
    }

    /// Its next step after `t_us`.
    pub(super) fn next_due(&self, t_us: Micros) -> Option<Micros> {
        let started = self.started?;
        self.steps
            .iter()
            .map(|s| started.saturating_add(s.0))
            .filter(|at| *at > t_us)
            .fold(None, |next, at| earlier(next, Some(at)))
    }
}
