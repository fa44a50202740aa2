//! Where journals are, so that they can be found after a crash and after a
//! reboot.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::apply::Undone;
use super::journal::carry_out;
use super::record::{Undo, outstanding};

/// The name of a journal ends in this.
pub(super) const JOURNAL: &str = "undo";
/// The name of a guardian's file ends in this. The guardian holds a lock on it.
pub(super) const GUARD: &str = "guard";

/// The folder of this user's journals: `$RIDETHROUGH_STATE`, else
/// `/var/lib/ridethrough` for root, else `ridethrough` below `$XDG_STATE_HOME`
/// or `~/.local/state`, else a folder for temporary files.
pub fn state_dir() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(own) = set("RIDETHROUGH_STATE") {
        return own.into();
    }
    #[cfg(linux_worlds)]
    if nix::unistd::geteuid().is_root() {
        return "/var/lib/ridethrough".into();
    }
    let state = set("XDG_STATE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(set("HOME")?).join(".local/state"));
    let kept = state.or_else(home).map(|state| state.join("ridethrough"));
    match kept {
        Some(kept) if fs::create_dir_all(&kept).is_ok() => kept,
        _ => private(std::env::temp_dir().join(format!("ridethrough-{}", user()))),
    }
}

/// A folder below one that everybody can write: it must be this user's own, and
/// nobody else may write in it. Where it is not, one that nobody could guess.
#[cfg(linux_worlds)]
fn private(folder: PathBuf) -> PathBuf {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let _ = fs::DirBuilder::new().mode(0o700).create(&folder);
    let own = fs::symlink_metadata(&folder).is_ok_and(|it| {
        it.is_dir() && it.uid() == nix::unistd::geteuid().as_raw() && it.mode() & 0o022 == 0
    });
    match own {
        true => folder,
        false => folder.with_extension(std::process::id().to_string()),
    }
}

#[cfg(not(linux_worlds))]
fn private(folder: PathBuf) -> PathBuf {
    folder
}

#[cfg(linux_worlds)]
fn user() -> String {
    nix::unistd::geteuid().to_string()
}

#[cfg(not(linux_worlds))]
fn user() -> String {
    "state".into()
}

/// A run that has left something of itself.
#[derive(Debug)]
pub struct Left {
    /// Its id.
    pub run: String,
    /// Its harness or its guardian is there.
    pub alive: bool,
    /// The guardian's process, where one is there.
    pub guardian: Option<u32>,
    journal: PathBuf,
    guard: PathBuf,
}

/// The runs whose journals are in a folder, oldest name first.
///
/// # Errors
/// When the folder cannot be read; one that is not there holds nothing.
pub fn left_behind(state: &Path) -> io::Result<Vec<Left>> {
    let entries = match fs::read_dir(state) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut runs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let ours = path.extension().is_some_and(|e| e == JOURNAL || e == GUARD);
        if ours && let Some(run) = path.file_stem() {
            runs.push(run.to_string_lossy().into_owned());
        }
    }
    runs.sort();
    runs.dedup();
    let look = |run: String| {
        let journal = state.join(format!("{run}.{JOURNAL}"));
        let guard = state.join(format!("{run}.{GUARD}"));
        let guarded = is_locked(&guard)?;
        let alive = guarded || is_locked(&journal)?;
        let guardian = fs::read_to_string(&guard).ok().filter(|_| guarded);
        Ok(Left {
            run,
            alive,
            guardian: guardian.and_then(|text| text.trim().parse().ok()),
            journal,
            guard,
        })
    };
    runs.into_iter().map(look).collect()
}

impl Left {
    /// Takes back what a dead run has left, and forgets it.
    ///
    /// # Errors
    /// When the run is alive, or something could not be taken back.
    pub fn heal(&self) -> io::Result<Vec<(Undo, Undone)>> {
        if self.alive {
            let text = format!("run {} goes on", self.run);
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
        }
        let done = carry_out(&self.journal)?;
        match fs::remove_file(&self.guard) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(done),
        }
    }

    /// What it has left to take back.
    ///
    /// # Errors
    /// When its journal cannot be read.
    pub fn outstanding(&self) -> io::Result<Vec<Undo>> {
        match File::open(&self.journal) {
            Ok(file) => Ok(outstanding(file)?.into_iter().map(|(_, it)| it).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Tells the guardian to end the run at once and undo it: nothing else has
    /// to work for that. Returns false where there is no guardian.
    ///
    /// # Errors
    /// When the system refuses.
    #[cfg(linux_worlds)]
    pub fn stop(&self) -> io::Result<bool> {
        use nix::sys::signal::{Signal, kill};
        let Some(pid) = self.guardian.and_then(|pid| i32::try_from(pid).ok()) else {
            return Ok(false);
        };
        kill(nix::unistd::Pid::from_raw(pid), Signal::SIGTERM)?;
        Ok(true)
    }

    /// As where there are guardians: there are none.
    ///
    /// # Errors
    /// None.
    #[cfg(not(linux_worlds))]
    pub fn stop(&self) -> io::Result<bool> {
        Ok(false)
    }

    /// Whether it has gone meanwhile.
    ///
    /// # Errors
    /// When its files cannot be looked at.
    pub fn is_gone(&self) -> io::Result<bool> {
        Ok(!is_locked(&self.guard)? && !is_locked(&self.journal)?)
    }
}

/// Whether the run of a journal goes on: its harness or its guardian is there.
///
/// # Errors
/// When its files cannot be looked at.
pub fn goes_on(journal: &Path) -> io::Result<bool> {
    Ok(is_locked(journal)? || is_locked(&journal.with_extension(GUARD))?)
}

/// Whether somebody holds a lock on a file. One that is not there has none.
fn is_locked(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // Shared, so that two that look do not take each other for a run.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Journal;
    use super::*;

    #[test]
    fn a_run_that_goes_on_is_not_healed_and_a_dead_one_is() {
        let state = tempfile::tempdir().unwrap();
        let made = state.path().join("ridethrough-made");
        let journal = Journal::create(&state.path().join("one.undo")).unwrap();
        let path = made.clone();
        journal.record(Undo::Folder { path }).unwrap();
        fs::create_dir(&made).unwrap();
        let left = left_behind(state.path()).unwrap();
        assert!(left[0].alive && left[0].heal().is_err() && made.exists());
        drop(journal);
        let left = left_behind(state.path()).unwrap();
        assert_eq!((left.len(), left[0].run.as_str()), (1, "one"));
        assert_eq!(left[0].heal().unwrap().len(), 1);
        assert!(!made.exists() && left_behind(state.path()).unwrap().is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_holds_nothing() {
        assert!(
            left_behind(Path::new("/nowhere/at/all"))
                .unwrap()
                .is_empty()
        );
    }
}
