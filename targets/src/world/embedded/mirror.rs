//! A root put together from another: what may not be changed is bound there and
//! made read-only, what may be is new.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

use super::enclosure::under;
use super::kernel;
use super::setup::Doing;

/// Folders that begin empty.
const NEW: [&str; 5] = ["/tmp", "/run", "/var/tmp", "/var/cache", "/var/crash"];
/// Folders whose folders are made anew, and whose files are left out.
const BARE: [&str; 2] = ["/var/log", "/var/spool"];
/// Folders of the kernel, which stay as they are.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];
/// A folder of folders of programs' state: those without a file are made anew.
const STATE: &str = "/var/lib";
/// Deeper folders are left out of what is made anew.
const DEEPEST: usize = 4;

/// One root and what it is put together from.
pub(super) struct Mirror<'a> {
    stage: &'a Path,
    /// Every folder on the way to what is put there later.
    open: BTreeSet<PathBuf>,
}

impl<'a> Mirror<'a> {
    /// `open` are paths that are put there later.
    pub(super) fn new(stage: &'a Path, open: Vec<PathBuf>) -> Self {
        let above = open.iter().flat_map(|path| path.ancestors().skip(1));
        let mut open: BTreeSet<PathBuf> = above.map(Path::to_path_buf).collect();
        open.extend(["/", "/var", STATE].map(PathBuf::from));
        Self { stage, open }
    }

    /// Everything from `/` on.
    pub(super) fn root(&self) -> Result<(), String> {
        self.folder(Path::new("/"))?;
        let shm = under(self.stage, Path::new("/dev/shm"));
        if shm.is_dir() {
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
            // Where it cannot be, programs share the host's.
            let _ = mount(Some("tmpfs"), &shm, Some("tmpfs"), flags, Some("mode=1777"));
        }
        Ok(())
    }

    /// A folder that is new, with what the old one holds.
    fn folder(&self, path: &Path) -> Result<(), String> {
        self.make(path)?;
        // One that may not be read, or is not there yet, holds nothing.
        let Ok(entries) = fs::read_dir(path) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            self.entry(&entry.path())?;
        }
        Ok(())
    }

    fn entry(&self, path: &Path) -> Result<(), String> {
        let Ok(meta) = fs::symlink_metadata(path) else {
            return Ok(());
        };
        let is = |list: &[&str]| list.iter().any(|one| path == Path::new(one));
        if meta.is_symlink() {
            return self.link(path);
        }
        if !meta.is_dir() {
            return self.bind(path, false);
        }
        if is(&NEW) {
            self.make(path)?;
            return self.mode(path, 0o1777);
        }
        if is(&KERNEL) {
            return self.bind(path, true);
        }
        if is(&BARE) {
            return self.bare(path, 0);
        }
        if path.parent() == Some(Path::new(STATE)) && !holds_file(path, 0) {
            return self.bare(path, 0);
        }
        match self.open.contains(path) {
            true => self.folder(path),
            false => self.bind(path, true),
        }
    }

    /// Folders alone, all of which may be written to.
    fn bare(&self, path: &Path, depth: usize) -> Result<(), String> {
        self.make(path)?;
        self.mode(path, 0o777)?;
        if depth == DEEPEST {
            return Ok(());
        }
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.bare(&entry.path(), depth + 1)?;
            }
        }
        Ok(())
    }

    fn make(&self, path: &Path) -> Result<(), String> {
        match fs::create_dir(under(self.stage, path)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.doing(&format!("make {}", path.display())),
        }
    }

    fn mode(&self, path: &Path, mode: u32) -> Result<(), String> {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(under(self.stage, path), mode)
            .doing(&format!("open {}", path.display()))
    }

    fn link(&self, path: &Path) -> Result<(), String> {
        let what = format!("copy the link {}", path.display());
        let to = fs::read_link(path).doing(&what)?;
        std::os::unix::fs::symlink(to, under(self.stage, path)).doing(&what)
    }

    /// The old one in its place; read-only, but for the kernel's own.
    fn bind(&self, path: &Path, folder: bool) -> Result<(), String> {
        let what = format!("bind {}", path.display());
        let to = under(self.stage, path);
        match folder {
            true => self.make(path)?,
            false => drop(fs::File::create(&to).doing(&what)?),
        }
        let none: Option<&str> = None;
        let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
        match mount(Some(path), &to, none, flags, none) {
            // A socket without a name, say, or what may not be seen.
            Err(_) if !folder => return Ok(()),
            bound => bound.doing(&what)?,
        }
        if path == Path::new("/proc") || path == Path::new("/dev") {
            return Ok(());
        }
        kernel::read_only(&to).doing(&format!("make {} read-only", path.display()))
    }
}

/// Whether there is a file in a folder or in one of its folders.
fn holds_file(path: &Path, depth: usize) -> bool {
    let Ok(entries) = fs::read_dir(path) else {
        // What may not be looked at is shown as it is.
        return true;
    };
    let mut entries = entries.flatten();
    depth == DEEPEST
        || entries.any(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => holds_file(&entry.path(), depth + 1),
            _ => true,
        })
}
