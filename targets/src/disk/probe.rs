//! A look at a volume from where its service is: files that are written,
//! flushed and read back.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::DiskError;
use super::{Disk, DiskFile};
use crate::clock::Clock;
use crate::units::Span;

/// The file that a probe writes. No list shows it.
pub const PROBE_FILE: &str = ".ridethrough-probe";

/// Bytes that a round writes and flushes, and again bytes that it writes and
/// does not.
pub(super) const PROBE_HALF: usize = 32 * 1024;

/// What to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskProbe {
    /// How often.
    pub rounds: u32,
    /// Longest wait for one answer of the volume.
    pub patience: Span,
}

/// What a volume answered to one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskAnswer {
    /// How long it took.
    pub took: Span,
    /// The name of its error: `ENOSPC`, `EIO`; `timeout` where no answer came.
    pub error: Option<String>,
}

/// One file written, flushed and read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskRound {
    /// Writing it.
    pub write: DiskAnswer,
    /// Flushing it.
    pub fsync: DiskAnswer,
    /// Reading it.
    pub read: DiskAnswer,
    /// What was read is what was written; nothing where either failed.
    pub same: Option<bool>,
}

/// What a probe of a volume came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskReport {
    /// Its rounds.
    pub rounds: Vec<DiskRound>,
    /// Sectors in each half of the probe's last file; 0 where the volume cannot
    /// tell what a cut would leave.
    pub sectors: u32,
    /// Of the half that was flushed, sectors that a cut would leave.
    pub synced: u32,
    /// Of the half that was not flushed, sectors that a cut would leave.
    pub unsynced: u32,
}

/// Writes, flushes and reads back a new file, over and over. The last one stays,
/// with a second half that is not flushed.
pub async fn probe(disk: &dyn Disk, asked: &DiskProbe, clock: Clock) -> DiskReport {
    let mut rounds = Vec::new();
    for round in 0..asked.rounds {
        rounds.push(once(disk, round, asked.patience.duration(), clock).await);
    }
    DiskReport {
        rounds,
        ..DiskReport::default()
    }
}

async fn once(disk: &dyn Disk, round: u32, patience: Duration, clock: Clock) -> DiskRound {
    let pattern = |at: usize| (at as u32).wrapping_mul(2_654_435_761).wrapping_add(round) as u8;
    let bytes: Vec<u8> = (0..2 * PROBE_HALF).map(pattern).collect();
    let (flushed, rest) = bytes.split_at(PROBE_HALF);
    let _ = tokio::time::timeout(patience, disk.remove(PROBE_FILE)).await;
    let opened = bounded(patience, disk.open(PROBE_FILE)).await;
    let file = match opened {
        Ok(file) => file,
        Err(error) => {
            let none = |error: &str| DiskAnswer {
                took: Span::default(),
                error: Some(error.into()),
            };
            return DiskRound {
                write: none(&error),
                fsync: none(&error),
                read: none(&error),
                same: None,
            };
        }
    };
    let write = timed(clock, bounded(patience, file.write_at(0, flushed))).await;
    let fsync = timed(clock, bounded(patience, file.sync())).await;
    drop(file);
    let (read, same) = read_back(disk, flushed, patience, clock).await;
    let same = same.filter(|_| write.error.is_none());
    if let Ok(Ok(file)) = tokio::time::timeout(patience, disk.open(PROBE_FILE)).await {
        let _ = tokio::time::timeout(patience, file.write_at(PROBE_HALF as u64, rest)).await;
    }
    DiskRound {
        write,
        fsync,
        read,
        same,
    }
}

/// Through a handle of its own, so that it is not one's own cache that answers.
async fn read_back(
    disk: &dyn Disk,
    expected: &[u8],
    patience: Duration,
    clock: Clock,
) -> (DiskAnswer, Option<bool>) {
    let file: Box<dyn DiskFile> = match bounded(patience, disk.open(PROBE_FILE)).await {
        Ok(file) => file,
        Err(error) => {
            let answer = DiskAnswer {
                took: Span::default(),
                error: Some(error),
            };
            return (answer, None);
        }
    };
    let began = clock.now_us();
    let read = bounded(patience, file.read_at(0, PROBE_HALF)).await;
    let took = Span::from_micros(clock.now_us().saturating_sub(began));
    match read {
        Ok(bytes) => {
            let answer = DiskAnswer { took, error: None };
            (answer, Some(bytes == expected))
        }
        Err(error) => {
            let error = Some(error);
            (DiskAnswer { took, error }, None)
        }
    }
}

async fn timed<T>(clock: Clock, act: impl Future<Output = Result<T, String>>) -> DiskAnswer {
    let began = clock.now_us();
    let result = act.await;
    DiskAnswer {
        took: Span::from_micros(clock.now_us().saturating_sub(began)),
        error: result.err(),
    }
}

/// The name of the error, also where no answer came in time.
async fn bounded<T>(
    patience: Duration,
    act: impl Future<Output = io::Result<T>>,
) -> Result<T, String> {
    match tokio::time::timeout(patience, act).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(match error.raw_os_error() {
            Some(errno) => DiskError::name(errno),
            None => error.kind().to_string(),
        }),
        Err(_) => Err("timeout".into()),
    }
}
