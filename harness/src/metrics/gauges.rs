//! What each event of a record adds to the numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use ridethrough_targets::exposition::Exposition;
use ridethrough_targets::plant::Change;

use super::histogram::Histogram;
use crate::load::LedgerRow;
use crate::record::{Body, Event, RunHeader};

/// The numbers of one run, fed by its events. Their size depends on what the
/// playbook names, not on how long it runs.
#[derive(Debug, Default)]
pub struct Gauges {
    header: Option<RunHeader>,
    phase: Option<String>,
    /// By load and fate.
    requests: BTreeMap<(String, String), u64>,
    ttft: BTreeMap<String, Histogram>,
    tokens: BTreeMap<String, u64>,
    in_flight: BTreeMap<String, f64>,
    supervisor: Option<String>,
    charge: BTreeMap<String, f64>,
    volts: BTreeMap<String, f64>,
    watts: BTreeMap<String, f64>,
    /// Kind and target by number.
    faults: BTreeMap<usize, (String, String)>,
    injected: u64,
    held: BTreeSet<usize>,
    dark: BTreeSet<String>,
    end: Option<String>,
}

impl Gauges {
    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        match &event.body {
            Body::Run(header) => {
                // What was counted of another run is not of this one.
                *self = Self {
                    header: Some(header.clone()),
                    ..Self::default()
                };
            }
            Body::Phase(phase) => self.phase = Some(phase.name.clone()),
            Body::Request(row) => self.request(row),
            Body::Progress { values } => {
                if let Some(value) = values.get("in_flight") {
                    self.in_flight.insert(event.source.clone(), *value);
                }
            }
            Body::State { of, to, .. } if of == "supervisor" => {
                self.supervisor = Some(to.clone());
            }
            Body::Meters {
                voltage_pu,
                charge,
                watts,
            } => {
                let own = |(name, value): (&String, &f64)| (name.clone(), *value);
                self.volts.extend(voltage_pu.iter().map(own));
                self.charge.extend(charge.iter().map(own));
                self.watts.extend(watts.iter().map(own));
            }
            Body::Plant {
                component,
                change: Change::Bus { voltage_pu, .. } | Change::Supply { voltage_pu, .. },
                ..
            } => {
                self.volts.insert(component.clone(), *voltage_pu);
            }
            Body::FaultInjected(receipt) => {
                let (kind, target) = (receipt.fault_kind.clone(), receipt.target.clone());
                self.faults.insert(receipt.fault, (kind, target));
                self.injected += 1;
            }
            Body::FaultHealed { fault } => {
                self.faults.remove(fault);
            }
            Body::Held(held) => {
                self.held.insert(held.fault);
            }
            Body::Resumed { .. } => self.held.clear(),
            Body::NodeDown { node, .. } => {
                self.dark.insert(node.clone());
            }
            Body::NodeUp { node } => {
                self.dark.remove(node);
            }
            Body::End { how } => self.end = Some(how.clone()),
            _ => {}
        }
    }

    fn request(&mut self, row: &LedgerRow) {
        let count = self.requests.entry((row.load.clone(), word(&row.fate)));
        *count.or_default() += 1;
        *self.tokens.entry(row.load.clone()).or_default() += u64::from(row.tokens);
        if let Some(first_us) = row.first_token_us() {
            let seconds = first_us.saturating_sub(row.scheduled_us) as f64 / 1e6;
            self.ttft.entry(row.load.clone()).or_default().add(seconds);
        }
    }

    /// All of them in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut to = Exposition::new("ridethrough_run_");
        self.course(&mut to);
        self.load(&mut to);
        self.power(&mut to);
        to.text()
    }

    fn course(&self, to: &mut Exposition) {
        if let Some(header) = &self.header {
            let seed = header.seed.to_string();
            let labels: [(&str, &str); 5] = [
                ("run", &header.run),
                ("playbook", &header.playbook),
                ("world", &header.world),
                ("seed", &seed),
                ("version", &header.version),
            ];
            to.gauge("info", "What runs.", &labels, 1.0);
        }
        if let Some(phase) = &self.phase {
            let labels: [(&str, &str); 1] = [("phase", phase)];
            to.gauge("phase", "The phase that goes on.", &labels, 1.0);
        }
        let help = "Faults that are there now.";
        to.gauge("faults_active", help, &[], self.faults.len() as f64);
        for (number, (kind, target)) in &self.faults {
            let number = number.to_string();
            let labels: [(&str, &str); 3] =
                [("fault", &number), ("kind", kind), ("target", target)];
            to.gauge("fault_active", "A fault that is there now.", &labels, 1.0);
        }
        let help = "Faults that were injected so far.";
        to.counter("faults_injected_total", help, &[], self.injected as f64);
        let help = "Faults that wait for the conductor.";
        to.gauge("faults_held", help, &[], self.held.len() as f64);
        let help = "The run is over.";
        let over = f64::from(u8::from(self.end.is_some()));
        to.gauge("ended", help, &[], over);
    }

    fn load(&self, to: &mut Exposition) {
        for ((load, fate), count) in &self.requests {
            let labels: [(&str, &str); 2] = [("load", load), ("fate", fate)];
            to.counter(
                "requests_total",
                "Requests that are over.",
                &labels,
                *count as f64,
            );
        }
        let help = "Requests that are not over.";
        to.gauge("in_flight", help, &[], self.in_flight.values().sum());
        for (load, count) in &self.tokens {
            let labels: [(&str, &str); 1] = [("load", load)];
            let help = "Tokens of requests that are over.";
            to.counter("tokens_total", help, &labels, *count as f64);
        }
        for (load, values) in &self.ttft {
            let labels: [(&str, &str); 1] = [("load", load)];
            let help = "From the intended send to the first token.";
            to.histogram(
                "time_to_first_token_seconds",
                help,
                &labels,
                &values.buckets(),
            );
        }
    }

    fn power(&self, to: &mut Exposition) {
        if let Some(state) = &self.supervisor {
            let labels: [(&str, &str); 1] = [("state", state)];
            to.gauge("supervisor_state", "The supervisor's state.", &labels, 1.0);
        }
        let families = [
            (
                "battery_charge_ratio",
                "True charge of a battery.",
                "ups",
                &self.charge,
            ),
            (
                "bus_voltage_ratio",
                "Voltage of nominal, in truth.",
                "bus",
                &self.volts,
            ),
            ("power_watts", "What a machine draws.", "node", &self.watts),
        ];
        for (name, help, label, values) in families {
            for (of, value) in values {
                to.gauge(name, help, &[(label, of)], *value);
            }
        }
        let help = "Machines without power.";
        to.gauge("nodes_dark", help, &[], self.dark.len() as f64);
    }
}

/// A unit variant as the record writes it.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
