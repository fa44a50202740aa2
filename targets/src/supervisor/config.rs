//! What a supervisor is told, and the states it can be in.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::policy::{BessPolicy, GeneratorPolicy, RetransferMode, ShedLevel};
use crate::units::Span;

/// The supervisor's policy. Its orders cross the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SupervisorConfig {
    /// How often it asks each power device.
    pub poll: Span,
    /// A device that has not answered for this long is stale (NUT `MAXAGE`).
    pub stale_after: Span,
    /// How long mains must be back before it says `recovered`.
    pub settle: Span,
    /// Order a shutdown (FSD) on low battery.
    pub shutdown_on_low_battery: bool,
    /// What it gives up on battery, the first things first; all of it is taken
    /// back once mains has settled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shed: Vec<ShedLevel>,
    /// It starts and stops the generators (default: they do by themselves).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generators: Option<GeneratorPolicy>,
    /// It tells storage systems beside a bus to carry it.
    pub bess: BessPolicy,
    /// Whether transfer switches and storage systems go back to the grid.
    pub retransfer: RetransferMode,
    /// Nobody of ours decides: the devices answer on their protocols, and the
    /// user's own supervisor is a service of the stack. `supervisor: external`
    /// says the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
}

impl Default for SupervisorConfig {
    fn default() -> Self {
        Self {
            poll: Span::from_millis(100),
            stale_after: Span::from_secs(2),
            settle: Span::from_secs(2),
            shutdown_on_low_battery: true,
            shed: Vec::new(),
            generators: None,
            bess: BessPolicy::default(),
            retransfer: RetransferMode::default(),
            external: false,
        }
    }
}

/// Settings, or just the word `external`.
pub(crate) fn supervision_schema(generator: &mut SchemaGenerator) -> Schema {
    let settings = generator.subschema_for::<SupervisorConfig>();
    json_schema!({
        "description": "What watches the site and decides; `external` where the user's own supervisor does.",
        "anyOf": [{ "const": "external" }, settings],
    })
}

/// Reads settings, or just the word `external`.
pub(crate) fn supervision<'de, D>(deserializer: D) -> Result<SupervisorConfig, D::Error>
where
    D: serde::Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        External,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Word(Word),
        Policy(Box<SupervisorConfig>),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Word(Word::External) => SupervisorConfig {
            external: true,
            ..SupervisorConfig::default()
        },
        Written::Policy(policy) => *policy,
    })
}

/// What the supervisor believes of its site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupervisorState {
    /// Every UPS on mains.
    Utility,
    /// At least one UPS left the mains and has not said what carries its load.
    Transferring,
    /// At least one UPS on battery.
    OnBattery,
    /// On battery, and the battery is low.
    LowBattery,
    /// Ordered shutdown under way (FSD).
    ShuttingDown,
    /// Mains is back, load returning to it.
    Retransfer,
    /// Back on mains and settled; the next look makes it `utility`.
    Recovered,
    /// No device can be heard.
    Blind,
}

impl fmt::Display for SupervisorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utility => "utility",
            Self::Transferring => "transferring",
            Self::OnBattery => "on_battery",
            Self::LowBattery => "low_battery",
            Self::ShuttingDown => "shutting_down",
            Self::Retransfer => "retransfer",
            Self::Recovered => "recovered",
            Self::Blind => "blind",
        })
    }
}
