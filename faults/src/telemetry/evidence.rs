//! What was found out about one device on one protocol.

use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;

/// The outcome of looking for a sign.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// When the sign was first seen.
    pub(super) seen_us: Option<Micros>,
    /// What was measured, by name.
    pub(super) measured: IndexMap<String, Value>,
    /// Why there is no sign.
    pub(super) problem: Option<String>,
}

impl Evidence {
    pub(super) fn seen(at_us: Micros) -> Self {
        Self {
            seen_us: Some(at_us),
            ..Self::default()
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.measured.insert(name.to_string(), value.into());
        self
    }
}
