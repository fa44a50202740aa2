//! Orders to the plant's devices, as their own protocols give them.

use super::bus::Kind;
use super::engine::Plant;
use super::event::{PlantAction, PlantEvent};
use crate::telemetry::{CommandError, DeviceCommand};

type Obeyed = Result<(), CommandError>;

impl Plant {
    /// Gives an order to a device at the plant's present time.
    pub fn command(
        &mut self,
        device: &str,
        command: &DeviceCommand,
    ) -> Result<Vec<PlantEvent>, CommandError> {
        if let Some(&index) = self.graph.bus_names.get(device) {
            self.command_bus(index, device, command)?;
        } else if self.graph.node_names.contains_key(device) {
            return Err(CommandError::Unsupported(device.to_string()));
        } else {
            return Err(CommandError::Unknown(device.to_string()));
        }
        Ok(self.settle_action())
    }

    fn command_bus(&mut self, index: usize, device: &str, command: &DeviceCommand) -> Obeyed {
        match (&self.graph.buses[index].kind, command) {
            (Kind::Pdu(_), DeviceCommand::Breaker { on }) => {
                let pdu = device.to_string();
                self.apply(&match on {
                    true => PlantAction::BreakerCloses { pdu },
                    false => PlantAction::BreakerOpens { pdu },
                });
                Ok(())
            }
            _ => Err(CommandError::Unsupported(device.to_string())),
        }
    }
}
