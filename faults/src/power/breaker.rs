//! A PDU's breaker opens.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::plant::PlantAction;

use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// A load bus below this is dead (IEEE 1159 interruption).
pub(crate) const DEAD_PU: f64 = 0.1;

/// Opened breakers.
pub(crate) struct Breaker {
    aim: Aim,
}

impl Breaker {
    pub(crate) fn new(aim: Aim) -> Self {
        Self { aim }
    }
}

#[async_trait]
impl Fault for Breaker {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("closed".into(), false.into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.aim.pdus.is_empty() {
            return Err(FaultError::NoTarget);
        }
        let mut at_us = 0;
        for pdu in &self.aim.pdus {
            at_us = ground
                .power
                .act(PlantAction::BreakerOpens { pdu: pdu.clone() })
                .await;
        }
        Ok(Injected {
            at_us,
            ..Injected::default()
        })
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        dead_buses(ground, &self.aim.pdus, injected)
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        for pdu in &self.aim.pdus {
            ground
                .power
                .act(PlantAction::BreakerCloses { pdu: pdu.clone() })
                .await;
        }
        Ok(())
    }

    /// The bus is as live as what feeds it: the breaker is no longer what keeps
    /// it dark.
    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        live_buses(ground, &self.aim.pdus).await
    }
}

/// The load buses were dead since the injection, by their meters' logs.
pub(crate) fn dead_buses(ground: &Ground, pdus: &[String], injected: &Injected) -> Finding {
    let mut finding = Finding::by("load-bus meter");
    let mut problems = Vec::new();
    for pdu in pdus {
        let since = injected.at_us.saturating_sub(1_000);
        match ground.power.lowest_pu(pdu, since) {
            Some((t_us, pu)) => {
                finding.observed_us = Some(finding.observed_us.map_or(t_us, |t| t.max(t_us)));
                finding = finding.with(&format!("{pdu}.voltage_pu"), pu);
                if pu >= DEAD_PU {
                    problems.push(format!("{pdu} never fell below {pu:.2} pu"));
                }
            }
            None => problems.push(format!("the meter at {pdu} has no reading")),
        }
    }
    finding.conclude(problems)
}

/// The load buses come back to life within a second of restore delays.
pub(crate) async fn live_buses(ground: &Ground, pdus: &[String]) -> Finding {
    let mut finding = Finding::by("load-bus meter");
    let mut problems = Vec::new();
    for pdu in pdus {
        let pu = await_live(ground, pdu).await;
        finding = finding.with(&format!("{pdu}.voltage_pu"), pu);
        if pu.is_nan() || pu < DEAD_PU {
            problems.push(format!("{pdu} is still at {pu:.2} pu"));
        }
    }
    finding.conclude(problems)
}

async fn await_live(ground: &Ground, pdu: &str) -> f64 {
    const LOOKS: u32 = 100;
    const BETWEEN: std::time::Duration = std::time::Duration::from_millis(50);
    let mut pu = f64::NAN;
    for _ in 0..LOOKS {
        pu = ground.power.voltage_pu(pdu).unwrap_or(f64::NAN);
        if pu >= DEAD_PU {
            break;
        }
        tokio::time::sleep(BETWEEN).await;
    }
    pu
}
