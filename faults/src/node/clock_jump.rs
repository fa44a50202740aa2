//! Services on a clock that has jumped.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Inquiry, Supply, WorldError};

use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How far a clock may be from where it was set, in milliseconds: the start of
/// the process that reads it counts as part of the jump.
const TOLERANCE_MS: f64 = 250.0;

/// Machines whose services see another time.
pub(crate) struct ClockJump {
    nodes: Vec<String>,
    by: Span,
}

impl ClockJump {
    pub(crate) fn new(aim: Aim, by: Span) -> Self {
        Self {
            nodes: aim.nodes,
            by,
        }
    }

    async fn look(&self, ground: &Ground, ahead_ms: f64) -> Finding {
        let mut finding = Finding::by("a process that reads its clock");
        let mut problems = Vec::new();
        for node in &self.nodes {
            match ground.world.inquire(node, Inquiry::Clock).await {
                Ok(Supply::Clock(us)) => {
                    let seen_ms = us as f64 / 1e3;
                    finding = finding.with(&format!("{node}.ahead_ms"), seen_ms);
                    if (seen_ms - ahead_ms).abs() > TOLERANCE_MS {
                        problems.push(format!(
                            "the clock of {node} is {seen_ms:.0} ms ahead, not {ahead_ms:.0} ms"
                        ));
                    }
                }
                Ok(_) => problems.push(format!("{node} answered another question")),
                Err(error) => problems.push(format!("{node} cannot be asked: {error}")),
            }
        }
        finding.conclude(problems)
    }
}

#[async_trait]
impl Fault for ClockJump {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("ahead_ms".into(), self.by.millis_f64().into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.nodes.is_empty() {
            return Err(FaultError::NoTarget);
        }
        for node in &self.nodes {
            ground.machines.jump_clock(node, self.by).await?;
        }
        Ok(Injected {
            at_us: ground.world.clock().now_us(),
            ..Injected::default()
        })
    }

    async fn witness(&self, ground: &Ground, _: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut finding = self.look(ground, self.by.millis_f64()).await;
        finding.observed_us = finding.effective.then_some(began);
        finding
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        for node in &self.nodes {
            match ground.machines.jump_clock(node, Span::default()).await {
                // A machine without power boots with a clock of its own.
                Ok(()) | Err(WorldError::Failed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        self.look(ground, 0.0).await
    }
}
