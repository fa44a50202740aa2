//! What each power device measures of itself: one look of it.
//!
//! Voltages in volts (phase to neutral), power in watts, energy in watt hours,
//! temperatures in degrees Celsius, shares 0 to 1. A reading is what the
//! device believes; the plant alone knows the truth.

use serde::{Deserialize, Serialize};

use super::bess::BessReading;
use super::ups::UpsReading;
use crate::clock::Micros;

/// One look of a device at itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// A feeder of the grid, at its meter.
    Utility(UtilityReading),
    /// A UPS.
    Ups(UpsReading),
    /// A generator.
    Generator(GeneratorReading),
    /// An automatic or static transfer switch.
    Transfer(TransferReading),
    /// A battery energy storage system.
    Bess(BessReading),
    /// A PDU.
    Pdu(PduReading),
    /// A rack's power shelf.
    Shelf(ShelfReading),
    /// A cooling unit and the room that it cools.
    Cooling(CoolingReading),
    /// A machine, as its BMC sees it.
    Machine(MachineReading),
}

impl Reading {
    /// When it was measured.
    pub fn t_us(&self) -> Micros {
        match self {
            Self::Utility(r) => r.t_us,
            Self::Ups(r) => r.t_us,
            Self::Generator(r) => r.t_us,
            Self::Transfer(r) => r.t_us,
            Self::Bess(r) => r.t_us,
            Self::Pdu(r) => r.t_us,
            Self::Shelf(r) => r.t_us,
            Self::Cooling(r) => r.t_us,
            Self::Machine(r) => r.t_us,
        }
    }

    /// The kind of device, such as `ups`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Utility(_) => "utility",
            Self::Ups(_) => "ups",
            Self::Generator(_) => "generator",
            Self::Transfer(_) => "transfer",
            Self::Bess(_) => "bess",
            Self::Pdu(_) => "pdu",
            Self::Shelf(_) => "shelf",
            Self::Cooling(_) => "cooling",
            Self::Machine(_) => "machine",
        }
    }
}

/// What a feeder's meter shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UtilityReading {
    /// When it was measured.
    pub t_us: Micros,
    /// Voltage.
    pub v: f64,
    /// Frequency.
    pub hz: f64,
    /// Power drawn from it.
    pub w: f64,
}

/// What a generator is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GeneratorStatus {
    /// At rest.
    #[default]
    Off,
    /// It noticed the loss of the mains and waits to be sure.
    Sensing,
    /// The starter turns it.
    Cranking,
    /// At speed, without load.
    Ready,
    /// At speed, carrying load.
    Loaded,
    /// Running without load before it stops.
    Cooldown,
    /// It gave up; somebody must come.
    Fault,
}

/// What a generator measures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GeneratorReading {
    /// When it was measured.
    pub t_us: Micros,
    /// What it is doing.
    pub status: GeneratorStatus,
    /// Output voltage.
    pub v: f64,
    /// Output frequency.
    pub hz: f64,
    /// Output power.
    pub w: f64,
    /// Rated power.
    pub rating_w: f64,
    /// Fuel left, in hours at rated power.
    pub fuel_h: f64,
    /// Attempts to start since it was last at rest.
    pub attempts: u32,
    /// Why it is in fault; empty otherwise.
    pub fault: String,
}

/// One of the two inputs of a transfer switch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceReading {
    /// The component that feeds it.
    pub name: String,
    /// Voltage.
    pub v: f64,
    /// Frequency.
    pub hz: f64,
    /// It is inside the switch's window.
    pub good: bool,
}

/// What a transfer switch measures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TransferReading {
    /// When it was measured.
    pub t_us: Micros,
    /// It is static (a few milliseconds), not mechanical.
    pub fast: bool,
    /// Its inputs, the first the one it was built to prefer.
    pub sources: Vec<SourceReading>,
    /// The input that feeds the output; none while it moves or is open.
    pub active: Option<usize>,
    /// The input that it prefers.
    pub preferred: usize,
    /// Output voltage.
    pub output_v: f64,
    /// Output power.
    pub output_w: f64,
    /// It will not move by itself.
    pub inhibited: bool,
    /// It goes back to the preferred input by itself.
    pub retransfer: bool,
    /// How long a source must be bad before it moves, in seconds.
    pub transfer_delay_s: f64,
    /// How long the preferred source must be good before it goes back.
    pub retransfer_delay_s: f64,
    /// Nominal voltage.
    pub nominal_v: f64,
}

