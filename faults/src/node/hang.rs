//! Frozen processes on a living kernel.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::world::NodeState;

use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// Machines whose every process is stopped.
pub(crate) struct Hang {
    aim: Aim,
}

impl Hang {
    pub(crate) fn new(aim: Aim) -> Self {
        Self { aim }
    }

    async fn look(&self, ground: &Ground, hung: bool) -> Finding {
        let mut finding = Finding::by("process states");
        let mut problems = Vec::new();
        for node in &self.aim.nodes {
            let state = match ground.world.state(node).await {
                Ok(state) => state,
                Err(error) => {
                    problems.push(format!("{node} cannot be asked: {error}"));
                    continue;
                }
            };
            let word = serde_json::to_value(state).unwrap_or_default();
            finding = finding.with(&format!("{node}.processes"), word);
            let right = if hung {
                state == NodeState::Stopped
            } else {
                state != NodeState::Stopped
            };
            if !right {
                problems.push(format!("the processes of {node} are {state:?}").to_lowercase());
            }
        }
        finding.conclude(problems)
    }
}

#[async_trait]
impl Fault for Hang {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("processes".into(), "stopped".into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.aim.nodes.is_empty() {
            return Err(FaultError::NoTarget);
        }
        for node in &self.aim.nodes {
            ground.world.hang(node).await?;
        }
        Ok(Injected {
            at_us: ground.world.clock().now_us(),
            ..Injected::default()
        })
    }

    async fn witness(&self, ground: &Ground, _: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut finding = self.look(ground, true).await;
        finding.observed_us = finding.effective.then_some(began);
        finding
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        for node in &self.aim.nodes {
            ground.world.resume(node).await?;
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        self.look(ground, false).await
    }
}
