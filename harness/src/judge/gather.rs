//! From events to facts.

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::Change;

use super::facts::{
    BusPoint, Fault, LoadEnd, Lowest, Move, Phase, Ready, RunEnd, RunFacts, Seen, UpsMove,
};
use super::{cohort, hits};
use crate::record::{Body, Event, RunHeader, WitnessReport};

impl RunFacts {
    /// Reads a record. Events may come in any order; their times count.
    pub fn of(events: &[Event]) -> Self {
        let mut facts = Self::default();
        let mut ordered: Vec<&Event> = events.iter().collect();
        ordered.sort_by_key(|event| (event.t_us, event.seq));
        let mut witnesses = Vec::new();
        let mut heals = Vec::new();
        for event in ordered {
            facts.last_us = facts.last_us.max(event.t_us);
            match &event.body {
                Body::Witness(report) => witnesses.push(report.clone()),
                Body::FaultHealed { fault } => heals.push((*fault, event.t_us)),
                _ => facts.take(event),
            }
        }
        for (fault, t_us) in heals {
            for f in facts.faults.iter_mut().filter(|f| f.receipt.fault == fault) {
                f.healed_us = Some(t_us);
            }
        }
        for report in witnesses {
            facts.witness(report);
        }
        facts
            .rows
            .sort_by(|a, b| (a.scheduled_us, &a.id).cmp(&(b.scheduled_us, &b.id)));
        for moves in facts.node_power.values_mut() {
            moves.sort_by_key(|(t, _)| *t);
        }
        facts.hits = hits::hits(&facts);
        facts.cohorts = cohort::cohorts(&facts);
        facts
    }

    fn take(&mut self, event: &Event) {
        let t_us = event.t_us;
        match &event.body {
            Body::Run(header) => self.head(header),
            Body::Phase(window) => self.phases.push(Phase {
                name: window.name.clone(),
                start_us: t_us,
                end_us: window.end_us,
            }),
            Body::Plant {
                component, change, ..
            } => self.plant(t_us, component, change),
            Body::Meters { charge, .. } => {
                for (ups, value) in charge {
                    self.ups.insert(ups.clone());
                    self.charge(t_us, ups, *value);
                }
            }
            Body::UpsReading { ups, .. } => {
                self.ups.insert(ups.clone());
            }
            Body::NodeDown { node, dark_us, .. } => self.power(*dark_us, node, false),
            Body::NodeBoot { node, .. } => self.power(t_us, node, true),
            Body::Attempt(attempt) => {
                let of = self.attempts.entry(attempt.request.clone()).or_default();
                of.push((event.source.clone(), attempt.clone()));
            }
            Body::FaultInjected(receipt) => {
                self.ups.extend(receipt.ups.iter().cloned());
                self.faults.push(Fault {
                    receipt: receipt.clone(),
                    healed_us: None,
                    injected: None,
                    healed: None,
                });
            }
            Body::Request(row) => self.rows.push(row.clone()),
            Body::Invalid { reason } => self.invalid.push(reason.clone()),
            Body::End { how } => {
                self.end = Some(RunEnd {
                    t_us,
                    how: how.clone(),
                });
            }
            _ => self.service(event),
        }
    }

    fn service(&mut self, event: &Event) {
        let t_us = event.t_us;
        match &event.body {
            Body::ServiceReady { node, service } => self.ready.push(Ready {
                t_us,
                node: node.clone(),
                service: service.clone(),
            }),
            Body::State { of, to, .. } => self.moves.push(Move {
                t_us,
                of: of.clone(),
                to: to.clone(),
            }),
            Body::Observed {
                via,
                device,
                variable,
                value,
            } => self.seen.push(Seen {
                t_us,
                via: via.clone(),
                device: device.clone(),
                variable: variable.clone(),
                value: value.clone(),
            }),
            Body::LoadDone {
                load,
                planned,
                sent,
                lag_p99_us,
            } => self.loads.push(LoadEnd {
                load: load.clone(),
                planned: *planned,
                sent: *sent,
                lag_p99_us: *lag_p99_us,
            }),
            _ => {}
        }
    }

    fn head(&mut self, header: &RunHeader) {
        if let Some(value) = header.facts.get("load_buses") {
            // A header without them, or with something else under that name,
            // leaves the buses to be worked out from the plant's events.
            self.load_buses = serde_json::from_value(value.clone()).unwrap_or_default();
        }
        self.header = Some(header.clone());
    }

    fn plant(&mut self, t_us: Micros, component: &str, change: &Change) {
        match change {
            Change::Bus { voltage_pu, source } => {
                let bus = self.buses.entry(component.into()).or_default();
                bus.push(BusPoint {
                    t_us,
                    voltage_pu: *voltage_pu,
                    source: source.clone(),
                });
            }
            Change::Ups { from, to } => {
                self.ups.insert(component.into());
                self.ups_moves.push(UpsMove {
                    t_us,
                    ups: component.into(),
                    from: *from,
                    to: *to,
                });
            }
            Change::Battery { charge, .. } | Change::LowBattery { charge, .. } => {
                self.charge(t_us, component, *charge);
            }
            Change::NodePower { on } => self.power(t_us, component, *on),
            Change::Brake { clocks } => {
                let moves = self.brakes.entry(component.into()).or_default();
                moves.push((t_us, *clocks));
            }
            Change::Supply { .. } | Change::Breaker { .. } | Change::HoldUp { .. } => {}
        }
    }

    fn power(&mut self, t_us: Micros, node: &str, on: bool) {
        let moves = self.node_power.entry(node.into()).or_default();
        moves.push((t_us, on));
    }

    fn charge(&mut self, t_us: Micros, ups: &str, charge: f64) {
        let lowest = self
            .charge
            .entry(ups.into())
            .or_insert(Lowest { t_us, charge });
        if charge < lowest.charge {
            *lowest = Lowest { t_us, charge };
        }
    }

    /// The last report counts, but none takes the place of an effective one.
    fn witness(&mut self, report: WitnessReport) {
        let Some(fault) = self
            .faults
            .iter_mut()
            .find(|f| f.receipt.fault == report.fault)
        else {
            return;
        };
        let place = match &*report.stage {
            "injected" => &mut fault.injected,
            "healed" => &mut fault.healed,
            _ => return,
        };
        if report.effective || place.as_ref().is_none_or(|old| !old.effective) {
            *place = Some(report);
        }
    }
}
