//! What a power device can be told, whatever the protocol.

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
