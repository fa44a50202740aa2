//! Frames that vanish: partitions and dead links.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Direction, Impairment, LinkRule};

use super::pairs::{pairs, probe};
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

const PROBES: u32 = 5;
const INTERVAL: Span = Span::from_millis(10);
const WAIT: Span = Span::from_millis(200);

/// A cut between two sides, or around machines.
pub(crate) struct Cut {
    rule: LinkRule,
    pairs: Vec<(String, String)>,
}

impl Cut {
    /// Between the two sides of the aim's link.
    pub(crate) fn between(aim: Aim, direction: Direction) -> Self {
        let (a, b) = aim.link.unwrap_or_default();
        let pairs = pairs(&a, &b);
        Self {
            rule: LinkRule {
                a,
                b,
                direction,
                impairment: Impairment::Drop,
            },
            pairs,
        }
    }

    /// Around the aim's machines: their ports are dark, they live on.
    pub(crate) fn off(aim: Aim) -> Self {
        let observers: Vec<String> = aim.observer.into_iter().collect();
        let pairs = pairs(&observers, &aim.nodes);
        let rule = LinkRule {
            a: aim.nodes,
            b: Vec::new(),
            direction: Direction::Both,
            impairment: Impairment::Drop,
        };
        Self { rule, pairs }
    }

    async fn look(&self, ground: &Ground, cut: bool) -> Finding {
        let mut finding = Finding::by("probe packets");
        let mut problems = Vec::new();
        if self.pairs.is_empty() {
            problems.push("there is no pair of nodes to probe".to_string());
        }
        for (from, to) in &self.pairs {
            let world = ground.world.as_ref();
            let report = match probe(world, from, to, PROBES, INTERVAL, WAIT).await {
                Ok(report) => report,
                Err(error) => {
                    problems.push(format!("no probe from {from} to {to}: {error}"));
                    continue;
                }
            };
            let pair = format!("{from}->{to}");
            finding = finding.with(&format!("{pair}.answered"), report.answered);
            if let Some(arrived) = report.arrived {
                finding = finding.with(&format!("{pair}.arrived"), arrived);
            }
            if cut && report.answered > 0 {
                problems.push(format!(
                    "{} of {} probes {pair} came back",
                    report.answered, report.sent
                ));
            }
            if cut && report.arrived.is_some_and(|n| n > 0) {
                problems.push(format!("probes {pair} still arrive"));
            }
            if !cut && report.answered == 0 {
                problems.push(format!("no probe {pair} comes back"));
            }
        }
        finding.conclude(problems)
    }
}

#[async_trait]
impl Fault for Cut {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("answered".into(), 0.into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.rule.a.is_empty() {
            return Err(FaultError::NoTarget);
        }
        let rule = ground.world.install(self.rule.clone())?;
        let at_us = ground.world.clock().now_us();
        Ok(Injected {
            at_us,
            rules: vec![rule],
            ..Injected::default()
        })
    }

    async fn witness(&self, ground: &Ground, _: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut finding = self.look(ground, true).await;
        finding.observed_us = finding.effective.then_some(began);
        finding
    }

    async fn heal(&self, ground: &Ground, injected: &Injected) -> Result<(), FaultError> {
        injected
            .rules
            .iter()
            .for_each(|rule| ground.world.remove(*rule));
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        self.look(ground, false).await
    }
}
