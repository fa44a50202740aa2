//! The file descriptors of one service.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// `EMFILE`, by its number on every Unix.
const EMFILE: i32 = 24;

/// What a process may have open unless told otherwise (typical).
const LIMIT: u64 = 1_048_576;

/// A service's descriptors: how many are open, and may be. Counted are sockets;
/// a service in process has nothing else open.
#[derive(Clone, Debug)]
pub(crate) struct Files(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    open: AtomicU64,
    limit: AtomicU64,
}

impl Default for Files {
    fn default() -> Self {
        Self(Arc::new(Counts {
            open: AtomicU64::new(0),
            limit: AtomicU64::new(LIMIT),
        }))
    }
}

impl Files {
    /// Opens one.
    ///
    /// # Errors
    /// `EMFILE` where no more may be open.
    pub(super) fn open(&self) -> io::Result<Descriptor> {
        if self.0.open.load(Ordering::Relaxed) >= self.0.limit.load(Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(EMFILE));
        }
        self.0.open.fetch_add(1, Ordering::Relaxed);
        Ok(Descriptor(self.clone()))
    }

    /// How many are open, and how many may be.
    pub(crate) fn usage(&self) -> (u64, u64) {
        let counts = &self.0;
        (
            counts.open.load(Ordering::Relaxed),
            counts.limit.load(Ordering::Relaxed),
        )
    }

    /// Lets no more than this many further ones be opened; `None` lets as many
    /// as at the start.
    pub(crate) fn leave(&self, leave: Option<u32>) {
        let open = self.0.open.load(Ordering::Relaxed);
        let limit = leave.map_or(LIMIT, |leave| open + u64::from(leave));
        self.0.limit.store(limit, Ordering::Relaxed);
    }
}

/// An open descriptor; dropping it closes it.
#[derive(Debug)]
pub(super) struct Descriptor(Files);

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.0.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_opened_than_are_left() {
        let files = Files::default();
        let first = files.open().unwrap();
        files.leave(Some(1));
        let _second = files.open().unwrap();
        let refused = files.open().unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(EMFILE));
        drop(first);
        assert!(files.open().is_ok());
        files.leave(None);
        assert_eq!(files.usage(), (1, LIMIT));
    }
}
