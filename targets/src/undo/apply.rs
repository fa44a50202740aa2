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
            Self::Cable { device, bridge, .. } => {
                write!(f, "cable {device} out of bridge {bridge}")
            }
            Self::Killed { container, .. } => write!(f, "end of container {container}"),
            Self::Paused { container, .. } => write!(f, "pause of container {container}"),
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
        Undo::Cable {
            device,
            bridge,
            hairpin,
            arp_ignore,
        } => cable(device, bridge, *hairpin, *arp_ignore),
        Undo::Killed { engine, container } => {
            revived(docker::revive(engine, container, docker::Revival::Start))
        }
        Undo::Paused { engine, container } => {
            revived(docker::revive(engine, container, docker::Revival::Unpause))
        }
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

fn revived(revived: Result<bool, crate::world::WorldError>) -> io::Result<Undone> {
    match revived {
        Ok(true) => Ok(Undone::TakenBack),
        Ok(false) => Ok(Undone::WasGone),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// The port of the bridge first: what is behind it waits for nothing else.
#[cfg(linux_worlds)]
fn cable(device: &str, bridge: &str, hairpin: bool, arp_ignore: u8) -> io::Result<Undone> {
    use crate::fabric::wire;
    for name in [device, bridge] {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(foreign(Path::new(name)));
        }
    }
    let shown = Path::new("/sys/class/net").join(device);
    if !shown.exists() {
        return Ok(Undone::WasGone);
    }
    let was = wire::bridge_of(device).is_some_and(|there| there == bridge);
    wire::plug(device, bridge)?;
    if hairpin {
        fs::write(shown.join("brport/hairpin_mode"), "1")?;
    }
    wire::set_arp_ignore(device, arp_ignore)?;
    Ok(match was {
        true => Undone::WasGone,
        false => Undone::TakenBack,
    })
}

#[cfg(not(linux_worlds))]
fn cable(device: &str, _: &str, _: bool, _: u8) -> io::Result<Undone> {
    Err(foreign(Path::new(device)))
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
