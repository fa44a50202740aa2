//! Volumes whose medium fails.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::disk::{DiskAnswer, DiskFault, DiskOp, DiskRound};
use ridethrough_targets::units::Span;

use super::volumes::{Volumes, unwell};
use crate::catalogue;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// Enough to tell a share from another.
const ROUNDS: u32 = 100;

const PATIENCE: Span = Span::from_secs(2);

/// Deviations that are put down to chance: a sound run is held for broken once
/// in 15 000.
const SIGMAS: f64 = 4.0;

/// Operations fail with `EIO`.
pub(crate) struct IoError {
    volumes: Volumes,
    on: DiskOp,
    probability: f64,
}

type Answered = fn(&DiskRound) -> &DiskAnswer;

/// What is looked at.
const ANSWERS: [(DiskOp, &str, Answered); 3] = [
    (DiskOp::Write, "write", |round| &round.write),
    (DiskOp::Fsync, "fsync", |round| &round.fsync),
    (DiskOp::Read, "read", |round| &round.read),
];

impl IoError {
    pub(crate) fn new(aim: Aim, asked: &catalogue::IoError) -> Self {
        Self {
            volumes: Volumes::of(aim),
            on: asked.on,
            probability: asked.probability.get().min(1.0),
        }
    }

    /// The share of each operation that failed with `EIO`, against what was
    /// asked; no other error.
    async fn look(&self, ground: &Ground, probability: f64) -> Finding {
        let mut finding = Finding::by("probe files");
        let mut problems = Vec::new();
        for (volume, report) in self.volumes.look(ground, ROUNDS, PATIENCE).await {
            let report = match report {
                Ok(report) => report,
                Err(error) => {
                    problems.push(format!("{volume} could not be probed: {error}"));
                    continue;
                }
            };
            let rounds = &report.rounds;
            for (op, what, of) in ANSWERS {
                let asked = if self.on.covers(op) { probability } else { 0.0 };
                let failed = rounds
                    .iter()
                    .filter(|r| of(r).error.as_deref() == Some("EIO"));
                let share = failed.count() as f64 / rounds.len().max(1) as f64;
                finding = finding.with(&format!("{volume}.{what}_failed"), share);
                let spread = (asked * (1.0 - asked) / rounds.len().max(1) as f64).sqrt();
                if (share - asked).abs() > spread * SIGMAS + 1e-9 {
                    problems.push(format!(
                        "{share:.2} of {what}s of {volume} failed, not {asked:.2}"
                    ));
                }
            }
            let other = rounds
                .iter()
                .flat_map(|r| [&r.write, &r.fsync, &r.read])
                .filter_map(|a| a.error.as_deref())
                .find(|error| *error != "EIO");
            problems.extend(other.map(|error| format!("{volume} gave {error}")));
            if probability == 0.0 {
                problems.extend(unwell(&report).map(|what| format!("{volume}: {what}")));
            }
        }
        finding.conclude(problems)
    }
}

#[async_trait]
impl Fault for IoError {
    fn requested(&self) -> IndexMap<String, Value> {
        let on = serde_json::to_value(self.on).unwrap_or_default();
        IndexMap::from([
            ("on".into(), on),
            ("failed".into(), self.probability.into()),
        ])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let fault = DiskFault::Errors {
            on: self.on,
            probability: ridethrough_targets::units::PerUnit(self.probability),
        };
        self.volumes.fail(ground, fault).await
    }

    async fn witness(&self, ground: &Ground, _: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut finding = self.look(ground, self.probability).await;
        finding.observed_us = finding.effective.then_some(began);
        finding
    }

    async fn heal(&self, ground: &Ground, injected: &Injected) -> Result<(), FaultError> {
        self.volumes.mend(ground, injected).await
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        self.look(ground, 0.0).await
    }
}
