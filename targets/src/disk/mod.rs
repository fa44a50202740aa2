//! The one way in which services meet storage: files of one folder, which lose
//! at a power cut what was not fsynced.
//!
//! In a virtual world a volume is a [`Volume`] in memory. Elsewhere it is a file
//! system of this machine, and where that is FUSE, the same [`Volume`] is behind
//! it.

mod content;
mod drive;
mod error;
mod fault;
mod host;
mod probe;
mod volume;

use std::io;

use async_trait::async_trait;

pub use drive::{CutImage, Drive};
pub use error::DiskError;
pub use fault::{DiskFault, DiskFaultId, DiskOp};
pub use host::HostDisk;
pub use probe::{DiskAnswer, DiskProbe, DiskReport, DiskRound, PROBE_FILE, probe};
pub use volume::{Entry, Ino, Loss, ROOT, SECTOR, Shape, Volume};

/// The volume of a service: one folder of files.
///
/// What is written is there at once for whoever reads, and is sure to be there
/// after a power cut only once [`DiskFile::sync`] has returned; a new or changed
/// name only once [`Disk::sync_names`] has.
#[async_trait]
pub trait Disk: Send + Sync + 'static {
    /// Opens a file for reading and writing, and makes it where there is none.
    async fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Renames a file, over another if need be.
    async fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    async fn remove(&self, name: &str) -> io::Result<()>;

    /// The names of all files, in order.
    async fn list(&self) -> io::Result<Vec<String>>;

    /// Flushes the folder itself, as `fsync` of a directory does: names that
    /// were made, changed or removed are so for good.
    async fn sync_names(&self) -> io::Result<()>;
}

/// An open file.
#[async_trait]
pub trait DiskFile: Send + Sync {
    /// At most so many bytes from an offset on; fewer only at the end.
    async fn read_at(&self, offset: u64, most: usize) -> io::Result<Vec<u8>>;

    /// Writes all of it at an offset; what lies between the end and the offset
    /// becomes zeros.
    async fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Writes all of it at the end; says where that was.
    async fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let end = self.size().await?;
        self.write_at(end, bytes).await?;
        Ok(end)
    }

    /// Its length in bytes.
    async fn size(&self) -> io::Result<u64>;

    /// Cuts it off or fills it up with zeros.
    async fn set_len(&self, len: u64) -> io::Result<()>;

    /// Flushes it, as `fsync` does.
    async fn sync(&self) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
