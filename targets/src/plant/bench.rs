//! A battery taken to its maker's bench: what it is, not what it says.

use super::battery::BatteryModel;
use super::engine::Plant;

/// The result of bench tests of a battery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatteryBench {
    /// Continuity test: the string is open.
    pub open: bool,
    /// State of health, 1 is new.
    pub health: f64,
    /// Capacity test: seconds at the UPS's rated power from full charge.
    pub capacity_s: f64,
}

impl Plant {
    /// Tests the battery of a UPS without touching its UPS's own telemetry.
    pub fn battery_bench(&self, ups: &str) -> Option<BatteryBench> {
        let index = *self.graph.bus_names.get(ups)?;
        let model = self.graph.buses.get(index)?.ups()?;
        Some(bench(&model.battery, model.rating as f64 / 1e3))
    }
}

fn bench(battery: &BatteryModel, rating_w: f64) -> BatteryBench {
    BatteryBench {
        open: battery.open,
        health: battery.health(),
        capacity_s: battery.full_runtime_s(rating_w) * battery.health(),
    }
}
