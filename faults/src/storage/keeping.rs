//! Volumes that keep something else over a power cut than they should: torn
//! writes, forgotten flushes.
//!
//! No power needs to go for it to show. The probe writes a file of which it
//! flushes one half, and the drive tells what a cut at that instant would leave
//! of each.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::disk::{DiskFault, DiskReport};
use ridethrough_targets::units::Span;

use super::volumes::{Volumes, unwell};
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

const PATIENCE: Span = Span::from_secs(2);

/// How keeping fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Some sectors of what was not flushed stay, and not others.
    Torn,
    /// What was flushed is lost.
    ForgetsFsync,
}

/// See the [module](self).
pub(crate) struct Keeping {
    volumes: Volumes,
    how: How,
}

impl Keeping {
    pub(crate) fn torn(aim: Aim) -> Self {
        Self {
            volumes: Volumes::of(aim),
            how: How::Torn,
        }
    }

    pub(crate) fn forgets(aim: Aim) -> Self {
        Self {
            volumes: Volumes::of(aim),
            how: How::ForgetsFsync,
        }
    }

    async fn look(&self, ground: &Ground, broken: bool) -> Finding {
        let mut finding = Finding::by("probe file and image of a cut");
        let mut problems = Vec::new();
        for (volume, report) in self.volumes.look(ground, 1, PATIENCE).await {
            let report = match report {
                Ok(report) => report,
                Err(error) => {
                    problems.push(format!("{volume} could not be probed: {error}"));
                    continue;
                }
            };
            problems.extend(unwell(&report).map(|what| format!("{volume}: {what}")));
            finding = finding
                .with(&format!("{volume}.sectors"), report.sectors)
                .with(&format!("{volume}.synced_kept"), report.synced)
                .with(&format!("{volume}.unsynced_kept"), report.unsynced);
            let wrong = self.wrong(&report, broken);
            problems.extend(wrong.map(|what| format!("{volume}: {what}")));
        }
        finding.conclude(problems)
    }

    /// What is not as it should be, in words.
    fn wrong(&self, report: &DiskReport, broken: bool) -> Option<String> {
        let all = report.sectors;
        if all == 0 {
            return Some("nobody can tell what a cut would leave".into());
        }
        let (synced, unsynced) = (report.synced, report.unsynced);
        let torn = (1..all).contains(&unsynced);
        match (self.how, broken) {
            (How::Torn, true) if !torn || synced != all => Some(format!(
                "a cut would leave {unsynced} of {all} sectors that were not flushed, and \
                 {synced} of those that were"
            )),
            (How::ForgetsFsync, true) if synced == all => {
                Some("a cut would leave all that was flushed".into())
            }
            (How::Torn, false) if unsynced != 0 => Some(format!(
                "a cut would still leave {unsynced} of {all} sectors that were not flushed"
            )),
            (How::ForgetsFsync, false) if synced != all => Some(format!(
                "a cut would still leave only {synced} of {all} sectors that were flushed"
            )),
            _ => None,
        }
    }
}

#[async_trait]
impl Fault for Keeping {
    fn requested(&self) -> IndexMap<String, Value> {
        let (name, asked) = match self.how {
            How::Torn => ("unsynced_kept", "some sectors"),
            How::ForgetsFsync => ("synced_kept", "not all sectors"),
        };
        IndexMap::from([(name.into(), asked.into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let fault = match self.how {
            How::Torn => DiskFault::Torn,
            How::ForgetsFsync => DiskFault::ForgetsFsync,
        };
        self.volumes.fail(ground, fault).await
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
