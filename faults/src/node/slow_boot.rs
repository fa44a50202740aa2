//! Machines that take longer from power to service.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::units::Span;
use ridethrough_targets::world::NodeState;

use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How often power and processes are looked at.
const BETWEEN: Duration = Duration::from_millis(10);
/// How far the measured boot may be from the one asked, in milliseconds: the
/// looks, and the processes' own start.
const TOLERANCE_MS: f64 = 400.0;

/// Machines that boot slowly.
pub(crate) struct SlowBoot {
    nodes: Vec<String>,
    by: Span,
}

impl SlowBoot {
    pub(crate) fn new(aim: Aim, by: Span) -> Self {
        Self {
            nodes: aim.nodes,
            by,
        }
    }

    /// When a machine has power again after having lost it, and when its
    /// processes are there; nothing where that does not happen in time.
    async fn boot(ground: &Ground, node: &str, until_us: Micros) -> Option<(Micros, Micros)> {
        let clock = ground.world.clock();
        let (mut dark, mut power_us) = (false, None);
        while clock.now_us() < until_us {
            let powered = ground.power.powered(node) == Some(true);
            match (powered, dark, power_us) {
                (false, _, _) => (dark, power_us) = (true, None),
                (true, true, None) => power_us = Some(clock.now_us()),
                _ => {}
            }
            if let Some(power_us) = power_us
                && matches!(
                    ground.world.state(node).await,
                    Ok(NodeState::Running | NodeState::Stopped)
                )
            {
                return Some((power_us, clock.now_us()));
            }
            tokio::time::sleep(BETWEEN).await;
        }
        None
    }
}

#[async_trait]
impl Fault for SlowBoot {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("longer_by_ms".into(), self.by.millis_f64().into())])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let usual = |node: &String| {
            let time = ground.machines.boot_time(node)?;
            Some((node.clone(), time.millis_f64()))
        };
        Ok(self.nodes.iter().filter_map(usual).collect())
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.nodes.is_empty() {
            return Err(FaultError::NoTarget);
        }
        for node in &self.nodes {
            ground.machines.boot_later(node, self.by);
        }
        Ok(Injected {
            at_us: ground.world.clock().now_us(),
            ..Injected::default()
        })
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let mut finding = Finding::by("power and process states");
        let mut problems = Vec::new();
        let boots = self.nodes.iter();
        let boots = boots.map(|node| Self::boot(ground, node, injected.until_us));
        let boots = futures_util::future::join_all(boots).await;
        for (node, boot) in self.nodes.iter().zip(boots) {
            let Some((power_us, up_us)) = boot else {
                continue;
            };
            let usual_ms = injected.before.get(node).copied().unwrap_or_default();
            let longer_ms = (up_us - power_us) as f64 / 1e3 - usual_ms;
            finding = finding.with(&format!("{node}.longer_by_ms"), longer_ms);
            finding.observed_us = Some(finding.observed_us.map_or(up_us, |t| t.min(up_us)));
            let asked_ms = self.by.millis_f64();
            if (longer_ms - asked_ms).abs() > TOLERANCE_MS.min(asked_ms / 2.0) {
                problems.push(format!(
                    "{node} took {longer_ms:.0} ms longer to boot, not {asked_ms:.0} ms"
                ));
            }
        }
        if finding.measured.is_empty() {
            problems.push(
                "none of the machines lost its power and came back: the occasion never came".into(),
            );
        }
        finding.conclude(problems)
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        for node in &self.nodes {
            ground.machines.boot_later(node, Span::default());
        }
        Ok(())
    }

    /// Machines rarely boot again within a run, so their settings are read.
    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        let mut finding = Finding::by("boot settings");
        let mut problems = Vec::new();
        for node in &self.nodes {
            let usual_ms = injected.before.get(node).copied();
            let now_ms = ground.machines.boot_time(node).map(Span::millis_f64);
            finding = finding.with(&format!("{node}.boot_ms"), now_ms);
            if usual_ms != now_ms {
                problems.push(format!("{node} still boots later"));
            }
        }
        finding.conclude(problems)
    }
}
