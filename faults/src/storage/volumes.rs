//! What faults of volumes share: injecting, healing, and a look by the way that
//! a service takes.

use ridethrough_targets::disk::{DiskFault, DiskProbe, DiskReport, DiskRound};
use ridethrough_targets::units::Span;

use crate::lifecycle::{Aim, FaultError, Ground, Injected};

/// The volumes that a fault is aimed at, by machine and service.
#[derive(Clone, Debug)]
pub(super) struct Volumes(Vec<(String, String)>);

impl Volumes {
    pub(super) fn of(aim: Aim) -> Self {
        Self(aim.volumes)
    }

    /// Makes each fail.
    pub(super) async fn fail(
        &self,
        ground: &Ground,
        fault: DiskFault,
    ) -> Result<Injected, FaultError> {
        if self.0.is_empty() {
            return Err(FaultError::NoTarget);
        }
        let mut injected = Injected::default();
        for (node, service) in &self.0 {
            let id = ground.world.disk_fault(node, service, fault).await?;
            let disk = (node.clone(), service.clone(), id);
            injected.disks.push(disk);
        }
        injected.at_us = ground.world.clock().now_us();
        Ok(injected)
    }

    /// Ends what [`Volumes::fail`] began.
    pub(super) async fn mend(
        &self,
        ground: &Ground,
        injected: &Injected,
    ) -> Result<(), FaultError> {
        for (node, service, id) in &injected.disks {
            ground.world.disk_heal(node, service, *id).await?;
        }
        Ok(())
    }

    /// Probes each. A name for the volume, and what came of it.
    pub(super) async fn look(
        &self,
        ground: &Ground,
        rounds: u32,
        patience: Span,
    ) -> Vec<(String, Result<DiskReport, String>)> {
        let asked = DiskProbe { rounds, patience };
        let mut reports = Vec::new();
        for (node, service) in &self.0 {
            let report = ground.world.probe_disk(node, service, &asked).await;
            let report = report.map_err(|error| error.to_string());
            reports.push((format!("{node}/{service}"), report));
        }
        reports
    }
}

/// The middle of the times that one kind of answer took, in milliseconds.
pub(super) fn median_ms(rounds: &[DiskRound], of: impl Fn(&DiskRound) -> Span) -> f64 {
    let mut all: Vec<u64> = rounds.iter().map(|round| of(round).micros()).collect();
    all.sort_unstable();
    all.get(all.len() / 2).map_or(0.0, |us| *us as f64 / 1e3)
}

/// Rounds whose file was not read back as it was written, though nothing said
/// so.
pub(super) fn wrong(rounds: &[DiskRound]) -> usize {
    rounds.iter().filter(|r| r.same == Some(false)).count()
}

/// The first error of a report, in words; rounds that were not as written too.
pub(super) fn unwell(report: &DiskReport) -> Option<String> {
    let rounds = report.rounds.iter();
    let answers = rounds.flat_map(|round| {
        [
            ("writing", &round.write),
            ("flushing", &round.fsync),
            ("reading", &round.read),
        ]
    });
    let mut errors = answers.filter_map(|(what, a)| Some((what, a.error.as_ref()?)));
    match (errors.next(), wrong(&report.rounds)) {
        (Some((what, error)), _) => Some(format!("{what} gave {error}")),
        (None, 0) => None,
        (None, n) => Some(format!("{n} files were not read back as written")),
    }
}
