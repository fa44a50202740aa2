//! Machines that are held to a power.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::plant::{PlantAction, capped_clocks};
use ridethrough_targets::units::Watts;

use super::device::{act, machine, within};
use super::steps;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How far above its limit a machine may be measured, as a share.
const TOLERANCE: f64 = 0.01;
/// How long a machine may take to be below its limit.
const SETTLE: Duration = Duration::from_secs(1);

/// A limit of machines' power.
pub(crate) struct Cap {
    aim: Aim,
    to: Watts,
}

impl Cap {
    pub(crate) fn new(aim: Aim, to: Watts) -> Self {
        Self { aim, to }
    }

    fn limit(&self, limit: Option<Watts>) -> impl Iterator<Item = PlantAction> {
        let nodes = self.aim.nodes.iter();
        nodes.map(move |node| PlantAction::PowerCap {
            node: node.clone(),
            limit,
        })
    }

    /// How much longer a step takes on a machine that is held to it.
    fn stretch(&self, ground: &Ground, node: &str) -> f64 {
        let peak = machine(ground, node).map_or(f64::NAN, |machine| machine.range_w[1]);
        1.0 / capped_clocks(self.to.get().min(peak), peak)
    }
}

#[async_trait]
impl Fault for Cap {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("w".into(), self.to.get().into())])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        Ok(steps::before(ground, &self.aim.nodes))
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        act(ground, self.limit(Some(self.to))).await
    }

    /// The machines' services step as slowly as their clocks must then be, and no
    /// machine draws more.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let stretch = |node: &str| self.stretch(ground, node);
        let nodes = &self.aim.nodes;
        let mut finding = steps::stretched(ground, injected, nodes, injected.at_us, stretch).await;
        finding.witness = "measured step rate and power";
        let mut problems = vec![std::mem::take(&mut finding.problem)];
        problems.retain(|problem| !problem.is_empty());
        for node in nodes {
            let most = self.to.get() * (1.0 + TOLERANCE);
            let below = |w: &f64| *w <= most;
            let watts = || machine(ground, node).map(|machine| machine.w);
            within(SETTLE, || watts().filter(below)).await;
            finding = finding.with(&format!("{node}.w"), watts());
            if !watts().is_some_and(|w| below(&w)) {
                problems.push(format!("{node} draws more than {}", self.to));
            }
        }
        finding.conclude(problems)
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        act(ground, self.limit(None)).await?;
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        let now = ground.world.clock().now_us();
        let each = self.aim.nodes.iter().map(|node| self.stretch(ground, node));
        let least = each.fold(f64::INFINITY, f64::min);
        steps::back(ground, injected, &self.aim.nodes, now, least).await
    }
}
