//! Network switches of racks, as loads that can lose their supply.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Span;

/// A top-of-rack switch. While it is dark the machines of its rack reach nobody,
/// each other neither; they live on, where their own cords are fed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RackSwitch {
    /// The rack whose machines it connects.
    pub rack: String,
    /// What feeds it; one cord, as most of them have.
    pub from: String,
    /// Time from power to forwarding (typical for a data-centre switch: one to
    /// three minutes).
    #[serde(default = "boot")]
    pub boot: Span,
}

fn boot() -> Span {
    Span::from_secs(60)
}
