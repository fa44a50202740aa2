//! What faults may do to the running plant, and the instruments that witnesses
//! read.

use async_trait::async_trait;
use tokio::sync::oneshot;

use ridethrough_faults::{BatteryTruth, Power, StepRate};
use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::telemetry::{Reading, UpsReading};

use super::power::{Command, PowerGrid};

#[async_trait]
impl Power for PowerGrid {
    async fn act(&self, action: PlantAction) -> Micros {
        let (done, when) = oneshot::channel();
        let _ = self.commands.send(Command::Act(action, Some(done)));
        when.await.unwrap_or_default()
    }

    fn voltage_pu(&self, component: &str) -> Option<f64> {
        self.lock().plant.voltage_pu(component)
    }

    fn lowest_pu(&self, component: &str, since: Micros) -> Option<(Micros, f64)> {
        self.lock().meters.lowest(component, since)
    }

    fn voltages(&self, component: &str, since: Micros) -> Vec<(Micros, f64)> {
        self.lock().meters.since(component, since)
    }

    fn reading(&self, device: &str) -> Option<Reading> {
        self.lock().plant.reading(device)
    }

    fn defects(&self, device: &str) -> Option<Vec<String>> {
        self.lock().plant.defects(device)
    }

    fn powered(&self, node: &str) -> Option<bool> {
        self.lock().plant.node_powered(node)
    }

    fn ups_reading(&self, ups: &str) -> Option<UpsReading> {
        self.lock().plant.ups_reading(ups)
    }

    fn battery(&self, ups: &str) -> Option<BatteryTruth> {
        let shared = self.lock();
        let bench = shared.plant.battery_bench(ups)?;
        Some(BatteryTruth {
            open: bench.open,
            health: bench.health,
            capacity_s: bench.capacity_s,
        })
    }

    fn step_rate(&self, node: &str) -> Option<StepRate> {
        self.lock().steps.get(node).copied()
    }
}
