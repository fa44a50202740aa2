//! PDUs and racks, as written in YAML.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Amps, Joules, PerUnit, Span, Watts};

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
