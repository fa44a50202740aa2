//! Battery energy storage systems, as written in YAML.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{PerUnit, Span, WattHours, Watts};

/// A battery energy storage system beside a bus, which a breaker connects to
/// the grid. While it follows the grid, the bus dies with the grid; it carries
/// the bus once the breaker is open and it was told to form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bess {
    /// The utility or component behind its breaker to the grid.
    pub from: String,
    /// Rated power of its inverter.
    pub rating: Watts,
    /// Nominal energy.
    pub energy: WattHours,
    /// It islands by itself and without a gap when the grid fails, as a UPS
    /// does.
    #[serde(default)]
    pub inline: bool,
    /// From the order to form to voltage on the bus. Typical: 20 to 100 ms.
    #[serde(default = "d::transition")]
    pub transition: Span,
    /// It can start a dead bus.
    #[serde(default = "d::yes")]
    pub black_start: bool,
    /// Charge below which it does not discharge.
    #[serde(default = "d::lowest")]
    pub lowest: PerUnit,
    /// Charge above which it does not charge.
    #[serde(default = "d::highest")]
    pub highest: PerUnit,
    /// State of charge at the start.
    #[serde(default = "d::highest")]
    pub charge: PerUnit,
    /// State of health: the share of its energy that is left.
    #[serde(default = "d::full")]
    pub health: PerUnit,
    /// What its inverter leaves of each power that goes through it. Typical.
    #[serde(default = "d::efficiency")]
    pub efficiency: PerUnit,
    /// Power at which it recharges while it follows a grid and was told
    /// nothing, as a share of its rating. Typical.
    #[serde(default = "d::recharge")]
    pub recharge: PerUnit,
    /// Above this share of its rating for 100 ms it trips; above the rating
    /// itself, after ten seconds. Typical.
    #[serde(default = "d::overload")]
    pub overload: PerUnit,
    /// How long the grid must be good before the breaker closes again.
    /// Typical.
    #[serde(default = "d::resync")]
    pub resync: Span,
    /// Without a heartbeat of its controller for so long it forgets the power
    /// that it was told to give.
    #[serde(default = "d::heartbeat")]
    pub heartbeat: Span,
    /// Pre-charge and self test, from open contactors to standby. Typical.
    #[serde(default = "d::initialize")]
    pub initialize: Span,
    /// Cells in series in its string.
    #[serde(default = "d::cells")]
    pub cells: u32,
    /// Resistance of the string's cells at the DC side, as the share of the
    /// voltage that rated power costs. Typical.
    #[serde(default = "d::drop")]
    pub drop: PerUnit,
}

/// Typical values.
mod d {
    use crate::units::{PerUnit, Span};

    pub(super) fn transition() -> Span {
        Span::from_millis(50)
    }
    pub(super) fn yes() -> bool {
        true
    }
    pub(super) fn lowest() -> PerUnit {
        PerUnit(0.10)
    }
    pub(super) fn highest() -> PerUnit {
        PerUnit(0.95)
    }
    pub(super) fn full() -> PerUnit {
        PerUnit(1.0)
    }
    pub(super) fn efficiency() -> PerUnit {
        PerUnit(0.97)
    }
    pub(super) fn recharge() -> PerUnit {
        PerUnit(0.25)
    }
    pub(super) fn overload() -> PerUnit {
        PerUnit(1.2)
    }
    pub(super) fn resync() -> Span {
        Span::from_secs(5)
    }
    pub(super) fn heartbeat() -> Span {
        Span::from_secs(10)
    }
    pub(super) fn initialize() -> Span {
        Span::from_secs(2)
    }
    pub(super) fn cells() -> u32 {
        240
    }
    pub(super) fn drop() -> PerUnit {
        PerUnit(0.03)
    }
}
