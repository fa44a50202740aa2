//! A room: its air warms up while less heat is taken away than comes in.
//!
//! Powers are constant between events, so that the temperature is a straight
//! line and every limit is crossed at a time that is known.

use super::bus::Notes;
use super::event::{Change, HeatLevel};
use super::ledger::Milliwatts;
use super::site;
use super::timers::microseconds_for;
use crate::clock::Micros;

/// A limit is left only so far below it (typical).
const HYSTERESIS_C: f64 = 2.0;
/// Clocks of a machine that is too warm (typical).
const THROTTLED_CLOCKS: f64 = 0.5;
/// Temperatures closer than this are the same.
const CLOSE_C: f64 = 1e-7;

/// A room.
#[derive(Clone, Debug)]
pub(super) struct RoomModel {
    /// Its name: that of its first cooling unit.
    pub(super) name: String,
    /// Its cooling units, by bus.
    pub(super) units: Vec<usize>,
    /// Its racks.
    pub(super) racks: Vec<usize>,
    limits: site::Room,
    /// Heat capacity in joules per kelvin, once its machines are known.
    joules_per_k: f64,
    /// Heat of its machines.
    pub(super) heat: Milliwatts,
    celsius: f64,
    since: Micros,
    per_us: f64,
    /// How warm it is.
    pub(super) level: HeatLevel,
}

impl RoomModel {
    pub(super) fn new(name: &str, limits: &site::Room) -> Self {
        Self {
            name: name.to_string(),
            units: Vec::new(),
            racks: Vec::new(),
            limits: limits.clone(),
            joules_per_k: 0.0,
            heat: 0,
            celsius: limits.supply.get(),
            since: 0,
            per_us: 0.0,
            level: HeatLevel::Normal,
        }
    }

    /// One more machine, that draws at most so much and now this.
    pub(super) fn add_machine(&mut self, peak: Milliwatts, now: Milliwatts) {
        let rise = self.limits.trip.get() - self.limits.supply.get();
        let seconds = self.limits.time_to_trip.secs_f64();
        self.joules_per_k += peak as f64 / 1e3 * seconds / rise;
        self.heat += now;
    }

    /// Temperature in degrees Celsius.
    pub(super) fn celsius(&self, t_us: Micros) -> f64 {
        let celsius = self.celsius + self.per_us * (t_us - self.since) as f64;
        celsius.max(self.limits.supply.get())
    }

    /// Warning, throttle and shutdown temperatures.
    pub(super) fn limits_c(&self) -> [f64; 3] {
        let limits = &self.limits;
        [limits.warning, limits.throttle, limits.trip].map(|limit| limit.get())
    }

    /// Looks at the temperature, and goes on with this cooling.
    pub(super) fn react(&mut self, t_us: Micros, cooling: Milliwatts, notes: &mut Notes) {
        self.celsius = self.celsius(t_us);
        self.since = t_us;
        let (from, to) = (self.level, self.level_now());
        if from != to {
            self.level = to;
            let cause = if self.per_us > 0.0 {
                "warmer"
            } else {
                "cooler"
            };
            let celsius = self.celsius;
            notes.push((cause.to_string(), Change::Temperature { from, to, celsius }));
        }
        self.flow(cooling);
    }

    /// Heat and cooling go on like this.
    fn flow(&mut self, cooling: Milliwatts) {
        let net = (self.heat - cooling) as f64 / 1e3;
        let cold = self.celsius <= self.limits.supply.get() + CLOSE_C;
        self.per_us = match net {
            net if net <= 0.0 && cold => 0.0,
            net if self.joules_per_k > 0.0 => net / self.joules_per_k / 1e6,
            _ => 0.0,
        };
    }

    fn level_now(&self) -> HeatLevel {
        use HeatLevel as L;
        let at = self.celsius + CLOSE_C;
        let [warning, throttle, trip] = self.limits_c();
        let left = |limit: f64| self.celsius <= limit - HYSTERESIS_C + CLOSE_C;
        match self.level {
            _ if at >= trip => L::Tripped,
            L::Tripped if !left(warning) => L::Tripped,
            _ if at >= throttle => L::Throttling,
            L::Throttling if !left(throttle) => L::Throttling,
            _ if at >= warning => L::Warning,
            L::Warning if !left(warning) => L::Warning,
            L::Throttling if !left(warning) => L::Warning,
            _ => L::Normal,
        }
    }

    /// What the heat leaves of a machine's clocks, and whether it keeps the
    /// machine off.
    pub(super) fn effect(&self) -> (f64, bool) {
        match self.level {
            HeatLevel::Normal | HeatLevel::Warning => (1.0, false),
            HeatLevel::Throttling => (THROTTLED_CLOCKS, false),
            HeatLevel::Tripped => (1.0, true),
        }
    }

    /// When it wants to be looked at again.
    pub(super) fn next_due(&self) -> Option<Micros> {
        let [warning, throttle, trip] = self.limits_c();
        let mut marks = vec![warning, throttle, trip, self.limits.supply.get()];
        marks.extend([warning - HYSTERESIS_C, throttle - HYSTERESIS_C]);
        let ahead = |mark: &f64| match self.per_us {
            up if up > 0.0 => *mark > self.celsius + CLOSE_C,
            down if down < 0.0 => *mark < self.celsius - CLOSE_C,
            _ => false,
        };
        let distance = |mark: f64| (mark - self.celsius).abs();
        let ahead = marks.into_iter().filter(ahead).map(distance);
        let nearest = ahead.fold(f64::INFINITY, f64::min);
        let dt = microseconds_for(nearest, self.per_us.abs())?;
        Some(self.since.saturating_add(dt))
    }
}
