//! Volumes of numbers: each machine's has faults, and answers by them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ridethrough_targets::clock::Clock;
use ridethrough_targets::disk::{
    DiskAnswer, DiskFault, DiskFaultId, DiskOp, DiskProbe, DiskReport, DiskRound,
};
use ridethrough_targets::units::Span;

/// Sectors in each half of a probe's file.
const SECTORS: u32 = 64;

/// What an answer takes by itself.
const USUAL: Span = Span::from_micros(400);

/// The volumes of a test, by machine.
pub(crate) struct Disks {
    clock: Clock,
    faults: Mutex<BTreeMap<(String, DiskFaultId), DiskFault>>,
}

impl Disks {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            faults: Mutex::default(),
        }
    }

    pub(crate) fn fail(&self, node: &str, fault: DiskFault) -> DiskFaultId {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let id = DiskFaultId(faults.len() as u64 + 1);
        faults.insert((node.into(), id), fault);
        id
    }

    pub(crate) fn mend(&self, node: &str, id: DiskFaultId) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.remove(&(node.into(), id));
    }

    fn of(&self, node: &str) -> Vec<DiskFault> {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let here = faults.iter().filter(|((of, _), _)| of == node);
        here.map(|(_, fault)| *fault).collect()
    }

    pub(crate) async fn probe(&self, node: &str, asked: &DiskProbe) -> DiskReport {
        let faults = self.of(node);
        let began = self.clock.now_us();
        let rounds: Vec<DiskRound> = (0..asked.rounds)
            .map(|round| one(&faults, round, asked.rounds))
            .collect();
        let took: u64 = rounds.iter().map(|r| r.write.took.micros() * 3).sum();
        tokio::time::sleep(Duration::from_micros(took)).await;
        assert!(self.clock.now_us() >= began + took / 1000 * 1000);
        let has = |fault| faults.contains(&fault);
        DiskReport {
            rounds,
            sectors: SECTORS,
            synced: if has(DiskFault::ForgetsFsync) {
                0
            } else {
                SECTORS
            },
            unsynced: if has(DiskFault::Torn) { SECTORS / 2 } else { 0 },
        }
    }
}

fn one(faults: &[DiskFault], round: u32, of: u32) -> DiskRound {
    let answer = |op: DiskOp| {
        let mut answer = DiskAnswer {
            took: USUAL,
            error: None,
        };
        for fault in faults {
            match fault {
                DiskFault::Slow { by } => {
                    answer.took = Span::from_micros(answer.took.micros() + by.micros());
                }
                DiskFault::Full if op == DiskOp::Write => answer.error = Some("ENOSPC".into()),
                DiskFault::Errors { on, probability } if on.covers(op) => {
                    let fails = f64::from(round) < f64::from(of) * probability.get();
                    answer.error = fails.then(|| "EIO".into());
                }
                _ => {}
            }
        }
        answer
    };
    DiskRound {
        write: answer(DiskOp::Write),
        fsync: answer(DiskOp::Fsync),
        read: answer(DiskOp::Read),
        same: Some(true),
    }
}
