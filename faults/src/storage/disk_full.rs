//! Volumes with no block left.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::disk::DiskFault;
use ridethrough_targets::units::Span;

use super::volumes::{Volumes, unwell};
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

const PATIENCE: Span = Span::from_secs(2);

/// What needs a new block is `ENOSPC`.
pub(crate) struct DiskFull {
    volumes: Volumes,
}

impl DiskFull {
    pub(crate) fn new(aim: Aim) -> Self {
        let volumes = Volumes::of(aim);
        Self { volumes }
    }

    async fn look(&self, ground: &Ground, full: bool) -> Finding {
        let mut finding = Finding::by("probe files");
        let mut problems = Vec::new();
        for (volume, report) in self.volumes.look(ground, 1, PATIENCE).await {
            let report = match report {
                Ok(report) => report,
                Err(error) => {
                    problems.push(format!("{volume} could not be probed: {error}"));
                    continue;
                }
            };
            // A new file needs blocks when it is written, or when it is flushed.
            let first = report.rounds.first();
            let error = first.and_then(|r| r.write.error.clone().or(r.fsync.error.clone()));
            let said = error.clone().unwrap_or_else(|| "written".into());
            finding = finding.with(&format!("{volume}.new_file"), said);
            match (full, error.as_deref()) {
                (true, Some("ENOSPC")) => {}
                (true, Some(other)) => problems.push(format!("{volume} gave {other}")),
                (true, None) => problems.push(format!("{volume} took a new file")),
                (false, _) => {
                    problems.extend(unwell(&report).map(|what| format!("{volume}: {what}")));
                }
            }
        }
        finding.conclude(problems)
    }
}

#[async_trait]
impl Fault for DiskFull {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("new_file".into(), "ENOSPC".into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        self.volumes.fail(ground, DiskFault::Full).await
    }

    async fn witness(&self, ground: &Ground, _: &Injected) -> Finding {
        let began = ground.world.clock().now_us();
        let mut finding = self.look(ground, true).await;
        finding.observed_us = finding.effective.then_some(began);
        finding
    }

    async fn heal(&self, ground: &Ground, injected: &Injected) -> Result<(), FaultError> {
        self.volumes.mend(ground, injected).await
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        self.look(ground, false).await
    }
}
