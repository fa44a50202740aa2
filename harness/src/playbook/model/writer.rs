//! Clients of a journal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::units::{Bytes, Rate, Span};

/// A client that writes records to a journal, keeps what was acknowledged, and
/// reads all of it back when the last phase is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriterSpec {
    /// Its name.
    pub name: String,
    /// The service it writes to: a `journal`.
    pub service: String,
    /// Records per second, evenly spaced, whatever becomes of earlier ones
    /// (open loop).
    pub rate: Rate,
    /// The size of a record.
    #[serde(default = "payload")]
    pub payload: Bytes,
    /// Longest wait for an acknowledgement.
    #[serde(default = "timeout")]
    pub timeout: Span,
}

fn payload() -> Bytes {
    Bytes(256.0)
}

fn timeout() -> Span {
    Span::from_secs(1)
}
