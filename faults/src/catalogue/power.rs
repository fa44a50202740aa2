//! What faults of single power devices need to know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::plant::GeneratorFault;
use ridethrough_targets::units::{Hertz, PerUnit, Span, Watts};

use super::NodeTarget;

/// A frequency that the grid goes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrequencyLevel {
    /// One utility of the site; all of them when left out.
    #[serde(default)]
    pub utility: Option<String>,
    /// The frequency.
    pub to: Hertz,
}

/// A recording of the grid's voltage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waveform {
    /// One utility of the site; all of them when left out.
    #[serde(default)]
    pub utility: Option<String>,
    /// When, from the start of the fault, and the retained voltage from then on:
    /// `[[0s, 40%], [120ms, 75%], [1s, 100%]]`.
    pub profile: Vec<(Span, PerUnit)>,
}

/// A generator and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeneratorFails {
    /// Its name in the site.
    pub generator: String,
    /// How it fails.
    pub how: GeneratorFault,
}

/// A transfer switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneTransfer {
    /// Its name in the site.
    pub transfer: String,
}

/// An outlet, by what is plugged into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneOutlet {
    /// The PDU.
    pub pdu: String,
    /// The machine whose cord is in the outlet.
    pub node: String,
}

/// A breaker that trips at another current than it was set to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakerPickup {
    /// The PDU.
    pub pdu: String,
    /// The share of its rating above which it trips now.
    pub to: PerUnit,
}

/// One power supply of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneSupply {
    /// The machine.
    pub node: String,
    /// Which one, from 0: the supplies of the first cord come first.
    #[serde(default)]
    pub supply: u32,
}

/// A cooling unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneCooling {
    /// Its name in the site.
    pub cooling: String,
}

/// A limit of machines' power.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerCap {
    /// Which machines.
    pub target: NodeTarget,
    /// What each of them may draw at most.
    pub to: Watts,
}
