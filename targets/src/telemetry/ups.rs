//! What a UPS measures of itself.

use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// What a UPS measures. Voltages in volts, power in watts, shares 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpsReading {
    /// When it was measured.
    pub t_us: Micros,
    /// Where the output comes from.
    pub status: ReadingStatus,
    /// Input voltage.
    pub input_v: f64,
    /// Nominal input voltage.
    pub input_nominal_v: f64,
    /// Input frequency.
    pub input_hz: f64,
    /// Voltages between which it stays on the input.
    pub input_window_v: [f64; 2],
    /// How often the input has left the window since the start.
    pub line_bads: u32,
    /// Output voltage.
    pub output_v: f64,
    /// Output frequency.
    pub output_hz: f64,
    /// Output power.
    pub output_w: f64,
    /// Rated power.
    pub rating_w: f64,
    /// Voltage at the bypass input.
    pub bypass_v: f64,
    /// State of charge as the device believes it, 0 to 1.
    pub charge: f64,
    /// Seconds left at the present load.
    pub runtime_s: f64,
    /// Seconds on battery; 0 when it is not.
    pub on_battery_s: f64,
    /// Charge below which it calls the battery low.
    pub charge_low: f64,
    /// Runtime in seconds below which it calls the battery low.
    pub runtime_low_s: f64,
    /// The battery is taking charge.
    pub charging: bool,
    /// The device says the battery is low.
    pub low_battery: bool,
    /// Nothing is left in the battery.
    pub depleted: bool,
    /// The device says the battery must be replaced.
    pub replace_battery: bool,
    /// The load is above its rating.
    pub overload: bool,
    /// It counted too many disturbances and stays off the mains until a person
    /// resets it.
    pub locked_out: bool,
    /// Why it last left the mains, in the device's words.
    pub transfer_reason: String,
}

/// Where a UPS takes its output from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingStatus {
    /// Mains, through the converter or the filter.
    #[default]
    OnLine,
    /// Mains, raised by the regulator (line-interactive).
    Boost,
    /// Mains, lowered by the regulator (line-interactive).
    Trim,
    /// The battery.
    OnBattery,
    /// Mains, past the converter: no battery behind it.
    Bypass,
    /// Nothing: the output is dead.
    Off,
}

impl ReadingStatus {
    /// The output comes from the mains.
    pub fn on_mains(self) -> bool {
        matches!(self, Self::OnLine | Self::Boost | Self::Trim | Self::Bypass)
    }
}
