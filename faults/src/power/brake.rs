//! The power-brake line of machines.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::PlantAction;

use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How far the measured slow-down may be from the one asked, as a share of it.
const TOLERANCE: f64 = 0.35;
/// How long a machine may take to show a step at its new rate.
const SETTLE: Duration = Duration::from_secs(5);
const BETWEEN: Duration = Duration::from_millis(50);

/// Pulled brakes.
pub(crate) struct Brake {
    aim: Aim,
    clocks: f64,
}

impl Brake {
    pub(crate) fn new(aim: Aim, clocks: f64) -> Self {
        Self { aim, clocks }
    }

    /// Waits until each machine reports a step newer than `since` whose length
    /// is `stretch` times the one before the fault.
    async fn steps(
        &self,
        ground: &Ground,
        injected: &Injected,
        since: Micros,
        stretch: f64,
    ) -> Finding {
        let deadline = tokio::time::Instant::now() + SETTLE;
        let mut finding = Finding::by("measured step rate");
        let mut problems = Vec::new();
        for node in &self.aim.nodes {
            let Some(before) = injected.before.get(node).copied() else {
                problems.push(format!(
                    "{node} did no work before the fault to compare with"
                ));
                continue;
            };
            let mut stretched = None;
            while tokio::time::Instant::now() < deadline {
                if let Some(rate) = ground.power.step_rate(node)
                    && rate.t_us >= since
                    && rate.step_ms > 0.0
                {
                    let measured = rate.step_ms / before;
                    stretched = Some((rate.t_us, measured));
                    if (measured / stretch - 1.0).abs() <= TOLERANCE {
                        break;
                    }
                }
                tokio::time::sleep(BETWEEN).await;
            }
            match stretched {
                Some((t_us, measured)) => {
                    finding.observed_us = Some(finding.observed_us.map_or(t_us, |t| t.max(t_us)));
                    finding = finding.with(&format!("{node}.step_stretch"), measured);
                    if (measured / stretch - 1.0).abs() > TOLERANCE {
                        problems.push(format!(
                            "{node} steps {measured:.2} times as long as before, not {stretch:.2}"
                        ));
                    }
                }
                None => problems.push(format!("{node} made no step to measure")),
            }
        }
        finding.conclude(problems)
    }
}

#[async_trait]
impl Fault for Brake {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("step_stretch".into(), (1.0 / self.clocks).into())])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let mut before = IndexMap::new();
        for node in &self.aim.nodes {
            if let Some(rate) = ground.power.step_rate(node)
                && rate.step_ms > 0.0
            {
                before.insert(node.clone(), rate.step_ms);
            }
        }
        Ok(before)
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.aim.nodes.is_empty() {
            return Err(FaultError::NoTarget);
        }
        let mut at_us = 0;
        for node in &self.aim.nodes {
            let action = PlantAction::Brake {
                node: node.clone(),
                ratio: self.clocks,
            };
            at_us = ground.power.act(action).await;
        }
        Ok(Injected {
            at_us,
            ..Injected::default()
        })
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        self.steps(ground, injected, injected.at_us, 1.0 / self.clocks)
            .await
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        for node in &self.aim.nodes {
            ground
                .power
                .act(PlantAction::Brake {
                    node: node.clone(),
                    ratio: 1.0,
                })
                .await;
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        let now = ground.world.clock().now_us();
        self.steps(ground, injected, now, 1.0).await
    }
}
