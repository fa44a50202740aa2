//! Curves that say which disturbances equipment must ride through, and the
//! names of disturbances.
//!
//! A disturbance is a duration and the voltage that is left, per unit. The
//! curves are steps, so that the standards' own points are met exactly.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::units::{PerUnit, Span};

/// A ride-through curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RideThrough {
    /// ITIC (CBEMA), 2000: single-phase information technology.
    Itic,
    /// SEMI F47-0706: equipment of semiconductor plants.
    #[serde(rename = "semi_f47")]
    SemiF47,
    /// IEC 61000-4-11 and -34, class 2: public networks.
    #[serde(rename = "iec_61000_4_11_class_2")]
    Iec61000Class2,
    /// IEC 61000-4-11 and -34, class 3: industrial networks.
    #[serde(rename = "iec_61000_4_11_class_3")]
    Iec61000Class3,
}

/// Up to this duration the voltage may fall to this value.
type Steps = &'static [(Micros, f64)];

const ITIC_LOWER: Steps = &[(20_000, 0.0), (500_000, 0.7), (10_000_000, 0.8)];
const F47: Steps = &[(200_000, 0.5), (500_000, 0.7), (1_000_000, 0.8)];
/// Cycles are those of 50 Hz; the longer steps are the same at 60 Hz.
const CLASS_2: Steps = &[(20_000, 0.0), (500_000, 0.7)];
const CLASS_3: Steps = &[
    (20_000, 0.0),
    (200_000, 0.4),
    (500_000, 0.7),
    (5_000_000, 0.8),
];
/// Longer than every step: the range of normal operation.
const LASTING_LOW: f64 = 0.9;
/// The same above nominal.
const LASTING_HIGH: f64 = 1.1;
/// ITIC above nominal up to 3 ms: microseconds and per unit, joined by power
/// laws.
const ITIC_SURGE: [(f64, f64); 3] = [(167.0, 5.0), (1_000.0, 2.0), (3_000.0, 1.4)];

impl RideThrough {
    /// The lowest voltage that must be ridden through for so long.
    pub fn lowest(self, duration: Span) -> PerUnit {
        let steps = match self {
            Self::Itic => ITIC_LOWER,
            Self::SemiF47 => F47,
            Self::Iec61000Class2 => CLASS_2,
            Self::Iec61000Class3 => CLASS_3,
        };
        let step = steps.iter().find(|(until, _)| duration.micros() <= *until);
        PerUnit(step.map_or(LASTING_LOW, |(_, pu)| *pu))
    }

    /// The highest voltage that must be ridden through for so long. Only ITIC
    /// speaks of swells; the others mean the range of normal operation.
    pub fn highest(self, duration: Span) -> PerUnit {
        PerUnit(match (self, duration.micros()) {
            (Self::Itic, us) if us <= 3_000 => itic_surge(us as f64),
            (Self::Itic, us) if us <= 500_000 => 1.2,
            _ => LASTING_HIGH,
        })
    }

    /// Equipment that meets the curve rides through a disturbance of this
    /// duration that leaves this voltage.
    pub fn covers(self, duration: Span, retained: PerUnit) -> bool {
        retained >= self.lowest(duration) && retained <= self.highest(duration)
    }
}

fn itic_surge(us: f64) -> f64 {
    let [first, middle, last] = ITIC_SURGE;
    let (from, to) = if us <= middle.0 {
        (first, middle)
    } else {
        (middle, last)
    };
    let share = (us.max(first.0) / from.0).ln() / (to.0 / from.0).ln();
    from.1 * (to.1 / from.1).powf(share)
}

/// What a disturbance is called (IEEE 1159).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisturbanceKind {
    /// Inside the range of normal operation.
    None,
    /// 0.1 to 0.9 per unit, up to a minute.
    Sag,
    /// Above 1.1 per unit, up to a minute.
    Swell,
    /// Below 0.1 per unit.
    Interruption,
    /// 0.1 to 0.9 per unit for more than a minute; people call it a brownout.
    Undervoltage,
    /// Above 1.1 per unit for more than a minute.
    Overvoltage,
}

/// How long a disturbance is (IEEE 1159).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisturbanceLength {
    /// Less than half a cycle.
    Transient,
    /// Half a cycle to 30 cycles.
    Instantaneous,
    /// 30 cycles to 3 s.
    Momentary,
    /// 3 s to a minute.
    Temporary,
    /// More than a minute.
    Sustained,
}

/// Names a disturbance by its duration and the voltage that was left, at 50 Hz.
pub fn classify(duration: Span, retained: PerUnit) -> (DisturbanceKind, DisturbanceLength) {
    use DisturbanceKind as K;
    use DisturbanceLength as L;
    let length = match duration.micros() {
        us if us < 10_000 => L::Transient,
        us if us <= 600_000 => L::Instantaneous,
        us if us <= 3_000_000 => L::Momentary,
        us if us <= 60_000_000 => L::Temporary,
        _ => L::Sustained,
    };
    let lasting = length == L::Sustained;
    let kind = match retained.get() {
        pu if pu < INTERRUPTED => K::Interruption,
        pu if pu < LASTING_LOW && lasting => K::Undervoltage,
        pu if pu < LASTING_LOW => K::Sag,
        pu if pu > LASTING_HIGH && lasting => K::Overvoltage,
        pu if pu > LASTING_HIGH => K::Swell,
        _ => K::None,
    };
    (kind, length)
}

/// Below this there is no voltage to speak of.
const INTERRUPTED: f64 = 0.1;
/// A disturbance ends only so far inside its limit.
const HYSTERESIS: f64 = 0.02;

/// A stretch of a voltage outside of its limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disturbance {
    /// When it began.
    pub start_us: Micros,
    /// How long it lasted.
    pub duration: Span,
    /// The voltage furthest from nominal.
    pub retained: PerUnit,
}

impl Disturbance {
    /// Its name.
    pub fn name(&self) -> (DisturbanceKind, DisturbanceLength) {
        classify(self.duration, self.retained)
    }
}

/// The disturbances of a voltage that goes up and down in steps (when, and the
/// voltage from then on) until `end_us`: they begin below 0.90 or above 1.10
/// and end within 2 % of those limits.
pub fn disturbances(steps: &[(Micros, f64)], end_us: Micros) -> Vec<Disturbance> {
    let mut found: Vec<Disturbance> = Vec::new();
    let mut open: Option<(Micros, f64)> = None;
    let close = |(start_us, pu): (Micros, f64), at: Micros| Disturbance {
        start_us,
        duration: Span::from_micros(at.saturating_sub(start_us)),
        retained: PerUnit(pu),
    };
    for &(at, pu) in steps.iter().filter(|(at, _)| *at < end_us) {
        let outside = !(LASTING_LOW..=LASTING_HIGH).contains(&pu);
        let inside = (LASTING_LOW + HYSTERESIS..=LASTING_HIGH - HYSTERESIS).contains(&pu);
        open = match open {
            None => outside.then_some((at, pu)),
            Some(was) if inside => {
                found.push(close(was, at));
                None
            }
            Some((start, worst)) => {
                let further = (pu - 1.0).abs() > (worst - 1.0).abs();
                Some((start, if further { pu } else { worst }))
            }
        };
    }
    found.extend(open.map(|was| close(was, end_us)));
    found
}
