//! The root file system of a node: this program and what it is linked with.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Where this program is in its image.
pub(super) const PROGRAM: &str = "/ridethrough";

/// Libraries that the C library loads by name, in versions that have them apart.
const BY_NAME: [&str; 3] = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

/// What the C library reads.
const FILES: [(&str, &str); 2] = [
    ("etc/nsswitch.conf", "hosts: files dns\n"),
    ("etc/passwd", "root:x:0:0:root:/:/ridethrough\n"),
];

/// Folders that programs expect.
const FOLDERS: [&str; 6] = ["tmp", "proc", "sys", "dev", "etc", "run"];

/// What the image is made of.
#[derive(Clone, Debug)]
pub(super) struct Rootfs {
    program: PathBuf,
    libraries: BTreeSet<PathBuf>,
}

impl Rootfs {
    /// Of a program that this process runs, too.
    pub(super) fn of(program: &Path) -> io::Result<Self> {
        let maps = fs::read_to_string("/proc/self/maps")?;
        let mut libraries = mapped(&maps);
        let beside: Vec<PathBuf> = libraries
            .iter()
            .filter_map(|library| Some(library.parent()?.to_path_buf()))
            .collect();
        for folder in beside {
            libraries.extend(
                BY_NAME
                    .map(|name| folder.join(name))
                    .into_iter()
                    .filter(|file| file.is_file()),
            );
        }
        Ok(Self {
            program: program.to_path_buf(),
            libraries,
        })
    }

    /// Tells images of different contents apart.
    pub(super) fn digest(&self) -> io::Result<String> {
        let mut sha = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        for path in std::iter::once(&self.program).chain(&self.libraries) {
            sha.update(path.file_name().unwrap_or_default().as_encoded_bytes());
            let mut file = File::open(path)?;
            loop {
                match file.read(&mut buffer)? {
                    0 => break,
                    count => sha.update(&buffer[..count]),
                }
            }
        }
        let hex: String = sha.finalize()[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(hex)
    }

    /// Writes it as a tar archive.
    pub(super) fn write(&self, out: impl Write) -> io::Result<()> {
        let mut tar = tar::Builder::new(out);
        tar.follow_symlinks(true);
        for folder in FOLDERS {
            let mut header = header(tar::EntryType::Directory, 0, 0o1777);
            tar.append_data(&mut header, folder, io::empty())?;
        }
        for (path, text) in FILES {
            let mut header = header(tar::EntryType::Regular, text.len() as u64, 0o644);
            tar.append_data(&mut header, path, text.as_bytes())?;
        }
        for folder in ["lib", "lib64"] {
            if let Ok(target) = fs::read_link(Path::new("/").join(folder)) {
                let mut header = header(tar::EntryType::Symlink, 0, 0o777);
                tar.append_link(&mut header, folder, target)?;
            }
        }
        for library in &self.libraries {
            append(&mut tar, library, library)?;
            // The interpreter is named by a path of its own in every program.
            let name = library.file_name().unwrap_or_default();
            if name.to_string_lossy().starts_with("ld-") {
                for folder in ["/lib", "/lib64"] {
                    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.into());
                    if folder.join(name) != *library {
                        append(&mut tar, library, &folder.join(name))?;
                    }
                }
            }
        }
        let cache = Path::new("/etc/ld.so.cache");
        if cache.is_file() {
            append(&mut tar, cache, cache)?;
        }
        append(&mut tar, &self.program, Path::new(PROGRAM))?;
        tar.finish()
    }
}

fn append(tar: &mut tar::Builder<impl Write>, from: &Path, to: &Path) -> io::Result<()> {
    let mut file = File::open(from)?;
    let mut header = header(tar::EntryType::Regular, file.metadata()?.len(), 0o755);
    let inside = to.strip_prefix("/").unwrap_or(to);
    tar.append_data(&mut header, inside, &mut file)
}

fn header(kind: tar::EntryType, size: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header
}

/// The shared libraries in a process's table of mappings.
fn mapped(maps: &str) -> BTreeSet<PathBuf> {
    maps.lines()
        .filter_map(|line| line.get(line.find('/')?..))
        .filter(|path| path.contains(".so"))
        .map(PathBuf::from)
        .filter(|path| path.is_file())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_the_mappings() {
        let own = std::env::current_exe().unwrap();
        let maps = format!(
            "7f00-7f01 r--p 00000000 fe:00 1  {}\n7f02-7f03 r-xp 0 fe:00 2  /nowhere/libgone.so.1\n\
             7ffd-7ffe rw-p 0 00:00 0  [stack]\n",
            own.display()
        );
        assert!(mapped(&maps).is_empty());
        let ours = fs::read_to_string("/proc/self/maps").unwrap();
        // Whatever this test is linked with: every file that is told is there.
        assert!(mapped(&ours).iter().all(|library| library.is_file()));
    }

    #[test]
    fn the_archive_holds_the_program_and_every_library() {
        let own = std::env::current_exe().unwrap();
        let rootfs = Rootfs::of(&own).unwrap();
        let mut bytes = Vec::new();
        rootfs.write(&mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let names: BTreeSet<PathBuf> = archive
            .entries()
            .unwrap()
            .map(|entry| Path::new("/").join(entry.unwrap().path().unwrap()))
            .collect();
        assert!(names.contains(Path::new(PROGRAM)));
        for library in &rootfs.libraries {
            assert!(names.contains(library), "{}", library.display());
        }
        assert_eq!(rootfs.digest().unwrap().len(), 12);
    }
}
