//! What a NUT device of ours knows beside the board: thresholds that a client
//! has set, and the frequency that an inverter makes. The agent keeps one for
//! all of its devices, a driver one for each.

use std::collections::BTreeSet;

use super::describe::pdu_commands;
use super::orders::{Meaning, meaning};
use super::rows::rows;
use crate::supervisor::mapping::whole;
use crate::supervisor::nut::{Device, Link, Tracked};
use crate::telemetry::{Answer, Board, CommandError, DeviceCommand, Protocol, Reading, UpsReading};
use crate::units::Span;

/// Keeps devices up to what the board shows.
pub(in crate::supervisor) struct Keeper {
    stale_after: Option<Span>,
    battery_nominal_v: f64,
    /// UPSs whose thresholds a client has set: the keeper decides what is low.
    own_limits: BTreeSet<String>,
    /// What an inverter makes: the grid's frequency, as last seen.
    nominal_hz: f64,
}

impl Keeper {
    /// Readings older than `stale_after` are stale; without it the last one
    /// holds. `battery_nominal_v` is of a UPS's battery string, in volts.
    pub(in crate::supervisor) fn new(stale_after: Option<Span>, battery_nominal_v: f64) -> Self {
        Self {
            stale_after,
            battery_nominal_v,
            own_limits: BTreeSet::new(),
            nominal_hz: 50.0,
        }
    }

    /// Brings a device up to what the board shows of it now.
    pub(in crate::supervisor) fn refresh(&mut self, board: &Board, device: &mut Device) {
        let now = board.clock().now_us();
        let answer = board.peek(Protocol::Nut, &device.name);
        let read_at = board.read_at(&device.name).unwrap_or(0);
        let after = self.stale_after.map(|after| after.micros());
        let old = after.is_some_and(|after| now >= read_at + after);
        device.link = match answer {
            Some(Answer::Silence) => Link::Down,
            Some(Answer::Reading(_)) if !old => Link::Up,
            _ => Link::Stale,
        };
        if let Some(Answer::Reading(reading)) = answer {
            self.fill(device, &reading);
        }
    }

    /// A client has set a variable: a threshold, as nothing else is writable.
    pub(in crate::supervisor) fn set(&mut self, device: &mut Device, name: &str, value: String) {
        device.put(name, value);
        self.own_limits.insert(device.name.clone());
    }

    fn fill(&mut self, device: &mut Device, reading: &Reading) {
        let mut reading = reading.clone();
        if let Reading::Ups(ups) = &mut reading {
            if ups.input_hz > 40.0 {
                self.nominal_hz = if ups.input_hz > 55.0 { 60.0 } else { 50.0 };
            }
            if ups.output_hz <= 0.0 && ups.output_v > 0.0 {
                ups.output_hz = self.nominal_hz;
            }
            if self.own_limits.contains(&device.name) {
                ups.low_battery = is_low(device, ups);
            } else {
                device.put("battery.charge.low", whole(ups.charge_low * 100.0));
                device.put("battery.runtime.low", whole(ups.runtime_low_s));
            }
        }
        if let Reading::Pdu(pdu) = &reading {
            device.set_commands(pdu_commands(pdu.outlets.len()));
        }
        // An alarm is there only while it lasts.
        device.retain(|name| name != "ups.alarm");
        for (name, value) in rows(&reading, self.battery_nominal_v) {
            device.put(&name, value);
        }
    }
}

/// What a command comes to: done here, or an order to the board.
pub(in crate::supervisor) enum Todo {
    /// It is over.
    Done(Tracked),
    /// The device is to do this.
    Order(DeviceCommand),
}

/// Begins a command of a client on a device.
pub(in crate::supervisor) fn begin(device: Option<&mut Device>, command: &str) -> Todo {
    match (meaning(command), device) {
        (Some(Meaning::Beeper(next)), Some(device)) => {
            beeper(device, next);
            Todo::Done(Tracked::Success)
        }
        (Some(Meaning::Beeper(_)), None) => Todo::Done(Tracked::Failed),
        (Some(Meaning::Device(command)), _) => Todo::Order(command),
        (None, _) => Todo::Done(Tracked::Unknown),
    }
}

fn beeper(device: &mut Device, next: Option<&str>) {
    let was = device.variable("ups.beeper.status");
    let toggled = match was.map(|v| v.value.as_str()) {
        Some("disabled") => "enabled",
        _ => "disabled",
    };
    device.put("ups.beeper.status", next.unwrap_or(toggled));
}

fn is_low(device: &Device, ups: &UpsReading) -> bool {
    let limit = |name: &str| -> f64 {
        let value = device.variable(name).map(|v| v.value.parse());
        value.and_then(Result::ok).unwrap_or(0.0)
    };
    ups.charge * 100.0 < limit("battery.charge.low") || ups.runtime_s < limit("battery.runtime.low")
}

/// What a client is told of an order's end.
pub(in crate::supervisor) fn tracked(outcome: &Result<(), CommandError>) -> Tracked {
    match outcome {
        Ok(()) => Tracked::Success,
        Err(CommandError::Unsupported(_) | CommandError::Unknown(_)) => Tracked::Unknown,
        Err(CommandError::OutOfRange(_)) => Tracked::Invalid,
        Err(CommandError::Refused(_) | CommandError::Gone) => Tracked::Failed,
    }
}
