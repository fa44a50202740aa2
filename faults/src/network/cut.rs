//! Frames that vanish: partitions and dead links.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Direction, Impairment, LinkRule, PROBE_PAYLOAD_MIN};

use super::link::{Look, Shots, Sight, count, install};
use super::pairs::pairs;
use crate::catalogue::OnLink;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

const SHOTS: Shots = Shots {
    count: 5,
    interval: Span::from_millis(10),
    wait: Span::from_millis(200),
    payload: PROBE_PAYLOAD_MIN,
};

/// A cut between two sides, or around machines.
pub(crate) struct Cut {
    rule: LinkRule,
    pairs: Vec<(String, String)>,
}

impl Cut {
    /// Between the two sides of the aim's link.
    pub(crate) fn between(aim: Aim, on: OnLink<'_>) -> Self {
        let (a, b) = aim.link.unwrap_or_default();
        let pairs = pairs(&a, &b);
        Self {
            rule: LinkRule {
                a,
                b,
                direction: on.direction,
                port: on.port,
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
            port: None,
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
            let look = Look {
                ground,
                from,
                to,
                direction: self.rule.direction,
                port: self.rule.port,
                before: None,
            };
            let report = match look.probe(SHOTS).await {
                Ok(report) => report,
                Err(error) => {
                    problems.push(error);
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
        install(ground, &self.rule)
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut finding = self.look(ground, true).await;
        if finding.effective {
            let mut sight = Sight::default();
            let (port, until_us) = (self.rule.port, injected.until_us);
            count(ground, &injected.rules, port, until_us, &mut sight).await;
            finding.measured.extend(sight.measured);
            finding = finding.conclude(sight.problems);
        }
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
