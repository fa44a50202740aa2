//! The one-line diagram of a site, as written in YAML.
//!
//! Defaults are typical values; the ones that matter for a real site should be
//! set from its own data sheets. Where a value rests on a standard, the field
//! says which.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Amps, Hertz, Joules, PerUnit, Span, Volts, WattHours, Watts};

/// A site: what feeds what, from the grid to the racks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The site's name.
    pub name: String,
    /// Nominal voltage and frequency of every bus.
    #[serde(default)]
    pub nominal: Nominal,
    /// Feeders of the grid.
    pub utilities: IndexMap<String, Utility>,
    /// Uninterruptible power supplies.
    #[serde(default)]
    pub ups: IndexMap<String, Ups>,
    /// Power distribution units, each behind one breaker.
    pub pdus: IndexMap<String, Pdu>,
    /// Names for the independent paths, each by the component that begins it:
    /// `a: ups-a`.
    #[serde(default)]
    pub feeds: IndexMap<String, String>,
    /// Racks and their cords.
    pub racks: IndexMap<String, Rack>,
    /// What watches the site and decides.
    #[serde(default)]
    pub supervisor: crate::supervisor::SupervisorConfig,
}

/// Nominal values of the site's low-voltage buses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nominal {
    /// Phase voltage.
    pub voltage: Volts,
    /// Frequency.
    pub frequency: Hertz,
}

impl Default for Nominal {
    fn default() -> Self {
        Self {
            voltage: Volts(230.0),
            frequency: Hertz(50.0),
        }
    }
}

/// A feeder of the grid. Nominal unless its profile or a fault says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Utility {
    /// What its voltage does by itself, from the start of the first phase.
    pub profile: Vec<Profile>,
}

/// A step of a voltage profile; it holds until the next step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// When, from the start of the first phase.
    pub at: Span,
    /// The voltage from then on.
    pub voltage: PerUnit,
    /// The frequency from then on (default: nominal).
    #[serde(default)]
    pub frequency: Option<Hertz>,
}

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
    /// Its battery.
    pub battery: Battery,
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

/// A power distribution unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pdu {
    /// The utility, UPS or upstream PDU that feeds it.
    pub from: String,
    /// Its breaker.
    pub breaker: Breaker,
    /// What its outlets do when power returns.
    #[serde(default)]
    pub restore: RestorePolicy,
    /// How long it waits before its outlets come back (Redfish
    /// `PowerRestoreDelaySeconds`). A gap of less than 100 ms, which its
    /// controller rides through, leaves the outlets as they are.
    #[serde(default)]
    pub restore_delay: Span,
}

/// Redfish `PowerRestorePolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestorePolicy {
    /// Outlets come on when power returns.
    #[default]
    AlwaysOn,
    /// Outlets stay off.
    AlwaysOff,
    /// Outlets go back to what they were.
    LastState,
}

/// A breaker with a definite-time curve of two steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Rated current, all phases together at the nominal phase voltage.
    pub rating: Amps,
    /// It trips above this share of the rating (typical 1.25) ...
    #[serde(default = "d::pickup")]
    pub pickup: PerUnit,
    /// ... that lasts this long (typical 10 s),
    #[serde(default = "d::pickup_delay")]
    pub pickup_delay: Span,
    /// or at once (20 ms) above this share (typical 5).
    #[serde(default = "d::instantaneous")]
    pub instantaneous: PerUnit,
}

/// A rack: which PDUs its machines are plugged into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rack {
    /// One PDU for single-corded machines, two for dual-corded ones.
    pub cords: Vec<String>,
    /// The power supplies of each machine (one a cord).
    #[serde(default)]
    pub psu: Psu,
    /// Time between one machine's return and the next one's, against inrush.
    #[serde(default)]
    pub stagger: Span,
}

/// One power supply of a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Psu {
    /// Rated output power.
    pub rating: Watts,
    /// Energy behind its output when the input is gone: 60 J carries 3 kW for
    /// 20 ms (ORv3).
    pub hold_up: Joules,
    /// Below this input voltage it draws nothing and lives on its hold-up.
    pub dropout: PerUnit,
    /// Input current limit, as a share of the current at rated power and
    /// nominal voltage; above it for 20 ms the PSU pulls the machine's power
    /// brake.
    pub current_limit: PerUnit,
}

impl Default for Psu {
    fn default() -> Self {
        Self {
            rating: Watts(3_000.0),
            hold_up: Joules(60.0),
            dropout: PerUnit(0.78),
            current_limit: PerUnit(1.10),
        }
    }
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
    pub(super) fn pickup() -> PerUnit {
        PerUnit(1.25)
    }
    pub(super) fn pickup_delay() -> Span {
        Span::from_secs(10)
    }
    pub(super) fn instantaneous() -> PerUnit {
        PerUnit(5.0)
    }
}
