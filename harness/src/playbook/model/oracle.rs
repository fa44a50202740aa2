//! What answers are held against.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::units::Span;

/// What the answers to a load are held against (default: `reference` where the
/// stack has replicas of ours, else `recorded`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OracleSpec {
    /// The reference replica's own tokens, which follow from the request.
    Reference,
    /// Answers of a fault-free pass before the first phase. A model that does not
    /// give the same answer twice is judged as by `structural`.
    Recorded(RecordedSpec),
    /// The shape of a good answer: in order, under one id, with its end, counted
    /// right, and without saying again what it said before it faltered.
    Structural,
}

/// How answers are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordedSpec {
    /// How many prompts are recorded, each twice; the load draws from them.
    pub prompts: u32,
    /// How long the pass may take.
    pub within: Span,
}

impl Default for RecordedSpec {
    fn default() -> Self {
        Self {
            prompts: 16,
            within: Span::from_secs(120),
        }
    }
}
