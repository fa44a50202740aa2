//! Frames that come later.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Direction, Impairment, LinkRule, ProbeReport};

use super::pairs::{pairs, probe};
use crate::catalogue;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

const PROBES: u32 = 21;
const INTERVAL: Span = Span::from_millis(5);
/// How far the measured delay may be off, beside the jitter.
const TOLERANCE_MS: f64 = 2.0;

/// Added latency on a link.
pub(crate) struct Latency {
    rule: LinkRule,
    pairs: Vec<(String, String)>,
    /// What a round trip gains.
    round_trip: Span,
    jitter: Span,
}

impl Latency {
    pub(crate) fn new(aim: Aim, asked: catalogue::Latency) -> Self {
        let (a, b) = aim.link.unwrap_or_default();
        let ways = if asked.direction == Direction::Both {
            2
        } else {
            1
        };
        let impairment = Impairment::Delay {
            delay: asked.delay,
            jitter: asked.jitter,
        };
        Self {
            pairs: pairs(&a, &b),
            rule: LinkRule {
                a,
                b,
                direction: asked.direction,
                impairment,
            },
            round_trip: Span::from_micros(asked.delay.micros() * ways),
            jitter: asked.jitter,
        }
    }

    fn wait(&self) -> Span {
        Span::from_micros(self.round_trip.micros() * 2 + self.jitter.micros() * 4 + 500_000)
    }

    async fn measure(
        &self,
        ground: &Ground,
        pair: &(String, String),
    ) -> Result<ProbeReport, String> {
        probe(
            ground.world.as_ref(),
            &pair.0,
            &pair.1,
            PROBES,
            INTERVAL,
            self.wait(),
        )
        .await
        .map_err(|error| error.to_string())
    }

    async fn look(&self, ground: &Ground, injected: &Injected, added_ms: f64) -> Finding {
        let mut finding = Finding::by("probe packets");
        let mut problems = Vec::new();
        let slack_ms = TOLERANCE_MS + self.jitter.millis_f64();
        for pair in &self.pairs {
            let name = format!("{}->{}", pair.0, pair.1);
            let before_ms = injected.before.get(&name).copied().unwrap_or(0.0);
            match self.measure(ground, pair).await {
                Ok(report) => match report.rtt_median_us() {
                    Some(rtt_us) => {
                        let measured_ms = rtt_us as f64 / 1e3 - before_ms;
                        finding = finding.with(&format!("{name}.added_rtt_ms"), measured_ms);
                        if (measured_ms - added_ms).abs() > slack_ms {
                            problems.push(format!(
                                "{name} gained {measured_ms:.1} ms of round trip, not {added_ms:.1} ms"
                            ));
                        }
                    }
                    None => problems.push(format!("no probe {name} came back")),
                },
                Err(error) => problems.push(format!("no probe {name}: {error}")),
            }
        }
        if self.pairs.is_empty() {
            problems.push("there is no pair of nodes to probe".into());
        }
        finding.conclude(problems)
    }
}

#[async_trait]
impl Fault for Latency {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("added_rtt_ms".into(), self.round_trip.millis_f64().into())])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let mut before = IndexMap::new();
        for pair in &self.pairs {
            if let Ok(report) = self.measure(ground, pair).await
                && let Some(rtt_us) = report.rtt_median_us()
            {
                before.insert(format!("{}->{}", pair.0, pair.1), rtt_us as f64 / 1e3);
            }
        }
        Ok(before)
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

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut finding = self
            .look(ground, injected, self.round_trip.millis_f64())
            .await;
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

    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        self.look(ground, injected, 0.0).await
    }
}
