//! A service's volume on virtual time.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;

use crate::disk::{Disk, DiskError, DiskFile, Drive, Ino, PROBE_FILE, ROOT, Shape};

/// The permissions of files that a service makes.
const MODE: u16 = 0o644;

/// What a service has of a drive.
pub(super) struct VirtualDisk(Arc<Drive>);

impl VirtualDisk {
    pub(super) fn new(drive: Arc<Drive>) -> Self {
        Self(drive)
    }
}

/// Passes as much time as the drive takes longer.
async fn pass(drive: &Drive) {
    let delay = drive.delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

fn checked(name: &str) -> io::Result<()> {
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        let message = format!("{name:?} is no file name");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

#[async_trait]
impl Disk for VirtualDisk {
    async fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        checked(name)?;
        let shape: Shape = self.0.names(|volume| {
            let shape = match volume.find(ROOT, name) {
                Err(DiskError::NotFound) => volume.make(ROOT, name, false, MODE)?,
                found => found?,
            };
            volume.open(shape.ino)?;
            Ok(shape)
        })?;
        let drive = Arc::clone(&self.0);
        let ino = shape.ino;
        Ok(Box::new(VirtualFile { drive, ino }))
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        checked(to)?;
        Ok(self
            .0
            .names(|volume| volume.rename((ROOT, from), (ROOT, to)))?)
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        Ok(self.0.names(|volume| volume.remove(ROOT, name, false))?)
    }

    async fn list(&self) -> io::Result<Vec<String>> {
        let entries = self.0.names(|volume| volume.list(ROOT))?;
        let files = entries
            .into_iter()
            .filter(|e| !e.shape.folder && e.name != PROBE_FILE);
        Ok(files.map(|entry| entry.name).collect())
    }

    async fn sync_names(&self) -> io::Result<()> {
        pass(&self.0).await;
        Ok(self.0.sync(None)?)
    }
}

struct VirtualFile {
    drive: Arc<Drive>,
    ino: Ino,
}

impl Drop for VirtualFile {
    fn drop(&mut self) {
        let _ = self.drive.names(|volume| {
            volume.close(self.ino);
            Ok(())
        });
    }
}

#[async_trait]
impl DiskFile for VirtualFile {
    async fn read_at(&self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        pass(&self.drive).await;
        Ok(self.drive.read(self.ino, offset, most)?)
    }

    async fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        pass(&self.drive).await;
        Ok(self.drive.write(self.ino, offset, bytes)?)
    }

    async fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        pass(&self.drive).await;
        Ok(self.drive.append(self.ino, bytes)?)
    }

    async fn size(&self) -> io::Result<u64> {
        let shape = self.drive.names(|volume| volume.shape(self.ino))?;
        Ok(shape.len)
    }

    async fn set_len(&self, len: u64) -> io::Result<()> {
        pass(&self.drive).await;
        Ok(self.drive.set_len(self.ino, len)?)
    }

    async fn sync(&self) -> io::Result<()> {
        pass(&self.drive).await;
        Ok(self.drive.sync(Some(self.ino))?)
    }
}
