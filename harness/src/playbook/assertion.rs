//! The vocabulary of promises.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::supervisor::SupervisorState;
use ridethrough_targets::units::{PerUnit, Rate, Span};

use super::power_assertion::{
    EnergyAssert, GeneratorAssert, NoCommonModeAssert, NoFalseShutdownAssert, RechargeAssert,
    RetransferAssert, RideThroughAssert, ShutdownOrderAssert, TemperatureAssert, TruthLagAssert,
};

use super::storage_assertion::DurabilityAssert;

/// A promise about a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Assertion {
    /// The load buses are carried over to another source in time (plant truth).
    Failover(FailoverAssert),
    /// The supervisor reports a state in time (telemetry, not truth).
    Supervisor(SupervisorAssert),
    /// What became of the requests.
    Continuity(ContinuityAssert),
    /// How long requests took.
    Latency(LatencyAssert),
    /// The share of requests that were answered in full.
    Availability(AvailabilityAssert),
    /// Requests that were answered in full and in time.
    Goodput(GoodputAssert),
    /// How soon after healing the last affected request is over.
    Recovery(RecoveryAssert),
    /// How soon the gateway takes a failed replica out.
    Eviction(EvictionAssert),
    /// How soon the gateway takes a healed replica back.
    Readmission(EvictionAssert),
    /// What the battery has left at its lowest (plant truth).
    Battery(BatteryAssert),
    /// How soon a client that is hit gets its first error.
    Detection(DetectionAssert),
    /// How many machines lost power or were braked (plant truth).
    Nodes(NodesAssert),
    /// No single component drops every cord of a rack (checked in the plan).
    NoCommonMode(NoCommonModeAssert),
    /// Every load bus stays inside a ride-through curve (plant truth).
    RideThrough(RideThroughAssert),
    /// What batteries gave reconciles with where the energy went (plant truth).
    Energy(EnergyAssert),
    /// A generator takes the load in time, before any UPS runs out (plant truth).
    Generator(GeneratorAssert),
    /// The air that racks breathe stays cool enough (plant truth).
    Temperature(TemperatureAssert),
    /// How soon after healing every UPS is back on mains (plant truth).
    Retransfer(RetransferAssert),
    /// How soon after healing batteries are charged again (plant truth).
    Recharge(RechargeAssert),
    /// No ordered shutdown while every UPS could carry its load.
    NoFalseShutdown(NoFalseShutdownAssert),
    /// Machines are told to go off one after the other, before the power takes
    /// them (plant truth).
    ShutdownOrder(ShutdownOrderAssert),
    /// How long after the truth a UPS on battery is reported as such.
    TruthLag(TruthLagAssert),
    /// Every write that a service acknowledged is there at the end, word for word.
    Durability(DurabilityAssert),
}

/// The requests that an assertion speaks of. Everything left out means all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// Requests whose intended send time lies in this phase.
    pub during: Option<String>,
    /// Requests of this class.
    pub class: Option<String>,
    /// Requests by time and place relative to the faults.
    pub cohort: Option<Cohort>,
    /// Fewer requests than this make the run invalid (default 1).
    pub at_least: Option<u32>,
}

/// Requests by time and place.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cohort {
    /// In flight on a machine that was hit, at the moment of the fault.
    InFlight,
    /// Sent to a machine that was hit, while it was.
    SentToVictim,
    /// Sent elsewhere while the fault lasted.
    SentElsewhere,
    /// Sent after healing.
    AfterHeal,
    /// Sent before any fault.
    Before,
}

/// What may carry a load bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupplyKind {
    /// A UPS's battery.
    Battery,
    /// The utility (a sag that never made a UPS transfer).
    Utility,
}

/// See [`Assertion::Failover`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailoverAssert {
    /// What must carry the load.
    pub to: SupplyKind,
    /// The longest gap at any load bus behind the UPSs that were hit.
    pub within: Span,
    /// Only this UPS (default: every UPS whose input the faults hit).
    #[serde(default)]
    pub ups: Option<String>,
    /// Only faults that begin in this phase.
    #[serde(default)]
    pub during: Option<String>,
}

/// Truth or a protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// As a NUT client on the fabric sees it.
    #[default]
    Nut,
    /// The supervisor's own state machine.
    Supervisor,
}

/// See [`Assertion::Supervisor`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupervisorAssert {
    /// The state it must report.
    pub reports: SupervisorState,
    /// Who says so.
    #[serde(default)]
    pub via: Source,
    /// How soon after the first fault (or, for `recovered` and `utility`, the
    /// last heal).
    pub within: Span,
    /// Only faults that begin in this phase.
    #[serde(default)]
    pub during: Option<String>,
}

