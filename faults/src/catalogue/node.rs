//! Faults of machines beyond their supply.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::units::{Bytes, PerUnit, Span};

use super::NodeTarget;

/// A slow boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowBoot {
    /// Which machines.
    pub target: NodeTarget,
    /// How much longer it takes from power to the start of its services.
    pub by: Span,
}

/// Services that die and start, again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashLoop {
    /// Which machines.
    pub target: NodeTarget,
    /// From one death to the next.
    #[serde(default = "crash_every")]
    pub every: Span,
    /// From a death to the next start, as a service manager waits.
    #[serde(default = "restart_delay")]
    pub restart: Span,
}

fn crash_every() -> Span {
    Span::from_secs(2)
}

fn restart_delay() -> Span {
    Span::from_millis(500)
}

/// A processor that is taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CpuTheft {
    /// Which machines.
    pub target: NodeTarget,
    /// The share of time in which nothing of the machine runs.
    pub stolen: PerUnit,
    /// How long a turn is: the first share of each is taken.
    #[serde(default = "turn")]
    pub period: Span,
}

fn turn() -> Span {
    Span::from_millis(50)
}

/// Memory that is short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryPressure {
    /// Which machines.
    pub target: NodeTarget,
    /// How much further memory a machine's services can get together; who asks
    /// for more is killed by the kernel.
    pub leave: Bytes,
}

/// File descriptors that are short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FdExhaustion {
    /// Which machines.
    pub target: NodeTarget,
    /// How many further descriptors each service can open.
    #[serde(default)]
    pub leave: u32,
}

/// A clock that jumps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockJump {
    /// Which machines.
    pub target: NodeTarget,
    /// How far ahead the monotonic clock of its services is.
    pub by: Span,
}
