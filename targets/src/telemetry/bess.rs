//! What a battery energy storage system measures of itself.

use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// What a BESS is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BessStatus {
    /// Contactors open.
    #[default]
    Disconnected,
    /// Pre-charge, self test.
    Initializing,
    /// Contactors closed, inverter at rest.
    Standby,
    /// Inverter running.
    Connected,
    /// It gave up; somebody must reset it.
    Fault,
}

/// How a BESS's inverter holds its bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BessMode {
    /// It follows a grid that is there.
    #[default]
    Following,
    /// It makes the voltage and the frequency itself.
    Forming,
}

/// What a BESS measures. Power is positive when it discharges.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BessReading {
    /// When it was measured.
    pub t_us: Micros,
    /// What it is doing.
    pub status: BessStatus,
    /// How its inverter holds the bus.
    pub mode: BessMode,
    /// The breaker to the grid is open: it and its load are an island.
    pub islanded: bool,
    /// Voltage at its bus.
    pub v: f64,
    /// Nominal voltage.
    pub nominal_v: f64,
    /// Frequency at its bus.
    pub hz: f64,
    /// Power, positive when discharging.
    pub w: f64,
    /// The power that it was told to give, where it was told one.
    pub set_w: Option<f64>,
    /// Rated power.
    pub rating_w: f64,
    /// Nominal energy.
    pub energy_wh: f64,
    /// State of charge.
    pub charge: f64,
    /// State of health.
    pub health: f64,
    /// Charge that it does not go below or above.
    pub limits: [f64; 2],
    /// Voltage of its string of cells.
    pub dc_v: f64,
    /// Current of its string, positive when discharging.
    pub dc_a: f64,
    /// Lowest and highest cell voltage.
    pub cell_v: [f64; 2],
    /// Highest temperature of a module.
    pub temperature_c: f64,
    /// Energy discharged and charged since the start.
    pub through_wh: [f64; 2],
    /// It can start a dead bus.
    pub black_start: bool,
    /// It hears its controller's heartbeat.
    pub controller_heard: bool,
    /// Why it is in fault; empty otherwise.
    pub fault: String,
}
