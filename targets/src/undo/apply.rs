//! Carrying out a record.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path};
use std::time::{Duration, Instant};

use crate::world::docker;

use super::record::{OWNER, Undo};

/// Where the kernel shows its control groups.
const CGROUPS: &str = "/sys/fs/cgroup";

/// How long the kernel may take to let go of a control group.
const LET_GO: Duration = Duration::from_secs(5);

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// The change was there and is gone.
    TakenBack,
    /// There was nothing of it.
    WasGone,
}

impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cgroup { path, .. } => write!(f, "control group {}", path.display()),
            Self::Containers { run, .. } => write!(f, "containers of run {run}"),
            Self::Folder { path } => write!(f, "folder {}", path.display()),
        }
    }
}

/// Takes a change back. What does not carry the owner's name is left alone and
/// refused: a journal is a file, and a file can be wrong.
///
/// # Errors
/// When the change is still there.
pub fn undo(record: &Undo) -> io::Result<Undone> {
    match record {
        Undo::Cgroup { path, home } => {
            owned(path)?;
            for path in [path, home] {
                if !path.starts_with(CGROUPS)
                    || path.components().any(|c| c == Component::ParentDir)
                {
                    return Err(foreign(path));
                }
            }
            cgroup(path, home)
        }
        Undo::Containers { engine, run } => containers(engine, run),
        Undo::Folder { path } => {
            owned(path)?;
            gone(fs::remove_dir_all(path))
        }
    }
}

fn owned(path: &Path) -> io::Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy());
    if path.is_absolute() && name.is_some_and(|name| name.starts_with(OWNER)) {
        return Ok(());
    }
    Err(foreign(path))
}

fn foreign(path: &Path) -> io::Error {
    let text = format!("{} was not made by ridethrough", path.display());
    io::Error::new(ErrorKind::PermissionDenied, text)
}

fn gone(removed: io::Result<()>) -> io::Result<Undone> {
    match removed {
        Ok(()) => Ok(Undone::TakenBack),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Undone::WasGone),
        Err(error) => Err(error),
    }
}

fn containers(engine: &Path, run: &str) -> io::Result<Undone> {
    if run.is_empty() {
        return Err(foreign(Path::new("containers of no run")));
    }
    match docker::remove_run(engine, run) {
        Ok(0) => Ok(Undone::WasGone),
        removed => removed.map(|_| Undone::TakenBack).map_err(io::Error::other),
    }
}

/// Processes first: a group goes only when it is empty, and its processes may
/// be dying meanwhile.
fn cgroup(path: &Path, home: &Path) -> io::Result<Undone> {
    let until = Instant::now() + LET_GO;
    loop {
        let members = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
        for process in members.lines() {
            // One that has died meanwhile has left by itself.
            let _ = fs::write(home.join("cgroup.procs"), process);
        }
        match fs::remove_dir(path) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            removed => return gone(removed),
        }
    }
}
