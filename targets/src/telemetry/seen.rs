//! What a client of a power protocol saw of a device.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The outcome of one question to a device's agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// Values, by their names in the device's reading and in its units.
    Values(IndexMap<String, Json>),
    /// The agent answered that it has no fresh data of the device.
    Stale,
    /// Nothing came in time.
    Silent,
    /// The agent refused, or what it said is no answer.
    Refused(String),
}

impl Seen {
    /// One value.
    pub fn value(&self, field: &str) -> Option<&Json> {
        match self {
            Self::Values(values) => values.get(field),
            _ => None,
        }
    }
}
