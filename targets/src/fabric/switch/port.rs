//! One life of a port, from lit to dark, and the gate that makes dark final.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::world::PortCounters;

/// What frames are read from and written to: a TAP device, or memory in tests.
pub(crate) trait Device: Send + Sync + 'static {
    /// Reads one frame; `WouldBlock` when there is none.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes one frame.
    fn write(&self, frame: &[u8]) -> io::Result<usize>;
}

/// Counters as atomics: one thread adds, any thread reads.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    frames_in: AtomicU64,
    bytes_in: AtomicU64,
    frames_out: AtomicU64,
    bytes_out: AtomicU64,
    dropped: AtomicU64,
    leaked: AtomicU64,
}

impl Counters {
    pub(crate) fn sent(&self, bytes: u64) {
        self.frames_in.fetch_add(1, Ordering::Relaxed);
        self.bytes_in.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn given(&self, bytes: u64) {
        self.frames_out.fetch_add(1, Ordering::Relaxed);
        self.bytes_out.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leak_one(&self) {
        self.leaked.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> PortCounters {
        PortCounters {
            frames_in: self.frames_in.load(Ordering::Relaxed),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            frames_out: self.frames_out.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            leaked: self.leaked.load(Ordering::Relaxed),
        }
    }
}

/// One life of a port. A port that is lit again gets a new one, so a frame of
/// an earlier boot can never be taken for one of this boot.
#[derive(Debug)]
pub(crate) struct Life<D> {
    pub(crate) port: usize,
    pub(crate) device: D,
    pub(crate) counters: Arc<Counters>,
    dark: AtomicBool,
    declared: AtomicBool,
}

impl<D> Life<D> {
    pub(crate) fn new(port: usize, device: D) -> Self {
        Self {
            port,
            device,
            counters: Arc::default(),
            dark: AtomicBool::new(false),
            declared: AtomicBool::new(false),
        }
    }

    /// No write that begins after this call involves the port.
    pub(crate) fn darken(&self) {
        self.dark.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_dark(&self) -> bool {
        self.dark.load(Ordering::SeqCst)
    }

    /// States that the last frame of the port has left. A write that ends
    /// later is a leak.
    pub(crate) fn declare_dark(&self) {
        self.declared.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_declared_dark(&self) -> bool {
        self.declared.load(Ordering::SeqCst)
    }
}

/// Tells whether the switch is in the middle of a write. Odd inside, even
/// outside.
///
/// The writer enters, *then* looks whether a port is dark; who darkens a port
/// sets the flag, *then* looks at the gate. All four are sequentially
/// consistent, so either the writer sees the flag or the darkener sees the
/// writer and waits for that one write.
#[derive(Debug, Default)]
pub(crate) struct Gate(AtomicU64);

impl Gate {
    /// Called by the one writing thread only.
    pub(crate) fn enter(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Called by the one writing thread only.
    pub(crate) fn leave(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until a write that is under way has ended, at most until
    /// `give_up` says so. Returns whether it ended.
    pub(crate) fn settle(&self, mut give_up: impl FnMut() -> bool) -> bool {
        let seen = self.0.load(Ordering::SeqCst);
        if seen.is_multiple_of(2) {
            return true;
        }
        let mut turns = 0_u32;
        while self.0.load(Ordering::SeqCst) == seen {
            turns += 1;
            if turns < 256 {
                std::hint::spin_loop();
                continue;
            }
            if give_up() {
                return false;
            }
            std::thread::yield_now();
        }
        true
    }
}

#[cfg(test)]
mod tests;
