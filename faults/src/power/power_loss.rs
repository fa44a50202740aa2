//! Supply cut past every protection: a feed, a PDU, a rack, a machine.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::plant::{PlantAction, PowerTarget};
use ridethrough_targets::world::NodeState;

use super::breaker::{dead_buses, live_buses};
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// A cut.
pub(crate) struct PowerLoss {
    aim: Aim,
    target: PowerTarget,
}

impl PowerLoss {
    pub(crate) fn new(aim: Aim, target: PowerTarget) -> Self {
        Self { aim, target }
    }

    /// A rack or a machine that is cut has no other way to live; one behind a
    /// feed or a PDU may have a second cord.
    fn kills_all(&self) -> bool {
        matches!(self.target, PowerTarget::Rack(_) | PowerTarget::Node(_))
    }
}

/// How long processes may take to be seen dead, or a state to settle.
const SETTLE: Duration = Duration::from_secs(5);
const BETWEEN: Duration = Duration::from_millis(20);

async fn states(ground: &Ground, nodes: &[String]) -> Vec<(String, NodeState)> {
    let mut states = Vec::new();
    for node in nodes {
        let state = ground.world.state(node).await.unwrap_or(NodeState::Down);
        states.push((node.clone(), state));
    }
    states
}

#[async_trait]
impl Fault for PowerLoss {
    fn requested(&self) -> IndexMap<String, Value> {
        let target = serde_json::to_value(&self.target).unwrap_or_default();
        IndexMap::from([("cut".into(), target)])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.aim.nodes.is_empty() && self.aim.pdus.is_empty() {
            return Err(FaultError::NoTarget);
        }
        let at_us = ground
            .power
            .act(PlantAction::Cut(self.target.clone()))
            .await;
        Ok(Injected {
            at_us,
            ..Injected::default()
        })
    }

    /// The buses are dead by their meters; machines that cannot live without
    /// them are dead by the kernel's word, and nothing left their ports.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let deadline = tokio::time::Instant::now() + SETTLE;
        let mut finding = dead_buses(ground, &self.aim.pdus, injected);
        let mut problems: Vec<String> = if finding.problem.is_empty() {
            Vec::new()
        } else {
            vec![finding.problem.clone()]
        };
        finding.witness = if self.aim.pdus.is_empty() {
            "process ids and port counters"
        } else {
            "load-bus meter, process ids and port counters"
        };
        let mut seen = states(ground, &self.aim.nodes).await;
        while self.kills_all()
            && seen.iter().any(|(_, state)| *state != NodeState::Down)
            && tokio::time::Instant::now() < deadline
        {
            tokio::time::sleep(BETWEEN).await;
            seen = states(ground, &self.aim.nodes).await;
        }
        let down: Vec<Value> = seen
            .iter()
            .filter(|(_, state)| *state == NodeState::Down)
            .map(|(node, _)| node.clone().into())
            .collect();
        if self.kills_all() {
            for (node, state) in &seen {
                if *state != NodeState::Down {
                    problems.push(format!("{node} still lives"));
                }
            }
        }
        let leaked: u64 = self
            .aim
            .nodes
            .iter()
            .filter_map(|node| ground.world.counters(node).ok())
            .map(|counters| counters.leaked)
            .sum();
        if leaked > 0 {
            problems.push(format!("{leaked} frames left ports after they went dark"));
        }
        finding.observed_us.get_or_insert(injected.at_us);
        finding
            .with("nodes_down", down)
            .with("frames_leaked", leaked)
            .conclude(problems)
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        ground
            .power
            .act(PlantAction::Uncut(self.target.clone()))
            .await;
        Ok(())
    }

    /// The buses are alive, and machines that the cut alone kept down have
    /// power again.
    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        if !self.kills_all() {
            return live_buses(ground, &self.aim.pdus).await;
        }
        let deadline = tokio::time::Instant::now() + SETTLE;
        let mut finding = Finding::by("power-supply outputs");
        let mut problems = Vec::new();
        for node in &self.aim.nodes {
            let mut powered = ground.power.powered(node);
            while powered == Some(false) && tokio::time::Instant::now() < deadline {
                tokio::time::sleep(BETWEEN).await;
                powered = ground.power.powered(node);
            }
            finding = finding.with(&format!("{node}.powered"), powered);
            if powered != Some(true) {
                problems.push(format!("{node} has no power"));
            }
        }
        finding.conclude(problems)
    }
}
