//! What variables and commands mean (names after NUT's recording document).

/// The description of a variable.
pub fn describe_variable(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "battery.charge" => "Battery charge (percent of full)",
        "battery.charge.low" => "Remaining battery level when UPS switches to LB (percent)",
        "battery.charger.status" => "Battery charger status",
        "battery.runtime" => "Battery runtime (seconds)",
        "battery.runtime.low" => "Remaining battery runtime when UPS switches to LB (seconds)",
        "battery.voltage" => "Battery voltage (V)",
        "battery.voltage.nominal" => "Nominal battery voltage (V)",
        "device.mfr" => "Manufacturer",
        "device.model" => "Model",
        "device.type" => "Device type (ups, pdu, scd, psu, ats)",
        "driver.name" => "Driver name",
        "driver.version" => "Driver version - NUT release",
        "input.frequency" => "Input line frequency (Hz)",
        "input.transfer.reason" => "Reason for last transfer to battery",
        "input.voltage" => "Input voltage (V)",
        "input.voltage.nominal" => "Nominal input voltage (V)",
        "output.frequency" => "Output frequency (Hz)",
        "output.voltage" => "Output voltage (V)",
        "ups.alarm" => "UPS alarms",
        "ups.beeper.status" => "UPS beeper status",
        "ups.load" => "Load on UPS (percent of full)",
        "ups.realpower" => "Current value of real power (W)",
        "ups.realpower.nominal" => "Nominal value of real power (W)",
        "ups.status" => "UPS status",
        _ => return None,
    })
}

/// The description of a command.
pub fn describe_command(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "beeper.disable" => "Disable the UPS beeper",
        "beeper.enable" => "Enable the UPS beeper",
        "beeper.mute" => "Temporarily mute the UPS beeper",
        "beeper.toggle" => "Toggle the UPS beeper",
        "load.off" => "Turn off the load immediately",
        "load.on" => "Turn on the load immediately",
        "shutdown.return" => "Turn off the load and return when power is back",
        "shutdown.stayoff" => "Turn off the load and remain off",
        "test.battery.start.deep" => "Start a deep battery test",
        "test.battery.start.quick" => "Start a quick battery test",
        "test.battery.stop" => "Stop the battery test",
        _ => return None,
    })
}
