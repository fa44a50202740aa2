//! Promises about the power of a site.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::plant::RideThrough;
use ridethrough_targets::units::{Celsius, PerUnit, Span, WattHours};

/// See [`Assertion::NoCommonMode`](super::Assertion::NoCommonMode).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoCommonModeAssert {
    /// Only these racks (default: every rack with two cords or more).
    pub racks: Vec<String>,
    /// Components that may be one all the same.
    pub except: Vec<String>,
}

/// See [`Assertion::RideThrough`](super::Assertion::RideThrough).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RideThroughAssert {
    /// The curve.
    pub curve: RideThrough,
    /// Only at these components (default: every load bus behind a UPS).
    #[serde(default)]
    pub at: Vec<String>,
    /// Only disturbances that begin in this phase.
    #[serde(default)]
    pub during: Option<String>,
}

/// See [`Assertion::Energy`](super::Assertion::Energy).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnergyAssert {
    /// The most that the accounts may leave unexplained, as a share of what
    /// batteries gave (of what was drawn, where they gave nothing).
    pub within: PerUnit,
    /// The most that batteries may give in the whole run.
    #[serde(default)]
    pub discharged_at_most: Option<WattHours>,
}

/// See [`Assertion::Generator`](super::Assertion::Generator).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeneratorAssert {
    /// From the loss of the mains to load on the generator.
    pub accepted_within: Span,
    /// The least that any UPS could still have carried its load at that
    /// moment.
    #[serde(default)]
    pub margin: Option<Span>,
    /// Only this generator (default: every one).
    #[serde(default)]
    pub generator: Option<String>,
    /// Only losses in this phase.
    #[serde(default)]
    pub during: Option<String>,
}

/// See [`Assertion::Temperature`](super::Assertion::Temperature).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemperatureAssert {
    /// The air that racks breathe stays below this.
    pub below: Celsius,
    /// Only the room of this cooling unit (default: every room).
    #[serde(default)]
    pub cooling: Option<String>,
    /// Temperatures in this phase (default: in the whole run).
    #[serde(default)]
    pub during: Option<String>,
    /// Ends the run at once, after healing, when it is broken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abort: bool,
}

/// See [`Assertion::Retransfer`](super::Assertion::Retransfer).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetransferAssert {
    /// From the last heal to the last UPS back on mains.
    pub within: Span,
    /// Only this UPS (default: every one that left the mains).
    #[serde(default)]
    pub ups: Option<String>,
    /// Only faults that begin in this phase.
    #[serde(default)]
    pub during: Option<String>,
}

/// See [`Assertion::Recharge`](super::Assertion::Recharge).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RechargeAssert {
    /// From the last heal to the charge below.
    pub within: Span,
    /// The charge.
    #[serde(default = "charged")]
    pub to: PerUnit,
    /// Only this UPS (default: all).
    #[serde(default)]
    pub ups: Option<String>,
    /// Only faults that begin in this phase.
    #[serde(default)]
    pub during: Option<String>,
}

fn charged() -> PerUnit {
    PerUnit(0.9)
}

/// See [`Assertion::NoFalseShutdown`](super::Assertion::NoFalseShutdown).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoFalseShutdownAssert {
    /// Shutdowns ordered in this phase (default: in the whole run).
    pub during: Option<String>,
    /// Ends the run at once, after healing, when it is broken.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub abort: bool,
}

/// See [`Assertion::ShutdownOrder`](super::Assertion::ShutdownOrder).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShutdownOrderAssert {
    /// Machines in the order in which they must be told to go off.
    pub machines: Vec<String>,
    /// Only what happens in this phase (default: in the whole run).
    #[serde(default)]
    pub during: Option<String>,
}

/// See [`Assertion::TruthLag`](super::Assertion::TruthLag).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TruthLagAssert {
    /// Who says so: of UPSs, but for Modbus, which speaks of BESSs.
    #[serde(default)]
    pub via: Teller,
    /// From a UPS going on battery to the word that it is.
    pub within: Span,
    /// Only this UPS or BESS (default: all).
    #[serde(default)]
    pub ups: Option<String>,
    /// Transfers in this phase (default: in the whole run).
    #[serde(default)]
    pub during: Option<String>,
}

/// Who tells of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Teller {
    /// The supervisor's NUT server, to a client on the fabric.
    #[default]
    Nut,
    /// The supervisor's own state machine.
    Supervisor,
    /// The UPS's card, to an SNMP client on the fabric.
    Snmp,
    /// The BESS's card, to a Modbus client on the fabric.
    Modbus,
}
