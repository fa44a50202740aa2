//! The states of the plant's components.

use serde::{Deserialize, Serialize};

/// States of a UPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpsState {
    /// Load on mains.
    Normal,
    /// Between mains and battery (VI, VFD): the output is dead.
    Transferring,
    /// Load on battery.
    OnBattery,
    /// Input good again, waiting to be sure.
    Qualifying,
    /// Load shifting from battery to mains.
    WalkIn,
    /// Load on mains past the converter, which is ready to take over.
    Eco,
    /// Load on mains past the converter: no battery behind it.
    Bypass,
    /// No output.
    Off,
}

/// States of a battery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatteryState {
    /// Full, resting.
    Idle,
    /// Taking charge.
    Charging,
    /// Carrying the load.
    Discharging,
    /// Nothing left.
    Empty,
    /// String open.
    Open,
}

/// States of a generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GeneratorState {
    /// At rest.
    Off,
    /// The mains are out; it waits to be sure.
    Sensing,
    /// The starter turns it.
    Cranking,
    /// Between two attempts to start.
    Resting,
    /// At speed, without load.
    Ready,
    /// At speed, carrying load.
    Loaded,
    /// Running without load before it stops.
    Cooldown,
    /// It gave up; somebody must come.
    Fault,
}

/// Positions of a transfer switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// On its first input.
    OnA,
    /// On its second input.
    OnB,
    /// Between the two: the output is dead.
    Open,
}

/// States of a rack's battery backup unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BbuState {
    /// The supplies carry the rack; it is full and rests.
    Standby,
    /// It takes charge.
    Charging,
    /// It carries the rack.
    Discharging,
    /// Nothing left.
    Empty,
}

/// States of a BESS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BessState {
    /// Contactors open.
    Disconnected,
    /// Pre-charge, self test.
    Initializing,
    /// Contactors closed, inverter at rest.
    Standby,
    /// It follows a grid that is there.
    Following,
    /// It is about to make the voltage itself.
    Starting,
    /// It makes voltage and frequency itself.
    Forming,
    /// It gave up; somebody must reset it.
    Fault,
}

/// States of a cooling unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoolingState {
    /// It cools.
    Running,
    /// Its contactors dropped out and it has no voltage to restart on.
    Tripped,
    /// It is on its way back.
    Restarting,
    /// It waits for a person.
    Locked,
}

/// How warm the air of a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeatLevel {
    /// As it should be.
    Normal,
    /// Above the warning limit.
    Warning,
    /// Machines run at reduced clocks.
    Throttling,
    /// Machines have switched themselves off.
    Tripped,
}
