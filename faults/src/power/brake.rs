//! The power-brake line of machines.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::plant::PlantAction;

use super::steps;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// Pulled brakes.
pub(crate) struct Brake {
    aim: Aim,
    clocks: f64,
}

impl Brake {
    pub(crate) fn new(aim: Aim, clocks: f64) -> Self {
        Self { aim, clocks }
    }
}

#[async_trait]
impl Fault for Brake {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("step_stretch".into(), (1.0 / self.clocks).into())])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        Ok(steps::before(ground, &self.aim.nodes))
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
        let stretch = 1.0 / self.clocks;
        steps::stretched(ground, injected, &self.aim.nodes, injected.at_us, |_| {
            stretch
        })
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
        steps::back(ground, injected, &self.aim.nodes, now, 1.0 / self.clocks).await
    }
}
