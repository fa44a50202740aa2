//! What a power device can be told, whatever the protocol.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An order to one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceCommand {
    /// A UPS's output is switched.
    Output {
        /// On or off.
        on: bool,
    },
    /// A UPS's static bypass.
    Bypass {
        /// Onto the bypass, or back.
        on: bool,
    },
    /// A lock-out or a fault is cleared by hand: a UPS that counted too many
    /// disturbances, a generator or a BESS in fault.
    Reset,
    /// A transfer switch moves to this input.
    Select {
        /// Which input.
        source: usize,
    },
    /// A transfer switch prefers this input from now on.
    Prefer {
        /// Which input.
        source: usize,
    },
    /// A transfer switch must not move by itself, or may again.
    Inhibit {
        /// It must not.
        on: bool,
    },
    /// A transfer switch goes back to its preferred input by itself, or not.
    Retransfer {
        /// It does.
        on: bool,
    },
    /// A generator is started, whatever the mains do.
    Start,
    /// A generator is let go: it cools down and stops.
    Stop,
    /// A BESS's contactors.
    Connect {
        /// Close or open.
        on: bool,
    },
    /// A BESS's inverter.
    Run {
        /// Start, or go to standby.
        on: bool,
    },
    /// A BESS opens its breaker to the grid, or closes it once it is in step.
    Island {
        /// Open.
        on: bool,
    },
    /// A BESS forms the grid, or follows it.
    Form {
        /// It makes voltage and frequency itself.
        on: bool,
    },
    /// A BESS gives this power, positive when discharging; nothing lets it
    /// work by its own rule.
    Power {
        /// Watts.
        watts: Option<f64>,
    },
    /// The controller of a BESS is alive.
    Heartbeat,
    /// A PDU's outlet is switched.
    Outlet {
        /// Which one, from 0.
        index: usize,
        /// On or off.
        on: bool,
    },
    /// A PDU's breaker is moved by hand.
    Breaker {
        /// Close or open.
        on: bool,
    },
    /// A machine is switched by its BMC, at once and hard.
    Machine {
        /// On or off.
        on: bool,
    },
    /// A machine is held to a power; nothing lets it go.
    Limit {
        /// Watts.
        watts: Option<f64>,
    },
    /// A cooling unit is restarted by a person.
    Restart,
}

impl fmt::Display for DeviceCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let switch = |on: &bool| if *on { "on" } else { "off" };
        match self {
            Self::Output { on } => write!(f, "output {}", switch(on)),
            Self::Bypass { on } => write!(f, "bypass {}", switch(on)),
            Self::Reset => f.write_str("reset"),
            Self::Select { source } => write!(f, "select input {}", source + 1),
            Self::Prefer { source } => write!(f, "prefer input {}", source + 1),
            Self::Inhibit { on } => write!(f, "inhibit {}", switch(on)),
            Self::Retransfer { on } => write!(f, "retransfer {}", switch(on)),
            Self::Start => f.write_str("start"),
            Self::Stop => f.write_str("stop"),
            Self::Connect { on } => write!(f, "contactors {}", switch(on)),
            Self::Run { on } => write!(f, "inverter {}", switch(on)),
            Self::Island { on } => write!(f, "island {}", switch(on)),
            Self::Form { on } => write!(f, "form the grid {}", switch(on)),
            Self::Power { watts: Some(watts) } => write!(f, "give {watts} W"),
            Self::Power { watts: None } => f.write_str("give what it will"),
            Self::Heartbeat => f.write_str("heartbeat"),
            Self::Outlet { index, on } => write!(f, "outlet {} {}", index + 1, switch(on)),
            Self::Breaker { on } => write!(f, "breaker {}", switch(on)),
            Self::Machine { on } => write!(f, "power {}", switch(on)),
            Self::Limit { watts: Some(watts) } => write!(f, "limit {watts} W"),
            Self::Limit { watts: None } => f.write_str("no limit"),
            Self::Restart => f.write_str("restart"),
        }
    }
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum CommandError {
    /// There is no such device.
    #[error("no device {0:?}")]
    Unknown(String),
    /// The device cannot do this at all.
    #[error("{0} cannot do that")]
    Unsupported(String),
    /// A number is out of its range.
    #[error("{0}")]
    OutOfRange(String),
    /// The device cannot do this now.
    #[error("{0}")]
    Refused(String),
    /// Nobody drives the device.
    #[error("the device does not answer")]
    Gone,
}
