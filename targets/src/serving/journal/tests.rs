//! The journal over a volume that is cut.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use proptest::prelude::*;

use super::config::FsyncPolicy;
use super::frame::{decode, encode};
use super::log::{Log, Recovered};
use crate::disk::{Disk, DiskFault, DiskFile, DiskOp, Drive, ROOT};
use crate::units::PerUnit;

/// A drive without time.
struct Bare(Arc<Drive>);

struct BareFile(Arc<Drive>, u64);

#[async_trait]
impl Disk for Bare {
    async fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let shape = self.0.names(|v| match v.find(ROOT, name) {
            Ok(shape) => Ok(shape),
            Err(_) => v.make(ROOT, name, false, 0o644),
        })?;
        Ok(Box::new(BareFile(Arc::clone(&self.0), shape.ino)))
    }
    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(self.0.names(|v| v.rename((ROOT, from), (ROOT, to)))?)
    }
    async fn remove(&self, name: &str) -> io::Result<()> {
        Ok(self.0.names(|v| v.remove(ROOT, name, false))?)
    }
    async fn list(&self) -> io::Result<Vec<String>> {
        let entries = self.0.names(|v| v.list(ROOT))?;
        Ok(entries.into_iter().map(|e| e.name).collect())
    }
    async fn sync_names(&self) -> io::Result<()> {
        Ok(self.0.sync(None)?)
    }
}

#[async_trait]
impl DiskFile for BareFile {
    async fn read_at(&self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        Ok(self.0.read(self.1, offset, most)?)
    }
    async fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        Ok(self.0.write(self.1, offset, bytes)?)
    }
    async fn size(&self) -> io::Result<u64> {
        Ok(self.0.names(|v| v.shape(self.1))?.len)
    }
    async fn set_len(&self, len: u64) -> io::Result<()> {
        Ok(self.0.set_len(self.1, len)?)
    }
    async fn sync(&self) -> io::Result<()> {
        Ok(self.0.sync(Some(self.1))?)
    }
}

fn bare() -> (Arc<Drive>, Bare) {
    let drive = Arc::new(Drive::new(1 << 20, 3));
    (Arc::clone(&drive), Bare(drive))
}

async fn recovered(disk: &Bare, policy: FsyncPolicy) -> (Log, Recovered) {
    Log::recover(disk, policy).await.expect("recovered")
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_cut() {
    let (drive, disk) = bare();
    let (mut log, _) = recovered(&disk, FsyncPolicy::Always).await;
    for text in ["one", "two", "three"] {
        log.append(text.as_bytes()).await.expect("appended");
    }
    drive.cut();
    let (log, found) = recovered(&disk, FsyncPolicy::Always).await;
    let whole = Recovered {
        records: 3,
        torn: 0,
    };
    assert_eq!(found, whole);
    assert_eq!(
        log.read(3).await.expect("read").as_deref(),
        Some(&b"three"[..])
    );
    assert_eq!(log.read(4).await.expect("read"), None);
}

#[tokio::test]
async fn without_flushes_a_cut_takes_everything() {
    let (drive, disk) = bare();
    let (mut log, _) = recovered(&disk, FsyncPolicy::Never).await;
    log.append(b"one").await.expect("appended");
    drive.cut();
    let (log, _) = recovered(&disk, FsyncPolicy::Never).await;
    assert_eq!(log.len(), 0);
}

#[tokio::test]
async fn a_record_that_was_refused_is_written_over() {
    let (drive, disk) = bare();
    let (mut log, _) = recovered(&disk, FsyncPolicy::Always).await;
    log.append(b"one").await.expect("appended");
    let fault = drive.fail(DiskFault::Errors {
        on: DiskOp::Fsync,
        probability: PerUnit(1.0),
    });
    log.append(b"refused and rather long")
        .await
        .expect_err("refused");
    drive.mend(fault);
    assert_eq!(log.append(b"two").await.expect("appended"), 2);
    drive.cut();
    let (log, _) = recovered(&disk, FsyncPolicy::Always).await;
    assert_eq!(log.len(), 2);
    assert_eq!(
        log.read(2).await.expect("read").as_deref(),
        Some(&b"two"[..])
    );
}

proptest! {
    #[test]
    fn recovery_stops_at_the_first_torn_record(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..900), 1..12),
        flushed in 0_usize..12,
        seed: u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let drive = Arc::new(Drive::new(1 << 20, seed));
            let disk = Bare(Arc::clone(&drive));
            drive.fail(DiskFault::Torn);
            let (mut log, _) = recovered(&disk, FsyncPolicy::Always).await;
            let sure = flushed.min(payloads.len());
            for payload in &payloads[..sure] {
                log.append(payload).await.expect("appended");
            }
            drop(log);
            let (mut log, _) = recovered(&disk, FsyncPolicy::Never).await;
            for payload in &payloads[sure..] {
                log.append(payload).await.expect("appended");
            }
            drive.cut();
            let (log, found) = recovered(&disk, FsyncPolicy::Always).await;
            assert!((sure..=payloads.len()).contains(&found.records));
            for (at, payload) in payloads[..found.records].iter().enumerate() {
                let read = log.read(at as u64 + 1).await.expect("read");
                assert_eq!(read.as_deref(), Some(payload.as_slice()));
            }
        });
    }

    #[test]
    fn a_record_with_one_wrong_bit_is_none(
        payload in prop::collection::vec(any::<u8>(), 0..64),
        bit: prop::sample::Index,
    ) {
        let mut bytes = encode(7, &payload);
        prop_assert_eq!(decode(&bytes, 7), Some(payload.as_slice()));
        prop_assert_eq!(decode(&bytes, 8), None);
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(decode(&bytes, 7), None);
    }
}
