//! The policy as it is written in a site.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{PerUnit, Span};

/// Something that is given up on battery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShedLevel {
    /// When. Once it is given up it stays so until mains has settled.
    pub when: ShedWhen,
    /// Whose machines, by rack; every rack when left out.
    #[serde(default)]
    pub racks: Vec<String>,
    /// Their power is held to this share of the most they draw, by their BMCs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<PerUnit>,
    /// They are switched off by their BMCs, in the order of the racks and the
    /// machines in them.
    #[serde(default)]
    pub off: bool,
    /// Between one machine and the next, where they are switched off: work that
    /// moves away needs time.
    #[serde(default)]
    pub pause: Span,
}

/// When something is given up: as soon as one of these holds, on battery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ShedWhen {
    /// It is on battery for so long.
    pub on_battery_for: Option<Span>,
    /// The lowest charge that a battery tells is below this.
    pub charge_below: Option<PerUnit>,
    /// The shortest runtime that a UPS tells is below this.
    pub runtime_below: Option<Span>,
}

/// Generators under the supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GeneratorPolicy {
    /// They are started when mains is lost for so long.
    pub start_after: Span,
    /// They are let go when mains has settled for so long.
    pub stop_after: Span,
}

impl Default for GeneratorPolicy {
    /// Typical values.
    fn default() -> Self {
        Self {
            start_after: Span::from_secs(1),
            stop_after: Span::from_secs(60),
        }
    }
}

/// Storage systems beside a bus, which must be told to leave the grid and to
/// make one of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BessPolicy {
    /// They are told, when their bus loses the grid for `island_after`.
    pub island: bool,
    /// How long their bus must be without the grid.
    pub island_after: Span,
    /// How often a lone system is told to close its breaker again; it refuses
    /// until the grid is good.
    pub rejoin_every: Span,
    /// How often each hears that its controller is there.
    pub heartbeat: Span,
}

impl Default for BessPolicy {
    /// Typical values.
    fn default() -> Self {
        Self {
            island: true,
            island_after: Span::default(),
            rejoin_every: Span::from_secs(2),
            heartbeat: Span::from_secs(1),
        }
    }
}

/// Who brings a site back to the grid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetransferMode {
    /// The switches and the supervisor, once the grid is good.
    #[default]
    Automatic,
    /// A person: transfer switches are told to stay, storage systems to keep
    /// their island.
    Manual,
}
