//! UPSs and their batteries, as written in YAML.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{PerUnit, Span, WattHours, Watts};

/// How a UPS's output depends on its input (IEC 62040-3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpsClass {
    /// Voltage and frequency independent: double conversion, no transfer time.
    #[default]
    Vfi,
    /// Voltage independent: line-interactive.
    Vi,
    /// Voltage and frequency dependent: standby.
    Vfd,
}

/// An uninterruptible power supply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ups {
    /// The utility or component that feeds it.
    pub from: String,
    /// Its dependency class.
    #[serde(default)]
    pub class: UpsClass,
    /// Rated output power.
    pub rating: Watts,
    /// Efficiency on mains.
    #[serde(default = "d::efficiency")]
    pub efficiency: PerUnit,
    /// Transfer time to battery (default: 0 for VFI, 10 ms for VI and VFD).
    #[serde(default)]
    pub transfer: Option<Span>,
    /// The input it accepts.
    #[serde(default)]
    pub input_window: InputWindow,
    /// How long the input must be out of the window before it transfers.
    /// Typical.
    #[serde(default = "d::disqualify")]
    pub disqualify: Span,
    /// How long the input must be good before it goes back. Typical.
    #[serde(default = "d::requalify")]
    pub requalify: Span,
    /// How long it takes to shift the load from battery back to the input.
    /// Typical.
    #[serde(default = "d::walk_in")]
    pub walk_in: Span,
    /// It has a static bypass, fed by its input.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bypass: bool,
    /// It has a static bypass, fed by this component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypass_from: Option<String>,
    /// It passes a good input through and keeps its converter ready (double
    /// conversion only). It then has a transfer time: 4 ms unless set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub eco: bool,
    /// Too many disturbances lock it out: it stays on its battery until a
    /// person resets it. Some designs count three in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strikes: Option<Strikes>,
    /// Its battery.
    pub battery: Battery,
}

/// How many disturbances in how long lock a UPS out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Strikes {
    /// So many ...
    pub count: u32,
    /// ... within so long.
    pub window: Span,
}

impl Default for Strikes {
    fn default() -> Self {
        Self {
            count: 3,
            window: Span::from_secs(60),
        }
    }
}

/// The input voltage and frequency that a UPS accepts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InputWindow {
    /// Lowest voltage.
    pub low: PerUnit,
    /// Highest voltage.
    pub high: PerUnit,
    /// Largest deviation of frequency.
    pub frequency: PerUnit,
}

impl Default for InputWindow {
    fn default() -> Self {
        Self {
            low: PerUnit(0.85),
            high: PerUnit(1.10),
            frequency: PerUnit(0.05),
        }
    }
}

/// What state a battery is in, whatever it says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatteryCondition {
    /// It delivers what it should.
    #[default]
    Ok,
    /// The string is open: it shows full charge and delivers nothing.
    Open,
}

/// A battery, described as its data sheet does: runtime at constant power.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Battery {
    /// Nominal energy.
    pub energy: WattHours,
    /// Runtime at the UPS's rated power, new and full (default: the nominal
    /// energy at that power).
    #[serde(default)]
    pub runtime: Option<Span>,
    /// The exponent `n` of T(P) = T1 (P/P1)^-n. 1.05 suits LFP, 1.2 VRLA.
    #[serde(default = "d::exponent")]
    pub exponent: f64,
    /// Data-sheet points; when given they replace `runtime` and `exponent`
    /// (log-log interpolation).
    #[serde(default)]
    pub curve: Vec<RuntimePoint>,
    /// State of charge at the start.
    #[serde(default = "d::full")]
    pub charge: PerUnit,
    /// State of health: the share of the runtime curve that is left.
    #[serde(default = "d::full")]
    pub health: PerUnit,
    /// Its condition.
    #[serde(default)]
    pub condition: BatteryCondition,
    /// Charging power as a share of the UPS's rating.
    #[serde(default = "d::charger")]
    pub charger: PerUnit,
    /// Low battery below this charge (NUT `battery.charge.low`).
    #[serde(default = "d::charge_low")]
    pub charge_low: PerUnit,
    /// Low battery below this runtime (NUT `battery.runtime.low`).
    #[serde(default = "d::runtime_low")]
    pub runtime_low: Span,
    /// True charge at which it dies without warning, as a weak cell does.
    #[serde(default, skip_serializing_if = "PerUnit::is_zero")]
    pub sudden_death_at: PerUnit,
}

/// One point of a runtime curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuntimePoint {
    /// Output power.
    pub power: Watts,
    /// Runtime at that power, new and full.
    pub runtime: Span,
}

/// Typical values.
mod d {
    use crate::units::{PerUnit, Span};

    pub(super) fn efficiency() -> PerUnit {
        PerUnit(0.96)
    }
    pub(super) fn disqualify() -> Span {
        Span::from_millis(10)
    }
    pub(super) fn requalify() -> Span {
        Span::from_secs(10)
    }
    pub(super) fn walk_in() -> Span {
        Span::from_secs(10)
    }
    pub(super) fn exponent() -> f64 {
        1.05
    }
    pub(super) fn full() -> PerUnit {
        PerUnit(1.0)
    }
    pub(super) fn charger() -> PerUnit {
        PerUnit(0.1)
    }
    pub(super) fn charge_low() -> PerUnit {
        PerUnit(0.2)
    }
    pub(super) fn runtime_low() -> Span {
        Span::from_secs(120)
    }
}
