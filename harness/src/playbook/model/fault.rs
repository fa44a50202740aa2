//! A fault with its time, its repetitions, its choices and its occasion.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::supervisor::SupervisorState;
use ridethrough_targets::units::{PerUnit, Span};

/// A fault with its time: in a phase, or at an offset for a length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// A name, for assertions and reports (default: the kind).
    #[serde(default)]
    pub name: Option<String>,
    /// What breaks.
    pub inject: FaultKind,
    /// What may break instead: each time it is injected, the seed draws one of
    /// these and `inject`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<FaultKind>,
    /// The phase it fills.
    #[serde(default)]
    pub during: Option<String>,
    /// When it begins: from the start of `during`, else of the first phase.
    #[serde(default)]
    pub at: Option<Span>,
    /// How long it lasts (default: to the end of `during`).
    #[serde(default, rename = "for")]
    pub lasts: Option<Span>,
    /// It is injected again so long after each beginning.
    #[serde(default)]
    pub every: Option<Span>,
    /// How often it is injected, with `every` (default: as often as fits in
    /// `during`).
    #[serde(default)]
    pub times: Option<u32>,
    /// It waits for this from `at` on.
    #[serde(default)]
    pub when: Option<Condition>,
    /// How long it waits at most, with `when`; a run in which it never comes is
    /// invalid.
    #[serde(default)]
    pub within: Option<Span>,
    /// On a game day it waits, shortly before its time, until the conductor has
    /// answered this: `Are the generators staffed?`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// It happens on a game day only, whenever the conductor injects it by hand, and
    /// lasts `for` so long.
    #[serde(default, skip_serializing_if = "is_false")]
    pub manual: bool,
}

/// What a fault can wait for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A battery has less than this left (its true charge, not what it says).
    BatteryBelow(BatteryBelow),
    /// A client has this many tokens of some answer.
    Token(u32),
    /// So many requests are in prefill on one machine at once (reference
    /// replicas).
    Prefill(Prefill),
    /// The supervisor is in this state.
    Supervisor(SupervisorState),
}

/// A charge to wait for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatteryBelow {
    /// The UPS.
    pub ups: String,
    /// The share of its charge.
    pub charge: PerUnit,
}

/// Requests in prefill to wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prefill {
    /// A machine or a service (default: every replica).
    #[serde(default)]
    pub on: Option<String>,
    /// How many at once.
    pub at_least: u32,
}

fn is_false(value: &bool) -> bool {
    !value
}
