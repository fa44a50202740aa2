//! Links that come and go.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Darkness, PROBE_PAYLOAD_MIN, Train};

use super::link::{Look, Shots, Sight, Sign};
use super::share::{compare, part, slack};
use crate::catalogue;

/// Probes of one period, and the periods that are watched.
const PER_PERIOD: u64 = 100;
const PERIODS: u64 = 3;
/// Probes that a darkness may seem longer or shorter.
const EDGE: f64 = 3.0;
/// What a kernel may need to find its neighbour again, in milliseconds.
const LATE_MS: f64 = 30.0;

/// Runs of lost probes, as long as each darkness.
pub(crate) struct Flap {
    period: Span,
    down: Span,
}

impl Flap {
    pub(crate) fn new(asked: &catalogue::Flap) -> Self {
        Self {
            period: asked.period,
            down: asked.down,
        }
    }

    fn shots(&self) -> Shots {
        let interval_us = (self.period.micros() / PER_PERIOD).max(1_000);
        let count = (self.period.micros() * PERIODS / interval_us).max(1);
        Shots {
            count: u32::try_from(count).unwrap_or(u32::MAX).min(1_000),
            interval: Span::from_micros(interval_us),
            wait: Span::from_millis(200),
            payload: PROBE_PAYLOAD_MIN,
        }
    }

    /// Whether the whole darknesses among a train's runs are as long as asked.
    fn compare(&self, way: &str, train: &Train, interval: Span) -> Result<(), String> {
        let all = train.darknesses();
        let asked_ms = self.down.millis_f64();
        let slack_ms = EDGE * interval.millis_f64() + LATE_MS;
        let Some(longest) = longest(&all).filter(|_| all.len() >= 2) else {
            return Err(format!("{way} was dark {} times", all.len()));
        };
        let least_ms = longest.least_us as f64 / 1e3 - slack_ms;
        let most_ms = longest.most_us as f64 / 1e3 + slack_ms;
        if !(least_ms..=most_ms).contains(&asked_ms) {
            return Err(format!(
                "{way} was dark for {:.0} ms, not {asked_ms:.0} ms",
                longest.likely_ms()
            ));
        }
        Ok(())
    }
}

/// The longest of them.
fn longest(all: &[Darkness]) -> Option<Darkness> {
    let by_length = |d: &&Darkness| d.least_us + d.most_us;
    all.iter().max_by_key(by_length).copied()
}

#[async_trait]
impl Sign for Flap {
    fn asked(&self) -> IndexMap<String, Value> {
        let dark = self.down.micros() as f64 / self.period.micros().max(1) as f64;
        IndexMap::from([
            ("dark".into(), dark.into()),
            ("dark_ms".into(), self.down.millis_f64().into()),
        ])
    }

    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String> {
        let shots = self.shots();
        let report = look.probe(shots).await?;
        // Answers are sent only while the way there is open, so that the way
        // back shows no darkness of its own.
        let there_train = report.there.as_ref();
        let train = there_train.ok_or_else(|| format!("{} does not tell", look.to))?;
        let dark = part(train.missing(), train.sent);
        let longest_ms = longest(&train.darknesses()).map_or(0.0, Darkness::likely_ms);
        sight.measured(format!("{look}.dark"), dark);
        sight.measured(format!("{look}.dark_ms"), longest_ms);
        if there {
            self.compare(&look.to_string(), train, shots.interval)
        } else {
            compare(&format!("{look} dark"), dark, 0.0, slack(0.0, train.sent))
        }
    }
}
