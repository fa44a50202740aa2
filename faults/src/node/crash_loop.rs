//! Services that die and start, again and again.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{NodeState, WorldError};

use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// Deaths that a witness wants to see.
const DEATHS: u32 = 2;
/// How often it looks, at least this often between a death and a start.
const LOOKS: u32 = 5;
/// Longest that a service may take to be there again after a healing.
const SETTLE: Duration = Duration::from_secs(5);

/// Machines whose services crash in a loop.
pub(crate) struct CrashLoop {
    nodes: Vec<String>,
    every: Span,
    restart: Span,
}

impl CrashLoop {
    pub(crate) fn new(aim: Aim, every: Span, restart: Span) -> Self {
        Self {
            nodes: aim.nodes,
            every,
            restart,
        }
    }

    /// How often the processes of a machine were seen to be gone and back
    /// within a time.
    async fn deaths(&self, ground: &Ground, node: &str, time: Duration) -> Result<u32, WorldError> {
        let between = (self.restart.duration() / LOOKS).max(Duration::from_millis(1));
        let until = tokio::time::Instant::now() + time;
        let (mut deaths, mut gone) = (0, false);
        while tokio::time::Instant::now() < until {
            let now = ground.world.state(node).await? == NodeState::Empty;
            deaths += u32::from(gone && !now);
            gone = now;
            if deaths >= DEATHS {
                break;
            }
            tokio::time::sleep(between).await;
        }
        Ok(deaths)
    }
}

#[async_trait]
impl Fault for CrashLoop {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("crash_every_ms".into(), self.every.millis_f64().into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.nodes.is_empty() {
            return Err(FaultError::NoTarget);
        }
        let at_us = ground.world.clock().now_us();
        for node in &self.nodes {
            let looping = ground.machines.crash_loop(node, self.every, self.restart);
            looping.await?;
        }
        Ok(Injected {
            at_us,
            ..Injected::default()
        })
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let mut finding = Finding::by("process states");
        let mut problems = Vec::new();
        let time = self.every.duration() * (DEATHS + 1);
        for node in &self.nodes {
            match self.deaths(ground, node, time).await {
                Ok(deaths) => {
                    finding = finding.with(&format!("{node}.deaths"), deaths);
                    if deaths < DEATHS {
                        let every = self.every;
                        problems.push(format!(
                            "the services of {node} died {deaths} times and came back, \
                             asked was every {every}"
                        ));
                    }
                }
                Err(error) => problems.push(format!("{node} cannot be asked: {error}")),
            }
        }
        finding.observed_us = problems.is_empty().then_some(injected.at_us);
        finding.conclude(problems)
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        for node in &self.nodes {
            ground.machines.end_crash_loop(node).await?;
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        let mut finding = Finding::by("process states");
        let mut problems = Vec::new();
        let quiet = (self.every.duration() * 2).min(SETTLE);
        for node in &self.nodes {
            let deaths = self.deaths(ground, node, quiet).await;
            let state = ground.world.state(node).await;
            finding = finding.with(
                &format!("{node}.deaths"),
                deaths.as_ref().copied().unwrap_or(0),
            );
            match (deaths, state) {
                (Ok(0), Ok(NodeState::Running)) => {}
                (Ok(0), Ok(state)) => {
                    problems.push(format!("the processes of {node} are {state:?}").to_lowercase())
                }
                (Ok(_), Ok(_)) => problems.push(format!("the services of {node} still die")),
                (Err(error), _) | (_, Err(error)) => {
                    problems.push(format!("{node} cannot be asked: {error}"));
                }
            }
        }
        finding.conclude(problems)
    }
}
