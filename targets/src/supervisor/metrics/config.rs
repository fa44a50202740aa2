//! What the metrics server is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::supervisor::web::WebLimits;
use crate::units::Span;

/// The metrics server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// The port it listens on.
    pub port: u16,
    /// How often a quiet stream shows that it lives.
    pub heartbeat: Span,
    /// What it bears.
    pub limits: WebLimits,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            port: 9464,
            heartbeat: Span::from_secs(15),
            limits: WebLimits::default(),
        }
    }
}
