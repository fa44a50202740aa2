//! The bytes of one file: as they read now, and as a power cut would leave them.

use std::collections::BTreeSet;

use rand::{Rng, RngExt};

/// What a drive writes whole or not at all, in bytes.
pub const SECTOR: u64 = 512;

/// A file's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// What a reader gets.
    now: Vec<u8>,
    /// What has reached the medium.
    kept: Vec<u8>,
    /// Sectors of `now` that have not.
    dirty: BTreeSet<u64>,
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.now.len() as u64
    }

    pub(super) fn read(&self, offset: u64, most: usize) -> &[u8] {
        let from = usize::try_from(offset).map_or(self.now.len(), |at| at.min(self.now.len()));
        let to = from.saturating_add(most).min(self.now.len());
        &self.now[from..to]
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let from = offset as usize;
        let to = from + bytes.len();
        if to > self.now.len() {
            self.set_len(to as u64);
        }
        self.now[from..to].copy_from_slice(bytes);
        self.mark(offset, to as u64);
    }

    pub(super) fn set_len(&mut self, len: u64) {
        let before = self.len();
        self.now.resize(len as usize, 0);
        if len > before {
            self.mark(before, len);
        } else {
            self.dirty.split_off(&len.div_ceil(SECTOR));
        }
    }

    fn mark(&mut self, from: u64, to: u64) {
        if from < to {
            self.dirty.extend(from / SECTOR..to.div_ceil(SECTOR));
        }
    }

    /// Bytes that a cut would lose.
    pub(super) fn unsynced(&self) -> u64 {
        let of = |sector: &u64| self.sector(*sector).len() as u64;
        self.dirty.iter().map(of).sum()
    }

    fn sector(&self, sector: u64) -> &[u8] {
        self.read(sector * SECTOR, SECTOR as usize)
    }

    /// `fsync`: all of it reaches the medium.
    pub(super) fn sync(&mut self) {
        self.kept.resize(self.now.len(), 0);
        let dirty = std::mem::take(&mut self.dirty);
        for sector in dirty {
            self.land(sector);
        }
    }

    /// One sector reaches the medium.
    fn land(&mut self, sector: u64) {
        let from = (sector * SECTOR) as usize;
        let to = (from + SECTOR as usize).min(self.now.len());
        if from >= to {
            return;
        }
        if self.kept.len() < to {
            self.kept.resize(to, 0);
        }
        self.kept[from..to].copy_from_slice(&self.now[from..to]);
        // Beyond the file's end a sector holds zeros.
        let end = (from + SECTOR as usize).min(self.kept.len());
        self.kept[to..end].fill(0);
    }

    /// Power goes: what did not reach the medium is gone. With `torn`, each
    /// sector of it got there or not, by itself, and where one did, the file
    /// reaches to its end.
    pub(super) fn cut(&mut self, torn: Option<&mut dyn Rng>) {
        let dirty = std::mem::take(&mut self.dirty);
        if let Some(random) = torn {
            for sector in dirty {
                if random.random_bool(0.5) {
                    self.land(sector);
                }
            }
        }
        self.now.clone_from(&self.kept);
    }

    /// How many sectors of a stretch a cut would leave as they are now.
    pub(super) fn whole(&self, after: &Self, from: u64, to: u64) -> u32 {
        let sectors = from / SECTOR..to / SECTOR;
        sectors
            .filter(|s| self.sector(*s) == after.sector(*s))
            .count() as u32
    }
}
