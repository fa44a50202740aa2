//! Why an accelerator's clocks are held down, as its driver tells it.

use serde::{Deserialize, Serialize};

use super::model::NodeModel;

/// Reasons as a set of bits: NVML's `nvmlClocksEventReasons`, which DCGM shows
/// as field `DCGM_FI_DEV_CLOCKS_EVENT_REASONS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockReasons(pub u64);

impl ClockReasons {
    /// It is held to a power by software.
    pub const SW_POWER_CAP: Self = Self(0x4);
    /// Its hardware slows it down, for one of the reasons below.
    pub const HW_SLOWDOWN: Self = Self(0x8);
    /// It is too hot.
    pub const HW_THERMAL_SLOWDOWN: Self = Self(0x40);
    /// Its power-brake line is pulled, by a power supply as a rule.
    pub const HW_POWER_BRAKE_SLOWDOWN: Self = Self(0x80);

    /// These and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These, where something is so.
    #[must_use]
    pub fn only_if(self, so: bool) -> Self {
        if so { self } else { Self::default() }
    }
}

impl NodeModel {
    /// Why its clocks are below nominal.
    pub(in super::super) fn clock_reasons(&self) -> ClockReasons {
        let hardware = ClockReasons::HW_SLOWDOWN;
        let brake = hardware.and(ClockReasons::HW_POWER_BRAKE_SLOWDOWN);
        let heat = hardware.and(ClockReasons::HW_THERMAL_SLOWDOWN);
        ClockReasons::SW_POWER_CAP
            .only_if(self.limit.is_some_and(|limit| limit < self.peak))
            .and(brake.only_if(self.line_clocks < 1.0 || self.psu_brake))
            .and(heat.only_if(self.heat_clocks < 1.0))
    }
}
