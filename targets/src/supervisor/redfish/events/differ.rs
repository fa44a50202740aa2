//! Two looks at a device, and what happened between them.

use super::super::doc::uri;
use super::super::look::{LOST_V, Look, round};
use super::super::messages::Message;
use super::log::Event;
use crate::clock::Micros;
use crate::telemetry::{
    BessReading, MachineReading, PduReading, Reading, ShelfReading, SupplyReading, TransferReading,
};

/// Below this share of nominal a PDU's voltage is critical.
const CRITICAL_SHARE: f64 = 0.85;

/// Compares looks at one moment.
pub(super) struct Differ<'a> {
    t_us: Micros,
    /// Caution, critical and fatal temperatures.
    limits: Option<[f64; 3]>,
    events: &'a mut Vec<Event>,
}

impl<'a> Differ<'a> {
    pub(super) fn new(t_us: Micros, limits: Option<[f64; 3]>, events: &'a mut Vec<Event>) -> Self {
        Self {
            t_us,
            limits,
            events,
        }
    }

    fn say(&mut self, of: (String, &'static str), message: (&str, &str), arguments: &[&str]) {
        let kind = match message.0 {
            "ResourceEvent" if message.1 == "ResourceChanged" => "ResourceUpdated",
            "ResourceEvent" => "StatusChange",
            _ => "Alert",
        };
        self.events.push(Event {
            t_us: self.t_us,
            message: Message::new(message.0, message.1, arguments),
            kind: kind.into(),
            origin: Some(of),
        });
    }

    /// The health of a resource changed.
    fn health(&mut self, (uri, kind): (String, &'static str), key: &str, word: &str) {
        let name = uri.clone();
        self.say((uri, kind), ("ResourceEvent", key), &[&name, word]);
    }

    /// What happened between two looks at one device.
    pub(super) fn compare(&mut self, before: &Look, now: &Look) {
        let Some(origin) = main(now) else {
            return;
        };
        match (before.fresh, now.fresh) {
            (true, false) => {
                return self.health(origin, "ResourceStatusChangedCritical", "Critical");
            }
            (false, true) => self.health(origin, "ResourceStatusChangedOK", "OK"),
            (false, false) => return,
            (true, true) => {}
        }
        let name = now.name();
        match (before.reading.as_deref(), now.reading.as_deref()) {
            (Some(Reading::Pdu(a)), Some(Reading::Pdu(b))) => self.pdu(name, a, b),
            (Some(Reading::Transfer(a)), Some(Reading::Transfer(b))) => self.transfer(name, a, b),
            (Some(Reading::Shelf(a)), Some(Reading::Shelf(b))) => self.shelf(name, a, b),
            (Some(Reading::Bess(a)), Some(Reading::Bess(b))) => self.bess(name, a, b),
            (Some(Reading::Machine(a)), Some(Reading::Machine(b))) => self.machine(name, a, b),
            _ => {}
        }
    }

    fn pdu(&mut self, name: &str, before: &PduReading, now: &PduReading) {
        let below = |part: &str, id: &str| uri(&["PowerEquipment", "RackPDUs", name, part, id]);
        let branch = || (below("Branches", "1"), "Circuit");
        let title = format!("{name} breaker");
        if before.closed && !now.closed && now.tripped {
            self.say(branch(), ("Power", "BreakerTripped"), &[&title]);
        } else if before.closed && !now.closed {
            self.say(branch(), ("Power", "CircuitPoweredOff"), &[&title]);
        } else if !before.closed && now.closed && before.tripped {
            self.say(branch(), ("Power", "BreakerReset"), &[&title]);
        } else if !before.closed && now.closed {
            self.say(branch(), ("Power", "CircuitPoweredOn"), &[&title]);
        }
        let mains = || (below("Mains", "1"), "Circuit");
        let title = format!("{name} mains");
        if now.closed && before.v >= LOST_V && now.v < LOST_V {
            self.say(mains(), ("Power", "LossOfInputPower"), &[&title]);
        } else if before.v < LOST_V && now.v >= LOST_V {
            self.say(mains(), ("Power", "LineInputPowerRestored"), &[&title]);
        }
        self.voltage(&below("Sensors", "Voltage"), name, before, now);
        for (index, (was, is)) in before.outlets.iter().zip(&now.outlets).enumerate() {
            let number = (index + 1).to_string();
            let title = format!("{name} outlet {number}");
            let key = match (was.on, is.on) {
                (true, false) => "OutletPoweredOff",
                (false, true) => "OutletPoweredOn",
                _ => continue,
            };
            let outlet = (below("Outlets", &number), "Outlet");
            self.say(outlet, ("Power", key), &[&title]);
        }
    }

    /// A voltage that is there but too low.
    fn voltage(&mut self, sensor: &str, name: &str, before: &PduReading, now: &PduReading) {
        let limit = now.nominal_v * CRITICAL_SHARE;
        let low = |v: f64| v < limit && v >= LOST_V;
        let value = round(now.v).to_string();
        let origin = || (sensor.to_string(), "Sensor");
        if !low(before.v) && low(now.v) {
            let key = ("Power", "VoltageBelowLowerCriticalThreshold");
            self.say(origin(), key, &[name, &value, &round(limit).to_string()]);
        } else if before.v < limit && now.v >= limit {
            self.say(origin(), ("Power", "VoltageNormal"), &[name, &value]);
        }
    }

    fn transfer(&mut self, name: &str, before: &TransferReading, now: &TransferReading) {
        let here = uri(&["PowerEquipment", "TransferSwitches", name]);
        for (index, (was, is)) in before.sources.iter().zip(&now.sources).enumerate() {
            let origin = || (format!("{here}/Mains/{}", index + 1), "Circuit");
            let title = format!("{name} mains {}", index + 1);
            match (was.good, is.good) {
                (true, false) if is.v < LOST_V => {
                    self.say(origin(), ("Power", "LossOfInputPower"), &[&title]);
                }
                (true, false) => self.say(origin(), ("Power", "LineInputPowerFault"), &[&title]),
                (false, true) => {
                    self.say(origin(), ("Power", "LineInputPowerRestored"), &[&title]);
                }
                _ => {}
            }
        }
        let settings = |r: &TransferReading| (r.active, r.preferred, r.inhibited, r.retransfer);
        if settings(before) != settings(now) {
            let origin = (here, "PowerDistribution");
            self.say(origin, ("ResourceEvent", "ResourceChanged"), &[]);
        }
    }

    fn supplies(&mut self, below: &[&str], before: &[SupplyReading], now: &[SupplyReading]) {
        for (index, (was, is)) in before.iter().zip(now).enumerate() {
            let number = (index + 1).to_string();
            let path = [below, &["PowerSupplies", &number]].concat();
            let origin = || (uri(&path), "PowerSupply");
            match (was.healthy, is.healthy) {
                (true, false) => self.say(origin(), ("Power", "PowerSupplyFailed"), &[&is.name]),
                (false, true) => self.say(origin(), ("Power", "PowerSupplyRestored"), &[&is.name]),
                _ => {}
            }
            match (was.input_v < LOST_V, is.input_v < LOST_V) {
                (false, true) => self.say(origin(), ("Power", "LossOfInputPower"), &[&is.name]),
                (true, false) => {
                    self.say(origin(), ("Power", "LineInputPowerRestored"), &[&is.name]);
                }
                _ => {}
            }
        }
    }

    fn shelf(&mut self, name: &str, before: &ShelfReading, now: &ShelfReading) {
        let below = ["PowerEquipment", "PowerShelves", name];
        self.supplies(&below, &before.supplies, &now.supplies);
        let discharging = |r: &ShelfReading| r.bbu.as_ref().is_some_and(|b| b.discharging);
        self.battery(name, discharging(before), discharging(now));
    }

    fn bess(&mut self, name: &str, before: &BessReading, now: &BessReading) {
        self.battery(name, before.w > 0.0, now.w > 0.0);
        let here = || {
            let here = uri(&["PowerEquipment", "PowerShelves", name]);
            (here, "PowerDistribution")
        };
        match (before.fault.is_empty(), now.fault.is_empty()) {
            (true, false) => self.health(here(), "ResourceStatusChangedCritical", "Critical"),
            (false, true) => self.health(here(), "ResourceStatusChangedOK", "OK"),
            _ => {}
        }
    }

    /// A battery took the load over, or gave it back.
    fn battery(&mut self, name: &str, before: bool, now: bool) {
        if before != now {
            let battery = uri(&["Chassis", name, "PowerSubsystem", "Batteries", "1"]);
            let origin = (battery, "Battery");
            self.say(origin, ("ResourceEvent", "ResourceChanged"), &[]);
        }
    }

    fn machine(&mut self, name: &str, before: &MachineReading, now: &MachineReading) {
        let system = uri(&["Systems", name]);
        let origin = || (system.clone(), "ComputerSystem");
        match (before.on, now.on) {
            (true, false) => {
                let key = ("ResourceEvent", "ResourcePoweredOff");
                self.say(origin(), key, &[&system]);
            }
            (false, true) => {
                let key = ("ResourceEvent", "ResourcePoweredOn");
                self.say(origin(), key, &[&system]);
            }
            _ => {}
        }
        match (before.braked, now.braked) {
            (false, true) => self.say(origin(), ("Platform", "PowerBrake"), &[name]),
            (true, false) => self.health(origin(), "ResourceStatusChangedOK", "OK"),
            _ => {}
        }
        if before.limit_w != now.limit_w {
            let metrics = uri(&["Chassis", name, "EnvironmentMetrics"]);
            let origin = (metrics, "EnvironmentMetrics");
            self.say(origin, ("ResourceEvent", "ResourceChanged"), &[]);
        }
        let below = ["Chassis", name, "PowerSubsystem"];
        self.supplies(&below, &before.supplies, &now.supplies);
        self.temperature(name, before.temperature_c, now.temperature_c);
    }

    fn temperature(&mut self, name: &str, before: f64, now: f64) {
        let Some(limits) = self.limits else {
            return;
        };
        let level = |c: f64| limits.iter().filter(|limit| c > **limit).count();
        let (was, is) = (level(before), level(now));
        let sensor = uri(&["Chassis", name, "Sensors", "Temperature"]);
        let value = round(now).to_string();
        let key = match is {
            _ if was == is => return,
            0 => {
                let key = ("Environmental", "TemperatureNormal");
                return self.say((sensor, "Sensor"), key, &[name, &value]);
            }
            1 => "TemperatureAboveUpperCautionThreshold",
            2 => "TemperatureAboveUpperCriticalThreshold",
            _ => "TemperatureAboveUpperFatalThreshold",
        };
        if was < is {
            let limit = round(limits[is - 1]).to_string();
            let arguments = &[name, &value, &limit];
            self.say((sensor, "Sensor"), ("Environmental", key), arguments);
        }
    }
}

/// The resource that stands for a device.
fn main(look: &Look) -> Option<(String, &'static str)> {
    let name = look.name();
    let equipment = |collection| {
        let here = uri(&["PowerEquipment", collection, name]);
        Some((here, "PowerDistribution"))
    };
    match look.identity.kind.as_str() {
        "pdu" => equipment("RackPDUs"),
        "transfer" => equipment("TransferSwitches"),
        "shelf" | "bess" => equipment("PowerShelves"),
        "machine" => Some((uri(&["Systems", name]), "ComputerSystem")),
        _ => None,
    }
}
