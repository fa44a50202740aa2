//! How long runs are kept: folders beyond a bound go, records of older runs are
//! compressed. The history keeps what they came to.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::found::{Found, Other, look};
use super::pack::{pack, remove, size};
use crate::record::PLAIN;

const DAY_S: i64 = 24 * 3_600;

/// What is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retention {
    /// So many runs, the newest.
    pub keep: Option<usize>,
    /// Runs of so many days.
    pub days: Option<u32>,
    /// So many of the newest keep a plain record; those of the others are
    /// compressed.
    pub plain: usize,
    /// The last failing run of each playbook and world may go too.
    pub failing_too: bool,
    /// Nothing is done, only told.
    pub dry_run: bool,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Folders that are gone.
    pub removed: Vec<PathBuf>,
    /// Records that were compressed.
    pub compressed: Vec<PathBuf>,
    /// Bytes that are free now.
    pub freed: u64,
    /// Runs that are there.
    pub kept: usize,
    /// Runs beyond the bound that stay because nothing failed after them.
    pub failing: Vec<PathBuf>,
    /// What looks like a run and was left alone, with the reason.
    pub left: Vec<(PathBuf, String)>,
    /// What could not be done, with the reason.
    pub failed: Vec<(PathBuf, io::Error)>,
}

/// Applies a retention to a folder of run folders.
pub fn prune(root: &Path, retention: Retention, now: Timestamp) -> io::Result<Pruned> {
    let mut done = Pruned::default();
    let mut runs = Vec::new();
    for entry in fs::read_dir(root)? {
        let folder = entry?.path();
        match look(&folder, now) {
            Ok(found) => runs.push(found),
            Err(Other::Nothing) => {}
            Err(Other::Because(why)) => done.left.push((folder, why)),
        }
    }
    // The newest first; equal times by name, so that the order is one.
    runs.sort_by(|a, b| (b.written, &b.folder).cmp(&(a.written, &a.folder)));
    let last_failing = last_failing(&runs);
    for (place, run) in runs.iter().enumerate() {
        let beyond = beyond(retention, place, run, now);
        if beyond && (retention.failing_too || !last_failing.contains(&run.folder)) {
            done.remove(run, retention.dry_run);
            continue;
        }
        if beyond {
            done.failing.push(run.folder.clone());
        }
        done.kept += 1;
        if place >= retention.plain && run.record.ends_with(PLAIN) {
            done.compress(run, retention.dry_run);
        }
    }
    Ok(done)
}

fn beyond(retention: Retention, place: usize, run: &Found, now: Timestamp) -> bool {
    let age_s = now.as_second() - run.written.as_second();
    let many = retention.keep.is_some_and(|keep| place >= keep);
    let old = retention
        .days
        .is_some_and(|days| age_s > i64::from(days) * DAY_S);
    many || old
}

/// Of each playbook and world, the newest run that did not pass.
fn last_failing(newest_first: &[Found]) -> BTreeSet<PathBuf> {
    let mut seen = BTreeSet::new();
    let failing = newest_first.iter().filter(|run| !run.passed);
    let last = failing.filter(|run| seen.insert(run.of.clone()));
    last.map(|run| run.folder.clone()).collect()
}

impl Pruned {
    fn remove(&mut self, run: &Found, dry_run: bool) {
        let gone = match dry_run {
            true => Ok(size(&run.folder)),
            false => remove(&run.folder, &run.record),
        };
        match gone {
            Ok(freed) => {
                self.freed += freed;
                self.removed.push(run.folder.clone());
            }
            Err(error) => self.failed.push((run.folder.clone(), error)),
        }
    }

    fn compress(&mut self, run: &Found, dry_run: bool) {
        let packed = match dry_run {
            true => Ok((0, 0)),
            false => pack(&run.record),
        };
        match packed {
            Ok((before, after)) => {
                self.freed += before.saturating_sub(after);
                self.compressed.push(run.folder.clone());
            }
            Err(error) => self.failed.push((run.folder.clone(), error)),
        }
    }
}
