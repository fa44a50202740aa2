//! What each kind of event adds to the facts.

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::{BatteryState, BessState, Change, UpsState};

use super::facts::{
    BessMove, BusPoint, Charge, Fault, GeneratorMove, LoadEnd, Move, Phase, Ready, RunEnd,
    RunFacts, Seen, UpsMove, Weakness,
};
use crate::record::{Body, FaultReceipt, RunHeader, WitnessReport};

/// The plant's cause where a machine was switched by its BMC.
pub(super) const TOLD: &str = "told to";

impl RunFacts {
    /// Takes the next event in order of time.
    pub(super) fn take(&mut self, t_us: Micros, seq: u64, body: Body) {
        match body {
            Body::Run(header) => self.head(header),
            Body::Phase(window) => self.phases.push(Phase {
                name: window.name,
                start_us: t_us,
                end_us: window.end_us,
            }),
            // While a fault waits for its crew, the phase before it goes on.
            Body::Resumed { held_us } => {
                if let Some(phase) = self.phases.last_mut() {
                    phase.end_us = phase.end_us.saturating_add(held_us);
                }
            }
            Body::Human(human) => self.humans.push((t_us, human)),
            // A machine that is held to a power is slower, and not braked.
            Body::Plant {
                cause,
                change: Change::Brake { .. },
                ..
            } if cause == "power limit" => {}
            Body::Plant {
                component,
                cause,
                change,
            } => {
                if change == (Change::NodePower { on: false }) && cause == TOLD {
                    self.told_off.push((t_us, component.clone()));
                }
                self.plant(t_us, seq, component, change);
            }
            Body::Reserve { runtime_s } => {
                self.reserves.push((t_us, runtime_s.into_iter().collect()));
            }
            Body::Energy(ledger) => self.energy = Some(ledger),
            Body::Uplink { nodes, up, .. } => {
                for node in nodes {
                    self.uplinks.entry(node).or_default().push((t_us, up));
                }
            }
            Body::NodeDown { node, dark_us, .. } => self.power(dark_us, node, false),
            Body::NodeBoot { node, .. } => self.power(t_us, node, true),
            Body::FaultInjected(receipt) => self.fault(receipt),
            Body::Invalid { reason } => self.invalid.push(reason),
            Body::End { how } => self.end = Some(RunEnd { t_us, how }),
            body => self.service(t_us, body),
        }
    }

    fn service(&mut self, t_us: Micros, body: Body) {
        match body {
            Body::ServiceReady { node, service } => self.ready.push(Ready {
                t_us,
                node,
                service,
            }),
            Body::State { of, to, .. } => self.moves.push(Move { t_us, of, to }),
            Body::Observed {
                via,
                device,
                variable,
                value,
            } => self.seen.push(Seen {
                t_us,
                via,
                device,
                variable,
                value,
            }),
            Body::Oracle(report) => self.oracles.push(report),
            Body::Sockets(report) => self.sockets.push(report),
            Body::LoadDone {
                load,
                planned,
                sent,
                lag_p99_us,
            } => self.loads.push(LoadEnd {
                load,
                planned,
                sent,
                lag_p99_us,
            }),
            _ => {}
        }
    }

    fn head(&mut self, header: RunHeader) {
        if let Some(value) = header.facts.get("load_buses") {
            // A header without them, or with something else under that name,
            // leaves the buses to be worked out from the plant's events.
            self.load_buses = serde_json::from_value(value.clone()).unwrap_or_default();
        }
        self.header = Some(header);
    }

    fn fault(&mut self, receipt: FaultReceipt) {
        self.ups.extend(receipt.ups.iter().cloned());
        self.faults.push(Fault {
            receipt,
            healed_us: None,
            injected: None,
            healed: None,
        });
    }

    fn plant(&mut self, t_us: Micros, seq: u64, component: String, change: Change) {
        match change {
            Change::Bus { voltage_pu, source } => {
                let bus = self.buses.entry(component).or_default();
                bus.push(BusPoint {
                    t_us,
                    voltage_pu,
                    source,
                    seq,
                });
            }
            Change::Ups { from, to } => {
                self.ups.insert(component.clone());
                self.weak(t_us, &component, Weakness::Off, to == UpsState::Off);
                self.ups_moves.push(UpsMove {
                    t_us,
                    ups: component,
                    from,
                    to,
                });
            }
            Change::Battery { to, charge, .. } => {
                let spent = matches!(to, BatteryState::Empty | BatteryState::Open);
                self.weak(t_us, &component, Weakness::Spent, spent);
                self.charge(t_us, &component, charge);
            }
            Change::LowBattery { low, charge, .. } => {
                self.weak(t_us, &component, Weakness::Low, low);
                self.charge(t_us, &component, charge);
            }
            Change::Bess { to, .. } => self.bess_moves.push(BessMove {
                t_us,
                bess: component,
                forms: to == BessState::Forming,
            }),
            Change::Generator { from, to } => {
                let moves = self.generators.entry(component).or_default();
                moves.push(GeneratorMove {
                    t_us,
                    seq,
                    from,
                    to,
                });
            }
            Change::Temperature { celsius, .. } => {
                self.air.entry(component).or_default().push((t_us, celsius));
            }
            Change::NodePower { on } => {
                self.machines.insert(component.clone());
                self.power(t_us, component, on);
            }
            Change::Brake { clocks } => {
                let moves = self.brakes.entry(component).or_default();
                moves.push((t_us, clocks));
            }
            _ => {}
        }
    }

    fn weak(&mut self, t_us: Micros, ups: &str, why: Weakness, is: bool) {
        let changes = self.weak.entry((ups.into(), why)).or_default();
        changes.push((t_us, is));
    }

    fn power(&mut self, t_us: Micros, node: String, on: bool) {
        self.node_power.entry(node).or_default().push((t_us, on));
    }

    /// Takes a reading of a charge, in any order.
    pub(super) fn charge(&mut self, t_us: Micros, ups: &str, charge: f64) {
        let reading = Charge { t_us, charge };
        match self.charge.get_mut(ups) {
            Some(readings) => readings.push(reading),
            None => {
                self.charge.insert(ups.into(), vec![reading]);
            }
        }
    }

    /// The last report counts, but none takes the place of an effective one.
    pub(super) fn witness(&mut self, report: WitnessReport) {
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
