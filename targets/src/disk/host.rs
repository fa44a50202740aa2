//! A folder of this machine's file system.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Disk, DiskFile};

/// Real files.
#[derive(Clone, Debug)]
pub struct HostDisk {
    folder: PathBuf,
}

impl HostDisk {
    /// The files of a folder that is there.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Where a file of this name lies; names lead nowhere else.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        if name.is_empty() || name.contains('/') || name == "." || name == ".." {
            let message = format!("{name:?} is no file name");
            return Err(io::Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(self.folder.join(name))
    }
}

/// Runs a call that may block where that disturbs nobody.
async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(act).await;
    done.map_err(io::Error::other)?
}

#[async_trait]
impl Disk for HostDisk {
    async fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let path = self.path(name)?;
        let file = blocking(move || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
        })
        .await?;
        Ok(Box::new(HostFile(Arc::new(Mutex::new(file)))))
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        blocking(move || std::fs::rename(from, to)).await
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.path(name)?;
        blocking(move || std::fs::remove_file(path)).await
    }

    async fn list(&self) -> io::Result<Vec<String>> {
        let folder = self.folder.clone();
        blocking(move || {
            let mut names = Vec::new();
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.file_type()?.is_file() && !name.starts_with(".ridethrough-") {
                    names.push(name);
                }
            }
            names.sort();
            Ok(names)
        })
        .await
    }

    async fn sync_names(&self) -> io::Result<()> {
        let folder = self.folder.clone();
        blocking(move || File::open(folder)?.sync_all()).await
    }
}

/// One call at a time: its position is its own.
struct HostFile(Arc<Mutex<File>>);

impl HostFile {
    async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let file = Arc::clone(&self.0);
        blocking(move || act(&mut file.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

#[async_trait]
impl DiskFile for HostFile {
    async fn read_at(&self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        self.with(move |file| {
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = Vec::new();
            file.take(most as u64).read_to_end(&mut bytes)?;
            Ok(bytes)
        })
        .await
    }

    async fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let bytes = bytes.to_vec();
        self.with(move |file| {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(&bytes)
        })
        .await
    }

    async fn size(&self) -> io::Result<u64> {
        self.with(|file| Ok(file.metadata()?.len())).await
    }

    async fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(move |file| file.set_len(len)).await
    }

    async fn sync(&self) -> io::Result<()> {
        self.with(|file| file.sync_all()).await
    }
}
