//! A volume on a drive that can fail.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::error::DiskError;
use super::fault::{DiskFault, DiskFaultId, DiskOp};
use super::probe::{PROBE_FILE, PROBE_HALF};
use super::volume::{Ino, Loss, ROOT, SECTOR, Volume};

/// A drive with one volume.
#[derive(Debug)]
pub struct Drive {
    state: Mutex<State>,
    /// Told when its power goes.
    dark: Condvar,
}

#[derive(Debug)]
struct State {
    volume: Volume,
    faults: BTreeMap<DiskFaultId, DiskFault>,
    last: u64,
    random: ChaCha8Rng,
    powered: bool,
}

/// What a power cut at this instant would leave of the probe's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutImage {
    /// Sectors in each half of the file.
    pub of: u32,
    /// Sectors that would be left of the half that was flushed.
    pub synced: u32,
    /// Sectors that would be left of the half that was not.
    pub unsynced: u32,
}

impl Drive {
    /// A drive without faults, with an empty volume of so many bytes.
    pub fn new(capacity: u64, seed: u64) -> Self {
        Self {
            state: Mutex::new(State {
                volume: Volume::new(capacity),
                faults: BTreeMap::new(),
                last: 0,
                random: ChaCha8Rng::seed_from_u64(seed),
                powered: true,
            }),
            dark: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes it fail.
    pub fn fail(&self, fault: DiskFault) -> DiskFaultId {
        let mut state = self.lock();
        state.last += 1;
        let id = DiskFaultId(state.last);
        state.faults.insert(id, fault);
        id
    }

    /// Ends a failure; an unknown number is no error.
    pub fn mend(&self, id: DiskFaultId) {
        self.lock().faults.remove(&id);
    }

    /// How much longer everything takes.
    pub fn delay(&self) -> Duration {
        let state = self.lock();
        let slow = state.faults.values().filter_map(|fault| match fault {
            DiskFault::Slow { by } => Some(by.duration()),
            _ => None,
        });
        slow.sum()
    }

    /// Waits as long as everything takes longer, on this thread; less where the
    /// power goes.
    pub fn wait(&self) {
        let delay = self.delay();
        if delay.is_zero() {
            return;
        }
        let dark = self
            .dark
            .wait_timeout_while(self.lock(), delay, |state| state.powered);
        drop(dark.unwrap_or_else(PoisonError::into_inner));
    }

    /// Looks names up and changes them: what no fault of a medium touches.
    pub fn names<T>(
        &self,
        act: impl FnOnce(&mut Volume) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let mut state = self.lock();
        if !state.powered {
            return Err(DiskError::Io);
        }
        act(&mut state.volume)
    }

    /// Reads at most so many bytes of a file.
    pub fn read(&self, file: Ino, offset: u64, most: usize) -> Result<Vec<u8>, DiskError> {
        let mut state = self.lock();
        state.admit(DiskOp::Read)?;
        state.volume.read(file, offset, most)
    }

    /// Writes all of it to a file.
    pub fn write(&self, file: Ino, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let mut state = self.lock();
        state.admit(DiskOp::Write)?;
        state.room(file, offset.saturating_add(bytes.len() as u64))?;
        state.volume.write(file, offset, bytes)
    }

    /// Writes all of it at the end of a file; says where that was.
    pub fn append(&self, file: Ino, bytes: &[u8]) -> Result<u64, DiskError> {
        let mut state = self.lock();
        state.admit(DiskOp::Write)?;
        let end = state.volume.shape(file)?.len;
        state.room(file, end.saturating_add(bytes.len() as u64))?;
        state.volume.write(file, end, bytes)?;
        Ok(end)
    }

    /// Cuts a file off or fills it up.
    pub fn set_len(&self, file: Ino, len: u64) -> Result<(), DiskError> {
        let mut state = self.lock();
        state.admit(DiskOp::Write)?;
        state.room(file, len)?;
        state.volume.set_len(file, len)
    }

    /// Flushes a file, or every name where it is none.
    pub fn sync(&self, file: Option<Ino>) -> Result<(), DiskError> {
        let mut state = self.lock();
        state.admit(DiskOp::Fsync)?;
        if state.faults.values().any(|f| *f == DiskFault::ForgetsFsync) {
            return Ok(());
        }
        match file {
            Some(file) => state.volume.sync(file),
            None => {
                state.volume.sync_names();
                Ok(())
            }
        }
    }

    /// Bytes in all, and in use.
    pub fn space(&self) -> (u64, u64) {
        let state = self.lock();
        let (capacity, used) = (state.volume.capacity(), state.volume.used());
        match state.full() {
            true => (capacity, capacity),
            false => (capacity, used),
        }
    }

    /// From here on nothing is answered but with an error, and nothing waits.
    pub fn power_off(&self) {
        self.lock().powered = false;
        self.dark.notify_all();
    }

    /// The power is gone: what was not flushed is lost, and the drive can be
    /// used again.
    pub fn cut(&self) -> Loss {
        let state = &mut *self.lock();
        state.powered = true;
        let torn = state.torn();
        let random: Option<&mut dyn Rng> = match torn {
            true => Some(&mut state.random),
            false => None,
        };
        state.volume.cut(random)
    }

    /// What a cut at this instant would leave of the probe's file, if there is
    /// one.
    pub fn image(&self) -> Option<CutImage> {
        let state = &mut *self.lock();
        let file = state.volume.find(ROOT, PROBE_FILE).ok()?.ino;
        let torn = state.torn();
        let half = PROBE_HALF as u64;
        let mut left = |stretch| {
            let random: Option<&mut dyn Rng> = match torn {
                true => Some(&mut state.random),
                false => None,
            };
            state.volume.outlives(file, stretch, random).ok()
        };
        Some(CutImage {
            of: (half / SECTOR) as u32,
            synced: left((0, half))?,
            unsynced: left((half, 2 * half))?,
        })
    }
}

impl State {
    fn full(&self) -> bool {
        self.faults.values().any(|f| *f == DiskFault::Full)
    }

    fn torn(&self) -> bool {
        self.faults.values().any(|f| *f == DiskFault::Torn)
    }

    /// Whether an operation gets through to the medium.
    fn admit(&mut self, op: DiskOp) -> Result<(), DiskError> {
        if !self.powered {
            return Err(DiskError::Io);
        }
        for fault in self.faults.values() {
            if let DiskFault::Errors { on, probability } = fault
                && on.covers(op)
                && self.random.random_bool(probability.get().clamp(0.0, 1.0))
            {
                return Err(DiskError::Io);
            }
        }
        Ok(())
    }

    fn room(&self, file: Ino, end: u64) -> Result<(), DiskError> {
        match self.full() && self.volume.grows(file, end)? {
            true => Err(DiskError::NoSpace),
            false => Ok(()),
        }
    }
}
