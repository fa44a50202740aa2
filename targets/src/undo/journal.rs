//! The harness's end of the journal.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::apply::{Undone, undo};
use super::record::{Line, Undo, outstanding};
use super::steps::step;

/// Names a record of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// A run's journal of what it changes on the host.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Of what is known to be whole.
    length: u64,
    last: u64,
    left: Vec<(u64, Undo)>,
}

impl Journal {
    /// Begins a journal in a file that must not be there yet. It is locked for
    /// as long as this lives, so that nobody undoes a run that goes on.
    ///
    /// # Errors
    /// When the file cannot be made, locked or synced.
    pub fn create(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = loop {
            let mut options = OpenOptions::new();
            let file = options.append(true).create_new(true).open(path)?;
            file.lock()?;
            // Whoever heals may have taken it for a dead run's before it was
            // locked, and removed it.
            if path.exists() {
                break file;
            }
        };
        file.sync_all()?;
        sync_folder(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            state: Mutex::new(State {
                file,
                length: 0,
                last: 0,
                left: Vec::new(),
            }),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down how to take back a change that is about to be made. When
    /// this returns the record is on the disk, and the change may be made.
    ///
    /// # Errors
    /// When it is not on the disk. The change must then not be made.
    pub fn record(&self, undo: Undo) -> io::Result<Ticket> {
        let mut state = self.lock();
        state.last += 1;
        let ticket = state.last;
        step("before a record");
        let line = Line::Do {
            ticket,
            undo: undo.clone(),
        };
        state.write(&line)?;
        state.left.push((ticket, undo));
        step("recorded, before the change");
        Ok(Ticket(ticket))
    }

    /// A change that was recorded has been made. Says nothing to the journal;
    /// it is where a test can end the harness.
    pub fn changed(&self) {
        step("changed");
    }

    /// Takes back what a record says and marks it.
    ///
    /// # Errors
    /// When it could not be taken back. It is then still in the journal, for
    /// the guardian.
    pub fn take_back(&self, ticket: Ticket) -> io::Result<Undone> {
        let mut state = self.lock();
        let Some(at) = state.left.iter().position(|(t, _)| *t == ticket.0) else {
            return Ok(Undone::WasGone);
        };
        step("before taking back");
        let undone = undo(&state.left[at].1)?;
        step("taken back, not yet marked");
        state.write(&Line::Done { ticket: ticket.0 })?;
        state.left.remove(at);
        step("marked");
        Ok(undone)
    }

    /// Takes back all that is left, newest first, and removes the journal.
    ///
    /// # Errors
    /// The first thing that could not be taken back. The journal stays.
    pub fn close(&self) -> io::Result<()> {
        loop {
            let newest = self.lock().left.last().map(|(ticket, _)| Ticket(*ticket));
            match newest {
                Some(ticket) => self.take_back(ticket)?,
                None => break,
            };
        }
        step("before the journal goes");
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => sync_folder(&self.path),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line).map_err(io::Error::other)?;
        text.push(b'\n');
        let written = self
            .file
            .write_all(&text)
            .and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.length += text.len() as u64,
            // Half a line in the middle would make the rest unreadable.
            Err(_) => self.file.set_len(self.length)?,
        }
        written
    }
}

/// Carries out all that a journal has left, newest first, and removes it.
/// Returns what was taken back.
///
/// # Errors
/// When its run goes on, or the first thing that could not be taken back or
/// read. The journal stays.
pub(super) fn carry_out(path: &Path) -> io::Result<Vec<(Undo, Undone)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // Held to the end: nobody adds to it, and nobody else carries it out.
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let text = format!("{} is in use", path.display());
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let left = outstanding(&file)?;
    let mut done = Vec::new();
    let mut failed = None;
    // One thing that cannot be taken back keeps no other from it.
    for (_, record) in left.into_iter().rev() {
        match undo(&record) {
            Ok(undone) => done.push((record, undone)),
            Err(error) => {
                failed.get_or_insert(io::Error::new(error.kind(), format!("{record}: {error}")));
            }
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => {
            sync_folder(path)?;
            Ok(done)
        }
    }
}

/// A file's being there is as lasting as its folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &Path) -> Undo {
        let path = path.to_path_buf();
        Undo::Folder { path }
    }

    #[test]
    fn what_was_recorded_is_taken_back_newest_first() {
        let place = tempfile::tempdir().unwrap();
        let journal = Journal::create(&place.path().join("one.undo")).unwrap();
        let outer = place.path().join("ridethrough-outer");
        let inner = outer.join("ridethrough-inner");
        journal.record(folder(&outer)).unwrap();
        fs::create_dir(&outer).unwrap();
        let ticket = journal.record(folder(&inner)).unwrap();
        fs::create_dir(&inner).unwrap();
        assert_eq!(journal.take_back(ticket).unwrap(), Undone::TakenBack);
        assert_eq!(journal.take_back(ticket).unwrap(), Undone::WasGone);
        assert!(outer.exists() && !inner.exists());
        journal.close().unwrap();
        assert!(!outer.exists() && !journal.path().exists());
    }

    #[test]
    fn a_journal_without_its_harness_can_be_carried_out_twice() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("one.undo");
        let made = place.path().join("ridethrough-made");
        let never = place.path().join("ridethrough-never");
        let journal = Journal::create(&path).unwrap();
        journal.record(folder(&made)).unwrap();
        fs::create_dir(&made).unwrap();
        journal.record(folder(&never)).unwrap();
        drop(journal);
        let copy = fs::read(&path).unwrap();
        let done = carry_out(&path).unwrap();
        let found: Vec<_> = done.iter().map(|(_, undone)| *undone).collect();
        assert_eq!(found, [Undone::WasGone, Undone::TakenBack]);
        fs::write(&path, copy).unwrap();
        let again = carry_out(&path).unwrap();
        assert!(again.iter().all(|(_, undone)| *undone == Undone::WasGone));
        assert!(carry_out(&path).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_taken_back_keeps_the_journal() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("one.undo");
        let journal = Journal::create(&path).unwrap();
        let foreign = place.path().join("home");
        fs::create_dir(&foreign).unwrap();
        journal.record(folder(&foreign)).unwrap();
        drop(journal);
        let error = carry_out(&path).unwrap_err().to_string();
        assert!(error.contains("home"), "{error}");
        assert!(path.exists() && foreign.exists());
    }
}
