//! What a supervisor is told, and the states it can be in.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Span;

/// The supervisor's policy.
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
}

impl Default for SupervisorConfig {
    fn default() -> Self {
        Self {
            poll: Span::from_millis(100),
            stale_after: Span::from_secs(2),
            settle: Span::from_secs(2),
            shutdown_on_low_battery: true,
        }
    }
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
