//! The vocabulary of promises about storage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// See [`Assertion::Durability`](super::Assertion::Durability).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DurabilityAssert {
    /// The service that acknowledged: a journal that a writer writes to.
    pub service: String,
    /// Most acknowledged writes that may be gone, or changed, or out of reach.
    #[serde(default)]
    pub lost: u32,
    /// Only writes that were sent in this phase.
    #[serde(default)]
    pub during: Option<String>,
    /// Fewer acknowledged writes than this make the run invalid (default 1).
    #[serde(default)]
    pub at_least: Option<u32>,
}
