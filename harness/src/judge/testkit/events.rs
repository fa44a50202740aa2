//! The events that a record is made of.

use std::ops::Range;

use indexmap::IndexMap;
use serde_json::{Value, json};

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::{Change, UpsState};
use ridethrough_targets::service::{Attempt, AttemptEnd};

use super::{FAULT, HEAL, MS, Record};
use crate::load::{Fate, LedgerRow, Termination};
use crate::record::{Body, Event, FaultReceipt, WitnessReport};

impl Record {
    pub(crate) fn add(&mut self, t_us: Micros, body: Body) {
        let source = match &body {
            Body::Attempt(_) => "gw",
            Body::Plant { .. } => "plant",
            _ => "engine",
        };
        self.events.push(Event {
            seq: 0,
            t_us,
            source: source.into(),
            body,
        });
    }

    /// A whole request with a token every 40 ms, the first after 100 ms, and
    /// the gateway's attempt at it.
    pub(crate) fn request(&mut self, id: &str, node: &str, at: Micros, tokens: u32) {
        let mut token_us = vec![40 * MS; tokens as usize];
        if let Some(first) = token_us.first_mut() {
            *first = at + 100 * MS;
        }
        let end_us = at + 100 * MS + 40 * MS * Micros::from(tokens.saturating_sub(1)) + MS;
        let row = LedgerRow {
            id: id.into(),
            load: "chat".into(),
            class: "interactive".into(),
            prompt_tokens: 32,
            output_tokens: tokens,
            scheduled_us: at,
            sent_us: at,
            connected_us: Some(at + MS),
            headers_us: Some(at + 90 * MS),
            token_us: token_us.into(),
            end_us,
            first_error_us: None,
            attempts: 1,
            status: Some(200),
            served_by: vec![(node.into(), 0)],
            tokens,
            finish: Some("stop".into()),
            done: true,
            termination: Termination::Clean,
            fate: Fate::Completed,
            detail: String::new(),
        };
        self.add(end_us, Body::Request(row));
        self.attempt(id, 0, node, at, end_us, AttemptEnd::Completed);
    }

    pub(crate) fn attempt(
        &mut self,
        id: &str,
        index: u32,
        replica: &str,
        start_us: Micros,
        end_us: Micros,
        end: AttemptEnd,
    ) {
        let attempt = Attempt {
            request: id.into(),
            index,
            replica: replica.into(),
            start_us,
            end_us,
            from_token: 0,
            tokens: 0,
            end,
        };
        self.add(end_us, Body::Attempt(attempt));
    }

    /// Injected at [`FAULT`], healed at [`HEAL`], both witnessed.
    pub(crate) fn fault(
        &mut self,
        fault: usize,
        kind: &str,
        target: &str,
        nodes: &[&str],
        ups: &[&str],
    ) {
        self.fault_at(fault, kind, target, nodes, ups, FAULT..HEAL);
    }

    /// Injected and healed at other times, both witnessed.
    pub(crate) fn fault_at(
        &mut self,
        fault: usize,
        kind: &str,
        target: &str,
        nodes: &[&str],
        ups: &[&str],
        time: Range<Micros>,
    ) {
        let own = |names: &[&str]| names.iter().map(|n| n.to_string()).collect();
        let receipt = FaultReceipt {
            fault,
            fault_kind: kind.into(),
            target: target.into(),
            nodes: own(nodes),
            ups: own(ups),
            requested_us: time.start,
            injected_us: time.start + MS / 2,
            until_us: time.end,
            requested: IndexMap::new(),
        };
        self.add(time.start + MS / 2, Body::FaultInjected(receipt));
        self.witness(fault, "injected", true);
        self.add(time.end, Body::FaultHealed { fault });
        self.witness(fault, "healed", true);
    }

    pub(crate) fn witness(&mut self, fault: usize, stage: &str, effective: bool) {
        let at = if stage == "injected" { FAULT } else { HEAL } + 2 * MS;
        let measured: IndexMap<String, Value> = [("voltage_pu".to_string(), json!(0.0))].into();
        let report = WitnessReport {
            fault,
            witness: "bus meter".into(),
            stage: stage.into(),
            effective,
            observed_us: Some(at),
            measured,
            problem: if effective {
                ""
            } else {
                "the bus stayed at 1 pu"
            }
            .into(),
        };
        self.add(at, Body::Witness(report));
    }

    pub(crate) fn plant(&mut self, t_us: Micros, component: &str, change: Change) {
        let body = Body::Plant {
            component: component.into(),
            cause: "test".into(),
            change,
        };
        self.add(t_us, body);
    }

    pub(crate) fn bus(&mut self, t_us: Micros, bus: &str, voltage_pu: f64, source: &str) {
        let source = source.into();
        self.plant(t_us, bus, Change::Bus { voltage_pu, source });
    }

    pub(crate) fn ups(&mut self, t_us: Micros, from: UpsState, to: UpsState) {
        self.plant(t_us, "ups-a", Change::Ups { from, to });
    }

    pub(crate) fn state(&mut self, t_us: Micros, of: &str, to: &str) {
        let body = Body::State {
            of: of.into(),
            from: "before".into(),
            to: to.into(),
            cause: "test".into(),
        };
        self.add(t_us, body);
    }

    pub(crate) fn status(&mut self, t_us: Micros, value: &str) {
        let body = Body::Observed {
            via: "nut".into(),
            device: "ups-a".into(),
            variable: "ups.status".into(),
            value: value.into(),
        };
        self.add(t_us, body);
    }

    pub(crate) fn charge(&mut self, t_us: Micros, ups: &str, charge: f64) {
        let body = Body::Meters {
            voltage_pu: IndexMap::new(),
            charge: [(ups.to_string(), charge)].into(),
            watts: IndexMap::new(),
        };
        self.add(t_us, body);
    }

    pub(crate) fn ready(&mut self, t_us: Micros, node: &str, service: &str) {
        let body = Body::ServiceReady {
            node: node.into(),
            service: service.into(),
        };
        self.add(t_us, body);
    }
}
