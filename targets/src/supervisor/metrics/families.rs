//! Which numbers of which reading are shown, and under what name.

use crate::exposition::Exposition;
use crate::telemetry::{
    BessReading, CoolingReading, GeneratorReading, MachineReading, PduReading, Reading,
    ShelfReading, SupplyReading, TransferReading, UpsReading, UtilityReading,
};

/// The numbers of one device.
pub(super) fn collect(to: &mut Exposition, device: &str, reading: &Reading) {
    match reading {
        Reading::Utility(r) => utility(to, device, r),
        Reading::Ups(r) => ups(to, device, r),
        Reading::Generator(r) => generator(to, device, r),
        Reading::Transfer(r) => transfer(to, device, r),
        Reading::Bess(r) => bess(to, device, r),
        Reading::Pdu(r) => pdu(to, device, r),
        Reading::Shelf(r) => shelf(to, device, r),
        Reading::Cooling(r) => cooling(to, device, r),
        Reading::Machine(r) => machine(to, device, r),
    }
}

fn flag(on: bool) -> f64 {
    f64::from(u8::from(on))
}

/// The word that serde writes for a plain enum.
fn word(status: impl serde::Serialize) -> String {
    let json = serde_json::to_value(status).unwrap_or_default();
    json.as_str().unwrap_or_default().to_string()
}

fn utility(to: &mut Exposition, device: &str, r: &UtilityReading) {
    let d = &[("device", device)];
    to.gauge("utility_volts", "Voltage at the meter.", d, r.v);
    to.gauge("utility_hertz", "Frequency at the meter.", d, r.hz);
    to.gauge("utility_watts", "Power drawn.", d, r.w);
}

fn ups(to: &mut Exposition, device: &str, r: &UpsReading) {
    let d = &[("device", device)];
    let status = word(r.status);
    let s = &[("device", device), ("status", status.as_str())];
    to.gauge("ups_status", "1 for where the output comes from.", s, 1.0);
    to.gauge("ups_input_volts", "Input voltage.", d, r.input_v);
    to.gauge("ups_input_hertz", "Input frequency.", d, r.input_hz);
    to.gauge("ups_output_volts", "Output voltage.", d, r.output_v);
    to.gauge("ups_output_hertz", "Output frequency.", d, r.output_hz);
    to.gauge("ups_output_watts", "Output power.", d, r.output_w);
    to.gauge("ups_rating_watts", "Rated power.", d, r.rating_w);
    let charge = "State of charge as the UPS believes it.";
    to.gauge("ups_charge_ratio", charge, d, r.charge);
    let left = "Time left at the present load.";
    to.gauge("ups_runtime_seconds", left, d, r.runtime_s);
    let on_battery = "Time on battery; 0 when it is not.";
    to.gauge("ups_on_battery_seconds", on_battery, d, r.on_battery_s);
    let low = "1 while it says that its battery is low.";
    to.gauge("ups_low_battery", low, d, flag(r.low_battery));
    let charging = "1 while the battery takes charge.";
    to.gauge("ups_charging", charging, d, flag(r.charging));
    let overload = "1 while the load is above its rating.";
    to.gauge("ups_overload", overload, d, flag(r.overload));
    let locked = "1 while it stays off the mains until it is reset.";
    to.gauge("ups_locked_out", locked, d, flag(r.locked_out));
    let bads = "How often the input has left its window.";
    to.counter("ups_line_bads_total", bads, d, f64::from(r.line_bads));
}

fn generator(to: &mut Exposition, device: &str, r: &GeneratorReading) {
    let d = &[("device", device)];
    let status = word(r.status);
    let s = &[("device", device), ("status", status.as_str())];
    to.gauge("generator_status", "1 for what it is doing.", s, 1.0);
    to.gauge("generator_volts", "Output voltage.", d, r.v);
    to.gauge("generator_hertz", "Output frequency.", d, r.hz);
    to.gauge("generator_watts", "Output power.", d, r.w);
    to.gauge("generator_rating_watts", "Rated power.", d, r.rating_w);
    let fuel = "Fuel left, as time at rated power.";
    to.gauge("generator_fuel_seconds", fuel, d, r.fuel_h * 3600.0);
    let attempts = "Attempts to start since it was last at rest.";
    to.gauge("generator_attempts", attempts, d, f64::from(r.attempts));
}

fn transfer(to: &mut Exposition, device: &str, r: &TransferReading) {
    let d = &[("device", device)];
    for (index, source) in r.sources.iter().enumerate() {
        let s = &[("device", device), ("source", source.name.as_str())];
        to.gauge("transfer_source_volts", "Input voltage.", s, source.v);
        to.gauge("transfer_source_hertz", "Input frequency.", s, source.hz);
        let good = "1 while the input is inside its window.";
        to.gauge("transfer_source_good", good, s, flag(source.good));
        let active = "1 for the input that feeds the output.";
        let is = flag(r.active == Some(index));
        to.gauge("transfer_source_active", active, s, is);
    }
    to.gauge("transfer_output_volts", "Output voltage.", d, r.output_v);
    to.gauge("transfer_output_watts", "Output power.", d, r.output_w);
    let inhibited = "1 while it will not move by itself.";
    to.gauge("transfer_inhibited", inhibited, d, flag(r.inhibited));
}

