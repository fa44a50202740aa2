//! Volumes that take longer.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::disk::{DiskFault, DiskRound};
use ridethrough_targets::units::Span;

use super::volumes::{Volumes, median_ms, unwell};
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

const ROUNDS: u32 = 5;

/// How far the measured time may be off: what a busy machine does to a thread
/// that wakes up.
const TOLERANCE_MS: f64 = 5.0;

/// Every read, write and flush takes longer.
pub(crate) struct DiskSlow {
    volumes: Volumes,
    by: Span,
}

impl DiskSlow {
    pub(crate) fn new(aim: Aim, by: Span) -> Self {
        let volumes = Volumes::of(aim);
        Self { volumes, by }
    }

    fn patience(&self) -> Span {
        Span::from_micros(self.by.micros() * 4 + 2_000_000)
    }

    async fn look(&self, ground: &Ground, injected: &Injected, added_ms: f64) -> Finding {
        let mut finding = Finding::by("probe files");
        let mut problems = Vec::new();
        let slack_ms = TOLERANCE_MS + added_ms * 0.25;
        for (volume, report) in self.volumes.look(ground, ROUNDS, self.patience()).await {
            let report = match report {
                Ok(report) => report,
                Err(error) => {
                    problems.push(format!("{volume} could not be probed: {error}"));
                    continue;
                }
            };
            problems.extend(unwell(&report).map(|what| format!("{volume}: {what}")));
            for (what, of) in ANSWERS {
                let before = injected.before.get(&format!("{volume}.{what}"));
                let added = median_ms(&report.rounds, of) - before.copied().unwrap_or(0.0);
                finding = finding.with(&format!("{volume}.{what}_added_ms"), added);
                // What a probe writes or reads may be more than one request.
                let requests = if what == "fsync" { 1.0 } else { 4.0 };
                let most = added_ms * requests;
                if added < added_ms - slack_ms || added > most + slack_ms {
                    problems.push(format!(
                        "{what} of {volume} gained {added:.1} ms, not {added_ms:.1} ms"
                    ));
                }
            }
        }
        finding.conclude(problems)
    }
}

type Took = fn(&DiskRound) -> Span;

/// What is measured.
const ANSWERS: [(&str, Took); 3] = [
    ("write", |round| round.write.took),
    ("fsync", |round| round.fsync.took),
    ("read", |round| round.read.took),
];

#[async_trait]
impl Fault for DiskSlow {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("added_ms".into(), self.by.millis_f64().into())])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let mut before = IndexMap::new();
        for (volume, report) in self.volumes.look(ground, ROUNDS, self.patience()).await {
            let Ok(report) = report else { continue };
            for (what, of) in ANSWERS {
                before.insert(format!("{volume}.{what}"), median_ms(&report.rounds, of));
            }
        }
        Ok(before)
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        self.volumes
            .fail(ground, DiskFault::Slow { by: self.by })
            .await
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut finding = self.look(ground, injected, self.by.millis_f64()).await;
        finding.observed_us = finding.effective.then_some(began);
        finding
    }

    async fn heal(&self, ground: &Ground, injected: &Injected) -> Result<(), FaultError> {
        self.volumes.mend(ground, injected).await
    }

    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        self.look(ground, injected, 0.0).await
    }
}
