//! What a program of the host sees: the host's files without the right to change
//! them, folders of its own to write to, and the files that it was given.
//!
//! The child verb of this name makes the enclosure for itself and then becomes the
//! program. No overlay file system is needed, which not every kernel has, nor
//! lets a user namespace have: a root of its own is put together from binds.

use std::ffi::{CString, OsStr};
use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use serde::{Deserialize, Serialize};

use super::kernel;
use super::mirror::Mirror;
use super::refused::{Need, made};
use super::setup::Doing;

/// What the child verb is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::world) struct Enclosure {
    /// An empty folder, over which the new root is put together.
    pub(super) stage: PathBuf,
    /// Where each file is, and where the program finds it.
    pub(super) files: Vec<(PathBuf, String)>,
    /// Folders that stay as they are: volumes.
    pub(super) kept: Vec<PathBuf>,
}

/// Where a program is when it starts, and its home.
pub(super) const HOME: &str = "/tmp";

/// The most that a program may write outside of volumes.
const LAYER: &str = "size=1g,mode=0755";

/// The exit code of a program that could not be started, as shells have it.
const NOT_STARTED: u8 = 127;

/// How long it may take to become the program.
const ENTRY_LIMIT_MS: u16 = 5_000;

/// Becomes a program in an enclosure: `args` is the enclosure, then the program
/// with its arguments. What goes wrong is said on the wire, which closes when the
/// program has taken over.
pub(super) fn main(args: impl Iterator<Item = String>) -> ExitCode {
    let wire = kernel::inherited(kernel::WIRE_FD);
    match enter(args.collect()) {
        Ok(never) => never,
        Err(error) => {
            eprintln!("{error}");
            if let Ok(wire) = wire {
                let _ = fs::File::from(wire).write_all(error.as_bytes());
            }
            ExitCode::from(NOT_STARTED)
        }
    }
}

/// Waits until the other end of a wire has become its program.
pub(super) fn entered(wire: OwnedFd) -> Result<(), String> {
    let mut open = [PollFd::new(wire.as_fd(), PollFlags::POLLIN)];
    let ready = poll(&mut open, PollTimeout::from(ENTRY_LIMIT_MS)).doing("watch an entry")?;
    if ready == 0 {
        return Err("it is not there after 5 s".into());
    }
    let mut said = String::new();
    fs::File::from(wire)
        .read_to_string(&mut said)
        .doing("hear of an entry")?;
    match said.is_empty() {
        true => Ok(()),
        false => Err(said),
    }
}

fn enter(args: Vec<String>) -> Result<ExitCode, String> {
    let [enclosure, argv @ ..] = args.as_slice() else {
        return Err("no enclosure".into());
    };
    let enclosure: Enclosure = serde_json::from_str(enclosure).doing("read the enclosure")?;
    enclose(&enclosure)?;
    run(argv)
}

/// Becomes the program.
pub(super) fn run(argv: &[String]) -> Result<ExitCode, String> {
    let words: Result<Vec<CString>, _> = argv.iter().map(|w| CString::new(w.as_str())).collect();
    let words = words.doing("pass on a zero byte")?;
    let program = words.first().ok_or("an empty command")?;
    match nix::unistd::execvp(program, &words) {
        Ok(never) => match never {},
        Err(error) => Err(format!("could not run {}: {error}", argv[0])),
    }
}

fn enclose(enclosure: &Enclosure) -> Result<(), String> {
    let own = CloneFlags::CLONE_NEWNS;
    made(Need::Namespaces, unshare(own)).doing("make the service's namespace")?;
    // Read while the folders that they are in can still be seen.
    let texts: Result<Vec<_>, String> = enclosure.files.iter().map(read).collect();
    let texts = texts?;
    let none: Option<&str> = None;
    let stage = enclosure.stage.as_path();
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), stage, Some("tmpfs"), flags, Some(LAYER)).doing("mount a new root")?;
    let open = enclosure.files.iter().map(|(_, to)| PathBuf::from(to));
    let open = open.chain(enclosure.kept.iter().cloned());
    Mirror::new(stage, open.collect()).root()?;
    for kept in &enclosure.kept {
        let to = under(stage, kept);
        fs::create_dir_all(&to).doing(&format!("make {}", kept.display()))?;
        let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
        mount(Some(kept), &to, none, bind, none).doing(&format!("bind {}", kept.display()))?;
    }
    nix::unistd::chdir(stage).doing("enter the new root")?;
    nix::unistd::pivot_root(".", ".").doing("change the root")?;
    umount2(".", MntFlags::MNT_DETACH).doing("let go of the old root")?;
    // Only now: a link on the way to a file leads to where the program goes.
    for (to, text) in texts {
        put(&to, &text)?;
    }
    nix::unistd::chdir(HOME).doing(&format!("enter {HOME}"))
}

fn read((from, to): &(PathBuf, String)) -> Result<(PathBuf, Vec<u8>), String> {
    let text = fs::read(from).doing(&format!("read {}", from.display()))?;
    Ok((PathBuf::from(to), text))
}

/// A file with its folders; a script can be run.
fn put(to: &Path, text: &[u8]) -> Result<(), String> {
    let what = format!("write {}", to.display());
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).doing(&what)?;
    }
    fs::write(to, text).doing(&what)?;
    let mode = if text.starts_with(b"#!") {
        0o755
    } else {
        0o644
    };
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).doing(&what)
}

/// A path from the root, as it is below another folder.
pub(super) fn under(folder: &Path, path: &Path) -> PathBuf {
    let bytes = path.as_os_str().as_bytes();
    let rest = bytes.strip_prefix(b"/").unwrap_or(bytes);
    folder.join(OsStr::from_bytes(rest))
}
