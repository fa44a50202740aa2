//! Compressing the records of older runs. At every moment there is one whole
//! record: the plain one goes when the packed one was read back and is the same.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::found::is;
use crate::record::PACKED;

/// Compresses a record and says how many bytes it had and has.
pub(super) fn pack(plain: &Path) -> io::Result<(u64, u64)> {
    let packed = plain.with_file_name(PACKED);
    let half = plain.with_file_name(format!("{PACKED}.half"));
    // What a program that died has left; never what a link leads to.
    for path in [&half, &packed] {
        if path.symlink_metadata().is_ok() {
            fs::remove_file(path)?;
        }
    }
    let done = write(plain, &half).and_then(|sizes| {
        fs::rename(&half, &packed)?;
        fs::remove_file(plain)?;
        Ok(sizes)
    });
    if done.is_err() && is(&half, fs::Metadata::is_file) {
        let _ = fs::remove_file(&half);
    }
    done
}

fn write(plain: &Path, half: &PathBuf) -> io::Result<(u64, u64)> {
    let source = File::open(plain)?;
    let written = source.metadata()?.modified()?;
    let target = File::options().write(true).create_new(true).open(half)?;
    let mut packer = GzEncoder::new(BufWriter::new(target), Compression::default());
    let mut source = Hashed::new(source);
    let before = io::copy(&mut source, &mut packer)?;
    let target = packer.finish()?.into_inner().map_err(io::Error::from)?;
    target.sync_all()?;
    // The age of a run is that of its record.
    target.set_modified(written)?;
    let after = target.metadata()?.len();
    let back = MultiGzDecoder::new(BufReader::new(File::open(half)?));
    let mut back = Hashed::new(back);
    io::copy(&mut back, &mut io::sink())?;
    if back.digest() != source.digest() {
        return Err(io::Error::other("what was compressed does not come back"));
    }
    Ok((before, after))
}

/// A reader that remembers what it read.
struct Hashed<R> {
    inner: R,
    hash: Sha256,
}

impl<R> Hashed<R> {
    fn new(inner: R) -> Self {
        let hash = Sha256::new();
        Self { inner, hash }
    }

    fn digest(self) -> Vec<u8> {
        self.hash.finalize().to_vec()
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hash.update(&buffer[..length]);
        Ok(length)
    }
}

/// Removes a run's folder, its record last: a folder that was left half removed
/// is still known as a run. Links in it are removed, not followed.
pub(super) fn remove(folder: &Path, record: &Path) -> io::Result<u64> {
    let mut freed = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path == record {
            continue;
        }
        freed += size(&path);
        if is(&path, fs::Metadata::is_dir) {
            fs::remove_dir_all(&path)?;
        } else {
            fs::remove_file(&path)?;
        }
    }
    freed += size(record);
    fs::remove_file(record)?;
    fs::remove_dir(folder)?;
    Ok(freed)
}

/// Bytes of a file, or of all files below a folder.
pub(super) fn size(path: &Path) -> u64 {
    let Ok(file) = fs::symlink_metadata(path) else {
        return 0;
    };
    if !file.is_dir() {
        return file.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size(&entry.path())).sum()
}