/// What a PDU measures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PduReading {
    /// When it was measured.
    pub t_us: Micros,
    /// Voltage behind its breaker.
    pub v: f64,
    /// Frequency.
    pub hz: f64,
    /// Current through its breaker.
    pub a: f64,
    /// Power.
    pub w: f64,
    /// Energy since the start.
    pub energy_wh: f64,
    /// Rated current of its breaker.
    pub rating_a: f64,
    /// Its breaker conducts.
    pub closed: bool,
    /// Its breaker opened by itself.
    pub tripped: bool,
    /// Redfish `PowerRestorePolicy`: `AlwaysOn`, `AlwaysOff` or `LastState`.
    pub restore_policy: String,
    /// Redfish `PowerRestoreDelaySeconds`.
    pub restore_delay_s: f64,
    /// Nominal voltage.
    pub nominal_v: f64,
    /// Its outlets, one for each cord plugged in.
    pub outlets: Vec<OutletReading>,
}

/// One outlet of a PDU.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutletReading {
    /// The machine whose cord is in it.
    pub node: String,
    /// It conducts.
    pub on: bool,
    /// It will switch by itself after a delay: to on (true) or off.
    pub pending: Option<bool>,
    /// Power.
    pub w: f64,
    /// Current.
    pub a: f64,
}

/// What a rack's power shelf measures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShelfReading {
    /// When it was measured.
    pub t_us: Micros,
    /// Power to its machines.
    pub w: f64,
    /// Its power supplies.
    pub supplies: Vec<SupplyReading>,
    /// Its battery backup unit, where it has one.
    pub bbu: Option<BbuReading>,
}

/// One power supply of a shelf or a machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SupplyReading {
    /// Its name, such as `gpu-1/0`.
    pub name: String,
    /// The PDU behind its cord.
    pub pdu: String,
    /// Input voltage.
    pub input_v: f64,
    /// Input power.
    pub input_w: f64,
    /// Rated power.
    pub rating_w: f64,
    /// It works (whether or not it has input).
    pub healthy: bool,
}

/// The battery backup unit of a shelf (Open Rack v3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BbuReading {
    /// State of charge.
    pub charge: f64,
    /// It carries the load.
    pub discharging: bool,
    /// It takes charge.
    pub charging: bool,
    /// Nominal energy.
    pub energy_wh: f64,
    /// State of health.
    pub health: f64,
}

/// What a cooling unit is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoolingStatus {
    /// It cools.
    #[default]
    Running,
    /// Its contactors dropped out.
    Tripped,
    /// It is on its way back.
    Restarting,
    /// It waits for a person.
    Locked,
}

/// What a cooling unit measures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoolingReading {
    /// When it was measured.
    pub t_us: Micros,
    /// What it is doing.
    pub status: CoolingStatus,
    /// The air that the racks breathe.
    pub temperature_c: f64,
    /// Heat that it can take away.
    pub capacity_w: f64,
    /// What it draws.
    pub w: f64,
    /// Warning, throttle and shutdown temperatures.
    pub limits_c: [f64; 3],
}

/// What a machine's BMC sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineReading {
    /// When it was measured.
    pub t_us: Micros,
    /// Its rack.
    pub rack: String,
    /// It runs.
    pub on: bool,
    /// What it draws.
    pub w: f64,
    /// What it draws when idle and at most.
    pub range_w: [f64; 2],
    /// The limit that it is held to, where there is one.
    pub limit_w: Option<f64>,
    /// Clocks as a share of nominal.
    pub clocks: f64,
    /// Its power brake is pulled.
    pub braked: bool,
    /// Inlet temperature.
    pub temperature_c: f64,
    /// Redfish `LastResetCause`, such as `PowerEvent`; empty before the first.
    pub last_reset_cause: String,
    /// Its power supplies.
    pub supplies: Vec<SupplyReading>,
}
