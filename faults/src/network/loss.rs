//! Packets that are lost, independently of each other.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Direction, Impairment, LinkRule};

use super::pairs::{pairs, probe};
use crate::catalogue;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

const PROBES: u32 = 300;
const INTERVAL: Span = Span::from_millis(1);
const WAIT: Span = Span::from_millis(300);
/// Standard deviations of the binomial that a measured loss may be off: about
/// one false alarm in 15,000.
const SIGMAS: f64 = 4.0;

/// Loss on a link.
pub(crate) struct Loss {
    rule: LinkRule,
    pairs: Vec<(String, String)>,
    /// The share of round trips that fail.
    round_trip: f64,
}

impl Loss {
    pub(crate) fn new(aim: Aim, asked: catalogue::Loss) -> Self {
        let (a, b) = aim.link.unwrap_or_default();
        let p = asked.probability.get();
        let round_trip = if asked.direction == Direction::Both {
            1.0 - (1.0 - p).powi(2)
        } else {
            p
        };
        Self {
            pairs: pairs(&a, &b),
            rule: LinkRule {
                a,
                b,
                direction: asked.direction,
                impairment: Impairment::Loss {
                    probability: asked.probability,
                },
            },
            round_trip,
        }
    }

    async fn look(&self, ground: &Ground, expected: f64) -> Finding {
        let mut finding = Finding::by("probe packets");
        let mut problems = Vec::new();
        if self.pairs.is_empty() {
            problems.push("there is no pair of nodes to probe".to_string());
        }
        for (from, to) in &self.pairs {
            let name = format!("{from}->{to}");
            let world = ground.world.as_ref();
            match probe(world, from, to, PROBES, INTERVAL, WAIT).await {
                Ok(report) => {
                    let lost = report.lost();
                    finding = finding.with(&format!("{name}.round_trips_lost"), lost);
                    if (lost - expected).abs() > slack(expected, report.sent) {
                        problems.push(format!(
                            "{name} lost {:.1} % of round trips, not {:.1} %",
                            lost * 100.0,
                            expected * 100.0
                        ));
                    }
                }
                Err(error) => problems.push(format!("no probe {name}: {error}")),
            }
        }
        finding.conclude(problems)
    }
}

/// The binomial's spread, and never less than three packets.
fn slack(p: f64, n: u32) -> f64 {
    let n = f64::from(n.max(1));
    (SIGMAS * (p * (1.0 - p) / n).sqrt()).max(3.0 / n)
}

#[async_trait]
impl Fault for Loss {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("round_trips_lost".into(), self.round_trip.into())])
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
        let mut finding = self.look(ground, self.round_trip).await;
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
        self.look(ground, 0.0).await
    }
}

#[cfg(test)]
mod tests {
    use super::slack;

    #[test]
    fn slack_follows_the_binomial() {
        assert!((slack(0.5, 400) - 0.1).abs() < 1e-9);
        assert!((slack(0.0, 300) - 0.01).abs() < 1e-9);
    }
}
