//! The file of a journal: recovered at the start, then only appended to.

use std::io;

use super::config::FsyncPolicy;
use super::frame::{HEAD, decode, encode};
use crate::disk::{Disk, DiskFile};

/// The file's name.
const FILE: &str = "journal.log";

/// An open journal.
pub(super) struct Log {
    file: Box<dyn DiskFile>,
    policy: FsyncPolicy,
    /// Where each record begins, and its payload's length.
    records: Vec<(u64, usize)>,
    /// Where the next record goes.
    end: u64,
}

/// What a recovery found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recovered {
    /// Whole records.
    pub(super) records: usize,
    /// Bytes after the last of them: a torn record and what followed it.
    pub(super) torn: u64,
}

impl Log {
    /// Opens the journal and reads it up to the first record that is not whole;
    /// what follows is cut off, so that no later reader takes it for a record.
    pub(super) async fn recover(
        disk: &dyn Disk,
        policy: FsyncPolicy,
    ) -> io::Result<(Self, Recovered)> {
        let file = disk.open(FILE).await?;
        let len = file.size().await?;
        let bytes = file.read_at(0, len as usize).await?;
        let mut records = Vec::new();
        let mut end = 0;
        while let Some(payload) = decode(&bytes[end..], records.len() as u64 + 1) {
            records.push((end as u64, payload.len()));
            end += HEAD + payload.len();
        }
        let torn = len - end as u64;
        if torn > 0 {
            file.set_len(end as u64).await?;
        }
        if policy == FsyncPolicy::Always {
            file.sync().await?;
            disk.sync_names().await?;
        }
        let recovered = Recovered {
            records: records.len(),
            torn,
        };
        let log = Self {
            file,
            policy,
            records,
            end: end as u64,
        };
        Ok((log, recovered))
    }

    /// Writes a record; when this returns it is as sure as the policy makes it.
    /// One that failed half way is written over by the next.
    pub(super) async fn append(&mut self, payload: &[u8]) -> io::Result<u64> {
        let sequence = self.records.len() as u64 + 1;
        let bytes = encode(sequence, payload);
        self.file.write_at(self.end, &bytes).await?;
        if self.policy == FsyncPolicy::Always {
            self.file.sync().await?;
        }
        self.records.push((self.end, payload.len()));
        self.end += bytes.len() as u64;
        Ok(sequence)
    }

    /// The payload of a record, from the medium; nothing where there is none of
    /// that number.
    pub(super) async fn read(&self, sequence: u64) -> io::Result<Option<Vec<u8>>> {
        let index = sequence.checked_sub(1).map(|index| index as usize);
        let Some((at, len)) = index.and_then(|index| self.records.get(index)) else {
            return Ok(None);
        };
        let bytes = self.file.read_at(*at, HEAD + len).await?;
        match decode(&bytes, sequence) {
            Some(payload) => Ok(Some(payload.to_vec())),
            None => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("record {sequence} is not as it was written"),
            )),
        }
    }

    /// Records in it.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }
}
