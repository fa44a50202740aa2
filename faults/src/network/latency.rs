//! Frames that come later.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Direction, Distribution, PROBE_PAYLOAD_MIN, Train};

use super::link::{Look, Shots, Sight, Sign};
use crate::catalogue;

const PROBES: u32 = 21;
const PROBES_SPREAD: u32 = 101;
const INTERVAL: Span = Span::from_millis(5);
/// How far the measured delay may be off, beside the jitter.
const TOLERANCE_MS: f64 = 2.0;
/// Below this, the machines' own scheduling blurs how delays spread.
const SPREAD_LEAST_MS: f64 = 2.0;
/// The interquartile range of so few probes, each of which may hold up the next,
/// as a share of the distribution's.
const SPREAD_SHARES: std::ops::RangeInclusive<f64> = 0.35..=1.8;

/// Delays, seen as longer round trips and as the spread of each way.
pub(crate) struct Latency {
    /// What a round trip gains.
    round_trip: Span,
    jitter: Span,
    distribution: Distribution,
    /// Delays that are alike say little of how they spread.
    correlated: bool,
}

impl Latency {
    pub(crate) fn new(asked: &catalogue::Latency) -> Self {
        let ways = if asked.direction == Direction::Both {
            2
        } else {
            1
        };
        Self {
            round_trip: Span::from_micros(asked.delay.micros() * ways),
            jitter: asked.jitter,
            distribution: asked.distribution,
            correlated: asked.correlation.get() > 0.5,
        }
    }

    fn spreads(&self) -> bool {
        self.jitter.millis_f64() >= SPREAD_LEAST_MS && !self.correlated
    }

    fn shots(&self) -> Shots {
        let wait_us = self.round_trip.micros() * 2 + self.jitter.micros() * 4 + 500_000;
        Shots {
            count: if self.spreads() {
                PROBES_SPREAD
            } else {
                PROBES
            },
            interval: INTERVAL.max(Span::from_micros(self.jitter.micros())),
            wait: Span::from_micros(wait_us),
            payload: PROBE_PAYLOAD_MIN,
        }
    }

    /// The distribution's interquartile range in milliseconds.
    fn quartiles_ms(&self) -> f64 {
        let of_jitter = match self.distribution {
            Distribution::Uniform => 1.0,
            Distribution::Normal => 1.349,
            Distribution::Pareto => 0.562,
        };
        self.jitter.millis_f64() * of_jitter
    }

    fn compare_spread(
        &self,
        way: &str,
        train: &Train,
        there: bool,
        sight: &mut Sight,
    ) -> Result<(), String> {
        let quantile = |q| train.way_us(q).map(|us| us as f64 / 1e3);
        let (Some(low), Some(high)) = (quantile(0.25), quantile(0.75)) else {
            return Err(format!("no probe {way} arrived"));
        };
        let (measured, asked) = (high - low, self.quartiles_ms());
        sight.measured(format!("{way}.quartiles_ms"), measured);
        let share = measured / asked;
        if there && !SPREAD_SHARES.contains(&share) {
            return Err(format!(
                "delays {way} spread over {measured:.1} ms between their quartiles, not {asked:.1} ms"
            ));
        }
        Ok(())
    }
}

#[async_trait]
impl Sign for Latency {
    fn asked(&self) -> IndexMap<String, Value> {
        let mut asked = IndexMap::from([(
            "added_rtt_ms".to_string(),
            Value::from(self.round_trip.millis_f64()),
        )]);
        if self.spreads() {
            asked.insert("quartiles_ms".into(), self.quartiles_ms().into());
        }
        asked
    }

    async fn before(&self, look: Look<'_>) -> Result<Option<f64>, String> {
        let shots = Shots {
            count: PROBES,
            interval: INTERVAL,
            ..self.shots()
        };
        let report = look.probe(shots).await?;
        Ok(report.rtt_median_us().map(|rtt_us| rtt_us as f64 / 1e3))
    }

    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String> {
        if !there {
            // What is held back when a rule goes leaves when it is due, and
            // nothing overtakes it.
            let held_us = self.round_trip.micros() + self.jitter.micros() * 4;
            tokio::time::sleep(Span::from_micros(held_us).duration()).await;
        }
        let report = look.probe(self.shots()).await?;
        let Some(rtt_us) = report.rtt_median_us() else {
            return Err(format!("no probe {look} came back"));
        };
        let added_ms = if there {
            self.round_trip.millis_f64()
        } else {
            0.0
        };
        let measured_ms = rtt_us as f64 / 1e3 - look.before.unwrap_or(0.0);
        sight.measured(format!("{look}.added_rtt_ms"), measured_ms);
        let slack_ms = TOLERANCE_MS + self.jitter.millis_f64();
        if (measured_ms - added_ms).abs() > slack_ms {
            return Err(format!(
                "{look} gained {measured_ms:.1} ms of round trip, not {added_ms:.1} ms"
            ));
        }
        if self.spreads() {
            for (way, train) in look.hit(&report)? {
                self.compare_spread(&way, train, there, sight)?;
            }
        }
        Ok(())
    }
}