/// See [`Assertion::Continuity`]. Each bound is the most that may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContinuityAssert {
    /// Requests that got no answer at all.
    #[serde(default)]
    pub lost: u32,
    /// Requests whose answer broke off.
    #[serde(default)]
    pub torn: u32,
    /// Requests whose answer was wrong: gap, duplicate, restart, cross-talk.
    #[serde(default)]
    pub corrupted: u32,
    /// Requests turned away in good order.
    #[serde(default)]
    pub shed: Option<u32>,
    /// Fewest requests that must have been resumed elsewhere.
    #[serde(default)]
    pub resumed_at_least: Option<u32>,
    /// Fewest requests that must have been shed.
    #[serde(default)]
    pub shed_at_least: Option<u32>,
    /// Which requests.
    #[serde(default)]
    pub of: Scope,
    /// Ends the run at once, after healing, when it is broken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abort: bool,
}

/// What is measured, in vLLM's definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Intended send time to first content token.
    Ttft,
    /// Single gaps between content tokens, pooled.
    Itl,
    /// (End-to-end minus TTFT) over tokens after the first, per request.
    Tpot,
    /// Intended send time to last content token.
    E2e,
    /// The longest silence within each answer that a reader saw.
    Silence,
}

/// See [`Assertion::Latency`]. At least one bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencyAssert {
    /// What is measured.
    pub of: Metric,
    /// Bound on the median.
    #[serde(default)]
    pub p50: Option<Span>,
    /// Bound on the 90th percentile.
    #[serde(default)]
    pub p90: Option<Span>,
    /// Bound on the 99th percentile.
    #[serde(default)]
    pub p99: Option<Span>,
    /// Bound on the largest.
    #[serde(default)]
    pub max: Option<Span>,
    /// Requests whose intended send time lies in this phase.
    #[serde(default)]
    pub during: Option<String>,
    /// Requests of this class.
    #[serde(default)]
    pub class: Option<String>,
    /// Requests of this cohort.
    #[serde(default)]
    pub cohort: Option<Cohort>,
}

/// See [`Assertion::Availability`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AvailabilityAssert {
    /// The least share of requests answered in full.
    pub at_least: PerUnit,
    /// Which requests.
    #[serde(default)]
    pub of: Scope,
}

/// See [`Assertion::Goodput`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoodputAssert {
    /// The least number of good requests per second.
    pub at_least: Rate,
    /// Good means a first token within this ...
    #[serde(default)]
    pub ttft: Option<Span>,
    /// ... and a time per output token within this.
    #[serde(default)]
    pub tpot: Option<Span>,
    /// Requests whose intended send time lies in this phase.
    #[serde(default)]
    pub during: Option<String>,
    /// Requests of this class.
    #[serde(default)]
    pub class: Option<String>,
}

/// See [`Assertion::Recovery`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryAssert {
    /// From the last heal to the end of the last affected request.
    pub within: Span,
    /// Only faults that begin in this phase.
    #[serde(default)]
    pub during: Option<String>,
}

/// See [`Assertion::Eviction`] and [`Assertion::Readmission`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvictionAssert {
    /// From the fault (or from the replica's readiness after healing).
    pub within: Span,
    /// Only this replica (default: every one that was hit).
    #[serde(default)]
    pub replica: Option<String>,
    /// Only faults that begin in this phase.
    #[serde(default)]
    pub during: Option<String>,
}

/// See [`Assertion::Battery`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatteryAssert {
    /// The least state of charge.
    pub charge_at_least: PerUnit,
    /// Only this UPS (default: all).
    #[serde(default)]
    pub ups: Option<String>,
    /// Charge in this phase (default: in the whole run).
    #[serde(default)]
    pub during: Option<String>,
    /// Ends the run at once, after healing, when it is broken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abort: bool,
}

/// See [`Assertion::Detection`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectionAssert {
    /// From the fault to a client's first error.
    pub within: Span,
    /// Only faults that begin in this phase.
    #[serde(default)]
    pub during: Option<String>,
}

/// See [`Assertion::Nodes`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NodesAssert {
    /// Most machines that may lose power.
    pub lost_at_most: Option<u32>,
    /// Fewest machines that must lose power.
    pub lost_at_least: Option<u32>,
    /// Most machines that may be braked.
    pub braked_at_most: Option<u32>,
    /// Fewest machines that must be braked.
    pub braked_at_least: Option<u32>,
    /// Machines that lost power or were braked in this phase.
    pub during: Option<String>,
    /// Ends the run at once, after healing, when it is broken.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub abort: bool,
}

impl Assertion {
    /// Whether it ends the run when it is broken.
    pub fn aborts(&self) -> bool {
        match self {
            Self::Continuity(a) => a.abort,
            Self::Nodes(a) => a.abort,
            Self::Battery(a) => a.abort,
            Self::Temperature(a) => a.abort,
            Self::NoFalseShutdown(a) => a.abort,
            _ => false,
        }
    }

    /// What of it can be broken before the run is over: what has yet to happen
    /// is not missing.
    pub(crate) fn so_far(&self) -> Self {
        match self.clone() {
            Self::Continuity(a) => Self::Continuity(ContinuityAssert {
                resumed_at_least: None,
                shed_at_least: None,
                ..a
            }),
            Self::Nodes(a) => Self::Nodes(NodesAssert {
                lost_at_least: None,
                braked_at_least: None,
                ..a
            }),
            other => other,
        }
    }
}
