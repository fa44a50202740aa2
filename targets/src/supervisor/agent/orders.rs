//! NUT's instant commands and what they mean to a device.

use crate::telemetry::DeviceCommand;

/// What a command means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    /// The beeper goes to this state; nothing toggles it.
    Beeper(Option<&'static str>),
    /// An order to the device.
    Device(DeviceCommand),
}

/// The meaning of a command; nothing for one that no device of ours has.
pub(super) fn meaning(command: &str) -> Option<Meaning> {
    let device = match command {
        "beeper.enable" => return Some(Meaning::Beeper(Some("enabled"))),
        "beeper.disable" => return Some(Meaning::Beeper(Some("disabled"))),
        "beeper.mute" => return Some(Meaning::Beeper(Some("muted"))),
        "beeper.toggle" => return Some(Meaning::Beeper(None)),
        "load.off" => DeviceCommand::Output { on: false },
        "load.on" => DeviceCommand::Output { on: true },
        "bypass.start" => DeviceCommand::Bypass { on: true },
        "bypass.stop" => DeviceCommand::Bypass { on: false },
        "device.reset" => DeviceCommand::Reset,
        "generator.start" => DeviceCommand::Start,
        "generator.stop" => DeviceCommand::Stop,
        "input.source.1" => DeviceCommand::Select { source: 0 },
        "input.source.2" => DeviceCommand::Select { source: 1 },
        other => return outlet(other).map(Meaning::Device),
    };
    Some(Meaning::Device(device))
}

/// `outlet.2.load.off`.
fn outlet(command: &str) -> Option<DeviceCommand> {
    let (number, verb) = command.strip_prefix("outlet.")?.split_once('.')?;
    let on = match verb {
        "load.on" => true,
        "load.off" => false,
        _ => return None,
    };
    let number: usize = number.parse().ok()?;
    let index = number.checked_sub(1)?;
    Some(DeviceCommand::Outlet { index, on })
}