fn bess(to: &mut Exposition, device: &str, r: &BessReading) {
    let d = &[("device", device)];
    let status = word(r.status);
    let s = &[("device", device), ("status", status.as_str())];
    to.gauge("bess_status", "1 for what it is doing.", s, 1.0);
    to.gauge("bess_volts", "Voltage at its bus.", d, r.v);
    to.gauge("bess_hertz", "Frequency at its bus.", d, r.hz);
    let watts = "Power, positive when it discharges.";
    to.gauge("bess_watts", watts, d, r.w);
    to.gauge("bess_charge_ratio", "State of charge.", d, r.charge);
    to.gauge("bess_health_ratio", "State of health.", d, r.health);
    let cell = "Highest temperature of a module.";
    to.gauge("bess_temperature_celsius", cell, d, r.temperature_c);
    let island = "1 while it and its load are an island.";
    to.gauge("bess_islanded", island, d, flag(r.islanded));
    let out = "Energy discharged.";
    let joules = r.through_wh.map(|wh| wh * 3600.0);
    to.counter("bess_discharged_joules_total", out, d, joules[0]);
    let back = "Energy charged.";
    to.counter("bess_charged_joules_total", back, d, joules[1]);
}

fn pdu(to: &mut Exposition, device: &str, r: &PduReading) {
    let d = &[("device", device)];
    to.gauge("pdu_volts", "Voltage behind the breaker.", d, r.v);
    to.gauge("pdu_hertz", "Frequency.", d, r.hz);
    to.gauge("pdu_amperes", "Current through the breaker.", d, r.a);
    to.gauge("pdu_rating_amperes", "Rated current.", d, r.rating_a);
    to.gauge("pdu_watts", "Power.", d, r.w);
    let energy = "Energy since the start.";
    to.counter("pdu_joules_total", energy, d, r.energy_wh * 3600.0);
    let closed = "1 while the breaker conducts.";
    to.gauge("pdu_breaker_closed", closed, d, flag(r.closed));
    let tripped = "1 while the breaker has opened by itself.";
    to.gauge("pdu_breaker_tripped", tripped, d, flag(r.tripped));
    for (index, outlet) in r.outlets.iter().enumerate() {
        let number = (index + 1).to_string();
        let o = &[
            ("device", device),
            ("outlet", number.as_str()),
            ("node", outlet.node.as_str()),
        ];
        to.gauge("outlet_on", "1 while it conducts.", o, flag(outlet.on));
        to.gauge("outlet_watts", "Power.", o, outlet.w);
        to.gauge("outlet_amperes", "Current.", o, outlet.a);
    }
}

fn supplies(to: &mut Exposition, device: &str, supplies: &[SupplyReading]) {
    for supply in supplies {
        let s = &[
            ("device", device),
            ("supply", supply.name.as_str()),
            ("pdu", supply.pdu.as_str()),
        ];
        to.gauge("supply_input_volts", "Input voltage.", s, supply.input_v);
        to.gauge("supply_input_watts", "Input power.", s, supply.input_w);
        to.gauge("supply_rating_watts", "Rated power.", s, supply.rating_w);
        let healthy = "1 while it works, with or without input.";
        to.gauge("supply_healthy", healthy, s, flag(supply.healthy));
    }
}

fn shelf(to: &mut Exposition, device: &str, r: &ShelfReading) {
    let d = &[("device", device)];
    to.gauge("shelf_watts", "Power to its machines.", d, r.w);
    supplies(to, device, &r.supplies);
    if let Some(bbu) = &r.bbu {
        to.gauge("shelf_charge_ratio", "State of charge.", d, bbu.charge);
        let on = "1 while the battery carries the load.";
        to.gauge("shelf_discharging", on, d, flag(bbu.discharging));
    }
}

fn cooling(to: &mut Exposition, device: &str, r: &CoolingReading) {
    let d = &[("device", device)];
    let status = word(r.status);
    let s = &[("device", device), ("status", status.as_str())];
    to.gauge("cooling_status", "1 for what it is doing.", s, 1.0);
    let air = "The air that the racks breathe.";
    to.gauge("cooling_temperature_celsius", air, d, r.temperature_c);
    let heat = "Heat that it can take away.";
    to.gauge("cooling_capacity_watts", heat, d, r.capacity_w);
    to.gauge("cooling_watts", "What it draws.", d, r.w);
}

fn machine(to: &mut Exposition, device: &str, r: &MachineReading) {
    let d = &[("device", device), ("rack", r.rack.as_str())];
    to.gauge("machine_on", "1 while it runs.", d, flag(r.on));
    to.gauge("machine_watts", "What it draws.", d, r.w);
    if let Some(limit) = r.limit_w {
        let held = "The power that it is held to.";
        to.gauge("machine_limit_watts", held, d, limit);
    }
    let clocks = "Clocks as a share of nominal.";
    to.gauge("machine_clocks_ratio", clocks, d, r.clocks);
    let braked = "1 while its power brake is pulled.";
    to.gauge("machine_braked", braked, d, flag(r.braked));
    let inlet = "Inlet temperature.";
    to.gauge("machine_temperature_celsius", inlet, d, r.temperature_c);
    supplies(to, device, &r.supplies);
}
