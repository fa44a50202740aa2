//! Cooling units and the rooms that they cool, as written in YAML.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Celsius, PerUnit, Span, Watts};

/// A cooling unit. Its contactors drop out in a sag that machines ride
/// through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cooling {
    /// The utility or component that feeds it.
    pub from: String,
    /// The racks that it cools. Units that share a rack cool one room.
    pub racks: Vec<String>,
    /// Heat that it takes away.
    pub capacity: Watts,
    /// What it draws (default: a third of its capacity, typical).
    #[serde(default)]
    pub draw: Option<Watts>,
    /// Below this voltage ... (typical)
    #[serde(default = "d::dropout")]
    pub dropout: PerUnit,
    /// ... for this long, its contactors drop out (typical).
    #[serde(default = "d::hold")]
    pub hold: Span,
    /// Above this voltage, for as long, it trips (default: never).
    #[serde(default)]
    pub swell: Option<PerUnit>,
    /// It restarts by itself once its voltage is back; otherwise it waits for
    /// a person.
    #[serde(default = "d::yes")]
    pub auto_restart: bool,
    /// How long a restart takes. Typical: 300 to 600 s.
    #[serde(default = "d::restart")]
    pub restart: Span,
    /// Its room. Where several units cool one room, the first one's counts.
    #[serde(default)]
    pub room: Room,
}

/// How the air of a room warms up. Typical values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Room {
    /// The air that racks breathe while all is well.
    pub supply: Celsius,
    /// The room is too warm.
    pub warning: Celsius,
    /// Machines reduce their clocks.
    pub throttle: Celsius,
    /// Machines switch themselves off.
    pub trip: Celsius,
    /// How long it takes from `supply` to `trip` without any cooling, with
    /// every machine at its peak: five minutes for air, one or two for liquid
    /// that stands still.
    pub time_to_trip: Span,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            supply: Celsius(25.0),
            warning: Celsius(32.0),
            throttle: Celsius(40.0),
            trip: Celsius(45.0),
            time_to_trip: Span::from_secs(300),
        }
    }
}

/// Typical values.
mod d {
    use crate::units::{PerUnit, Span};

    pub(super) fn dropout() -> PerUnit {
        PerUnit(0.7)
    }
    pub(super) fn hold() -> Span {
        Span::from_millis(50)
    }
    pub(super) fn yes() -> bool {
        true
    }
    pub(super) fn restart() -> Span {
        Span::from_secs(300)
    }
}
