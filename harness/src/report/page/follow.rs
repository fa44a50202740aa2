//! What each kind of event says of values and states.

use serde::Serialize;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::Change;

use super::story::Story;
use crate::record::Body;

impl Story {
    pub(super) fn follow(&mut self, t_us: Micros, body: &Body) {
        match body {
            Body::Plant {
                component, change, ..
            } => self.plant(t_us, component, change),
            Body::Meters {
                voltage_pu,
                charge,
                watts,
            } => {
                for (of, value) in voltage_pu {
                    self.level(t_us, of, "voltage", *value);
                }
                for (of, value) in charge {
                    self.level(t_us, of, "charge", *value);
                }
                for (of, value) in watts {
                    self.level(t_us, of, "watts", value.round());
                }
            }
            Body::Air { celsius } => {
                for (of, value) in celsius {
                    self.level(t_us, of, "celsius", (value * 10.0).round() / 10.0);
                }
            }
            Body::NodeBoot { node, .. } => self.state(t_us, node, "machine", "booting"),
            Body::NodeUp { node } => self.state(t_us, node, "machine", "up"),
            Body::NodeDown { node, dark_us, .. } => self.state(*dark_us, node, "machine", "off"),
            Body::ServiceReady { node, .. } => self.state(t_us, node, "machine", "ready"),
            Body::Uplink { nodes, up, .. } => {
                for node in nodes {
                    self.state(t_us, node, "uplink", if *up { "up" } else { "dark" });
                }
            }
            Body::State { of, to, .. } => self.state(t_us, of, "service", to),
            Body::Observed {
                device,
                variable,
                value,
                ..
            } if variable == "ups.status" => self.state(t_us, device, "published", value),
            _ => {}
        }
    }

    fn plant(&mut self, t_us: Micros, of: &str, change: &Change) {
        match change {
            Change::Supply { voltage_pu, .. } => self.level(t_us, of, "voltage", *voltage_pu),
            Change::Bus { voltage_pu, source } => {
                self.level(t_us, of, "voltage", *voltage_pu);
                self.state(t_us, of, "source", source);
            }
            Change::Ups { to, .. } => self.state(t_us, of, "ups", &word(to)),
            Change::Battery { to, charge, .. } => {
                self.state(t_us, of, "battery", &word(to));
                self.level(t_us, of, "charge", *charge);
            }
            Change::Bess { to, charge, .. } => {
                self.state(t_us, of, "bess", &word(to));
                self.level(t_us, of, "charge", *charge);
            }
            Change::Generator { to, .. } => self.state(t_us, of, "generator", &word(to)),
            Change::Transfer { to, .. } => self.state(t_us, of, "transfer", &word(to)),
            Change::Cooling { to, .. } => self.state(t_us, of, "cooling", &word(to)),
            Change::Breaker { closed } | Change::GridBreaker { closed } => {
                let to = if *closed { "closed" } else { "open" };
                self.state(t_us, of, "breaker", to);
            }
            Change::HoldUp { active, .. } => {
                let to = if *active { "hold-up" } else { "fed" };
                self.state(t_us, of, "input", to);
            }
            Change::NodePower { on } => {
                // Whichever it is, it lives on its hold-up no longer; that it is back
                // is said by its boot.
                self.state(t_us, of, "input", "fed");
                if !*on {
                    self.state(t_us, of, "machine", "off");
                }
            }
            Change::Brake { clocks } => self.level(t_us, of, "clocks", *clocks),
            Change::LowBattery { charge, .. } => self.level(t_us, of, "charge", *charge),
            _ => {}
        }
    }
}

/// A state as the record writes it.
pub(super) fn word(state: &impl Serialize) -> String {
    match serde_json::to_value(state) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
