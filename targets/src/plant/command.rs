//! Orders to the plant's devices, as their own protocols give them.

use super::bus::{Kind, Notes};
use super::engine::Plant;
use super::event::{Change, GeneratorState, PlantEvent};
use super::generator::GeneratorModel;
use super::ledger::milliwatts;
use super::pdu::PduModel;
use super::transfer::TransferModel;
use super::ups::UpsModel;
use crate::clock::Micros;
use crate::telemetry::{CommandError, DeviceCommand};

/// What a device says to an order.
pub(super) type Obeyed = Result<(), CommandError>;

impl Plant {
    /// Gives an order to a device at the plant's present time.
    pub fn command(
        &mut self,
        device: &str,
        command: &DeviceCommand,
    ) -> Result<Vec<PlantEvent>, CommandError> {
        if let Some(&index) = self.graph.bus_names.get(device) {
            self.command_bus(index, command)?;
        } else if let Some(&index) = self.graph.node_names.get(device) {
            self.command_node(index, command)?;
        } else if self.shelf_named(device).is_some() {
            return Err(unsupported(device));
        } else {
            return Err(CommandError::Unknown(device.to_string()));
        }
        Ok(self.settle_action())
    }

    fn command_node(&mut self, index: usize, command: &DeviceCommand) -> Obeyed {
        let node = &self.graph.nodes[index];
        let name = node.name.clone();
        match *command {
            DeviceCommand::Machine { on: true } if !node.powered && !self.has_input(index) => {
                refused(&name, "it has no power")
            }
            DeviceCommand::Machine { on } => {
                self.with_node(&name, |n, _| n.switch(on));
                Ok(())
            }
            DeviceCommand::Limit { watts } => {
                let (low, high) = (node.idle as f64 / 1e3, node.peak as f64 / 1e3);
                if watts.is_some_and(|watts| !(low..=high).contains(&watts)) {
                    let problem = format!("{name}: must be between {low} W and {high} W");
                    return Err(CommandError::OutOfRange(problem));
                }
                let limit = watts.map(milliwatts);
                self.with_node(&name, |n, notes| n.hold_to(limit, notes));
                Ok(())
            }
            _ => Err(unsupported(&name)),
        }
    }

    fn has_input(&self, node: usize) -> bool {
        let inputs = self.inputs(node);
        let psu = &self.graph.nodes[node].psu;
        inputs.iter().any(|v| psu.live(*v))
    }

    fn command_bus(&mut self, index: usize, command: &DeviceCommand) -> Obeyed {
        let now = self.now;
        let mut notes = Notes::new();
        let bus = &mut self.graph.buses[index];
        let name = bus.name.clone();
        let word = match &mut bus.kind {
            Kind::Utility(_) => Err(unsupported(&name)),
            Kind::Generator(it) => generator(it, &name, now, command, &mut notes),
            Kind::Transfer(it) => transfer(it, &name, command, &mut notes),
            Kind::Ups(it) => ups(it, &name, command, &mut notes),
            Kind::Bess(it) => {
                let dead = bus.out.voltage_pu <= 0.0;
                it.obey(now, &name, dead, command, &mut notes)
            }
            Kind::Cooling(it) => match command {
                DeviceCommand::Restart if it.restart() => Ok(()),
                DeviceCommand::Restart => refused(&name, "it has no good voltage"),
                _ => Err(unsupported(&name)),
            },
            Kind::Pdu(it) => pdu(it, &name, now, command, &mut notes),
        };
        self.tell(&name, notes);
        self.touch_bus(index);
        for node in self.graph.buses[index].nodes.clone() {
            self.touch_node(node);
        }
        word
    }
}

/// A device that cannot do this at all.
pub(super) fn unsupported(device: &str) -> CommandError {
    CommandError::Unsupported(device.to_string())
}

/// A device that cannot do this now.
pub(super) fn refused<T>(device: &str, why: &str) -> Result<T, CommandError> {
    Err(CommandError::Refused(format!("{device}: {why}")))
}

fn generator(
    it: &mut GeneratorModel,
    name: &str,
    now: Micros,
    command: &DeviceCommand,
    notes: &mut Notes,
) -> Obeyed {
    match command {
        DeviceCommand::Start if it.state == GeneratorState::Fault => refused(name, it.fault),
        DeviceCommand::Start => {
            it.called = true;
            Ok(())
        }
        DeviceCommand::Stop => {
            it.called = false;
            Ok(())
        }
        DeviceCommand::Reset => {
            it.reset(now, "reset", notes);
            Ok(())
        }
        _ => Err(unsupported(name)),
    }
}

fn transfer(
    it: &mut TransferModel,
    name: &str,
    command: &DeviceCommand,
    notes: &mut Notes,
) -> Obeyed {
    match *command {
        DeviceCommand::Select { source } | DeviceCommand::Prefer { source } if source > 1 => {
            let problem = format!("{name}: no input {source}; it has 0 and 1");
            Err(CommandError::OutOfRange(problem))
        }
        DeviceCommand::Select { .. } if it.inhibited => refused(name, "transfer is inhibited"),
        DeviceCommand::Select { source } if !it.good[source] => {
            refused(name, "that input is not good")
        }
        DeviceCommand::Select { source } => {
            it.select(source);
            Ok(())
        }
        DeviceCommand::Prefer { source } => {
            it.prefer(source);
            Ok(())
        }
        DeviceCommand::Inhibit { on } => {
            if it.inhibited != on {
                notes.push(("told to".to_string(), Change::Inhibit { on }));
            }
            it.inhibited = on;
            Ok(())
        }
        DeviceCommand::Retransfer { on } => {
            it.retransfer = on;
            Ok(())
        }
        _ => Err(unsupported(name)),
    }
}

fn ups(it: &mut UpsModel, name: &str, command: &DeviceCommand, notes: &mut Notes) -> Obeyed {
    match *command {
        DeviceCommand::Output { on } => {
            it.switched_off = !on;
            Ok(())
        }
        DeviceCommand::Bypass { .. } if !it.bypass => Err(unsupported(name)),
        DeviceCommand::Bypass { on: true } if !it.bypass_good => {
            refused(name, "its bypass has no good voltage")
        }
        DeviceCommand::Bypass { on } => {
            it.told_bypass = on;
            Ok(())
        }
        DeviceCommand::Reset => {
            it.reset(notes);
            Ok(())
        }
        _ => Err(unsupported(name)),
    }
}

fn pdu(
    it: &mut PduModel,
    name: &str,
    now: Micros,
    command: &DeviceCommand,
    notes: &mut Notes,
) -> Obeyed {
    match *command {
        DeviceCommand::Breaker { on } => {
            it.switch(on, notes);
            Ok(())
        }
        DeviceCommand::Reset => {
            it.switch(true, notes);
            Ok(())
        }
        DeviceCommand::Outlet { index, .. } if index >= it.outlets() => {
            let problem = format!("{name}: no outlet {index}; it has {}", it.outlets());
            Err(CommandError::OutOfRange(problem))
        }
        DeviceCommand::Outlet { .. } if !it.has_supply() => refused(name, "it has no power"),
        DeviceCommand::Outlet { index, on } => {
            it.order(now, index, on, false);
            Ok(())
        }
        _ => Err(unsupported(name)),
    }
}
