//! What a Modbus server is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Span;

/// A Modbus TCP server for the storage systems of a board.
///
/// The first one answers to unit 1, the second to unit 2, and so on; units 0
/// and 255 mean the first, as Modbus TCP clients use them for the device that
/// owns the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SunspecConfig {
    /// The port that it listens on (IANA: `mbap`).
    pub port: u16,
    /// Connections at one time; more are closed at once.
    pub connections: usize,
    /// A client silent for this long is disconnected.
    pub idle: Span,
    /// A client that does not read its answer for this long is disconnected.
    pub write: Span,
}

impl Default for SunspecConfig {
    fn default() -> Self {
        Self {
            port: 502,
            connections: 1_024,
            idle: Span::from_secs(300),
            write: Span::from_secs(10),
        }
    }
}
