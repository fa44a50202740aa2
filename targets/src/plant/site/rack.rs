//! PDUs and racks, as written in YAML.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Amps, Joules, PerUnit, Span, WattHours, Watts};

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
    /// How long one outlet waits before it does an order to switch on
    /// (Redfish `PowerOnDelaySeconds`).
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub outlet_on_delay: Span,
    /// The same for an order to switch off.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub outlet_off_delay: Span,
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
    /// The battery backup unit of its power shelf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bbu: Option<Bbu>,
}

/// The battery backup unit of a rack's power shelf (Open Rack v3). It carries
/// every machine of the rack whose supplies have no input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bbu {
    /// Rated output power.
    pub rating: Watts,
    /// How long it carries its rating, new and full.
    #[serde(default = "d::bbu_runtime")]
    pub runtime: Span,
    /// Nominal energy, in place of the runtime.
    #[serde(default)]
    pub energy: Option<WattHours>,
    /// How long the bus must be low before it is triggered.
    #[serde(default = "d::two_ms")]
    pub trigger: Span,
    /// How long it then takes to deliver.
    #[serde(default = "d::two_ms")]
    pub start: Span,
    /// How long the bus must be good before it goes back to standby.
    #[serde(default = "d::bbu_release")]
    pub release: Span,
    /// Charging power as a share of its rating. Typical.
    #[serde(default = "d::bbu_charger")]
    pub charger: PerUnit,
    /// State of charge at the start.
    #[serde(default = "d::full")]
    pub charge: PerUnit,
    /// State of health: the share of its energy that is left.
    #[serde(default = "d::full")]
    pub health: PerUnit,
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
    /// Supplies of one machine on each of its cords.
    #[serde(skip_serializing_if = "is_one")]
    pub per_cord: u32,
    /// How many supplies with input a machine needs to live: 4 for `4 + 2`.
    #[serde(skip_serializing_if = "is_one")]
    pub needed: u32,
    /// What a machine draws more for a while after its return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surge: Option<Surge>,
}

fn is_one(count: &u32) -> bool {
    *count == 1
}

/// A surge on a machine's return.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Surge {
    /// What it draws, as a multiple of what it would.
    pub factor: f64,
    /// For how long.
    #[serde(rename = "for")]
    pub lasts: Span,
}

impl Default for Psu {
    fn default() -> Self {
        Self {
            rating: Watts(3_000.0),
            hold_up: Joules(60.0),
            dropout: PerUnit(0.78),
            current_limit: PerUnit(1.10),
            per_cord: 1,
            needed: 1,
            surge: None,
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
    pub(super) fn bbu_runtime() -> Span {
        Span::from_secs(240)
    }
    pub(super) fn two_ms() -> Span {
        Span::from_millis(2)
    }
    pub(super) fn bbu_release() -> Span {
        Span::from_millis(200)
    }
    pub(super) fn bbu_charger() -> PerUnit {
        PerUnit(0.05)
    }
    pub(super) fn full() -> PerUnit {
        PerUnit(1.0)
    }
}
