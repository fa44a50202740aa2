//! A feeder of the grid: its own profile, or what a fault holds it at.

use super::bus::{Output, Source};
use super::ledger::Meter;
use super::site;
use super::timers::earlier;
use crate::clock::Micros;
use crate::units::{PerUnit, Span};

/// A feeder of the grid.
#[derive(Clone, Debug)]
pub(super) struct UtilityModel {
    /// Steps (microseconds from the start of the profile, voltage, frequency).
    steps: Vec<(Micros, f64, f64)>,
    /// Frequency when nothing is wrong.
    pub(super) nominal_hz: f64,
    started: Option<Micros>,
    held_pu: Option<f64>,
    held_hz: Option<f64>,
    /// A recording that it follows: when, and the voltage from then on.
    recording: Vec<(Micros, f64)>,
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
            held_hz: None,
            recording: Vec::new(),
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
        self.recording.clear();
        self.cause = match level_pu {
            Some(_) => "held from outside",
            None => "restored",
        };
    }

    /// Holds its frequency, or lets it follow its profile again.
    pub(super) fn hold_frequency(&mut self, hz: Option<f64>) {
        self.held_hz = hz;
        self.cause = match hz {
            Some(_) => "held from outside",
            None => "restored",
        };
    }

    /// Follows a recording from `t_us` on.
    pub(super) fn follow(&mut self, t_us: Micros, points: &[(Span, PerUnit)]) {
        let step = |(at, pu): &(Span, PerUnit)| (t_us.saturating_add(at.micros()), pu.get());
        self.held_pu = None;
        self.recording = points.iter().map(step).collect();
        self.recording.sort_by_key(|(at, _)| *at);
        self.cause = "recording";
    }

    /// A cut of it ended.
    pub(super) fn reconnected(&mut self) {
        self.cause = "restored";
    }

    /// Its output at `t_us`; `index` is its own among the buses. A hold of the
    /// voltage leaves the frequency the profile's, and the other way round.
    pub(super) fn output(&mut self, t_us: Micros, index: usize) -> Output {
        let (profile_pu, profile_hz) = self.profile(t_us);
        let recorded = self.recording.iter().take_while(|(at, _)| *at <= t_us);
        let recorded = recorded.last().map(|(_, pu)| pu.max(0.0));
        let voltage_pu = self.held_pu.or(recorded).unwrap_or(profile_pu);
        if voltage_pu <= 0.0 {
            return Output::DEAD;
        }
        Output {
            voltage_pu,
            frequency_hz: self.held_hz.unwrap_or(profile_hz),
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
        let profile = self.started.into_iter().flat_map(|started| {
            let steps = self.steps.iter();
            steps.map(move |step| started.saturating_add(step.0))
        });
        profile
            .chain(self.recording.iter().map(|(at, _)| *at))
            .filter(|at| *at > t_us)
            .fold(None, |next, at| earlier(next, Some(at)))
    }
}
