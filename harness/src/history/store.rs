//! Runs go in, lists come out.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::Serialize;

use super::error::HistoryError;
use super::schema::{failed, open_to_read, open_to_write};
use crate::report::Told;

/// A history on the disk.
pub struct History {
    path: PathBuf,
    db: Connection,
}

/// What a run adds beyond what reports tell of it.
#[derive(Clone, Debug)]
pub struct Kept<'a> {
    /// The run, judged.
    pub told: &'a Told,
    /// The playbook's file.
    pub file: &'a Path,
    /// The run's folder.
    pub folder: &'a Path,
    /// Now, RFC 3339: a virtual run's own time starts at the epoch.
    pub added: String,
}

/// A run of the past.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its number in the history.
    pub id: i64,
    /// The run's id.
    pub run: String,
    /// When it was added, RFC 3339.
    pub added: String,
    /// The playbook's name.
    pub playbook: String,
    /// The playbook's file.
    pub file: String,
    /// The control that it was.
    pub control: Option<String>,
    /// Its seed.
    pub seed: u64,
    /// Its world.
    pub world: String,
    /// The version of ridethrough.
    pub version: String,
    /// Its verdict.
    pub verdict: String,
    /// Its exit code.
    pub exit: u8,
    /// What it had to come to, where that was not simply a pass.
    pub expected: Option<String>,
    /// It came to what it had to.
    pub good: bool,
    /// What it came to when it was run again.
    pub again: Option<String>,
    /// Run time in seconds.
    pub duration_s: f64,
    /// Its folder.
    pub folder: String,
    /// Its promises, in their order.
    pub promises: Vec<Promise>,
}

/// A promise of a run of the past.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Promise {
    /// Its kind.
    pub kind: String,
    /// The promise in words.
    pub text: String,
    /// What it came to.
    pub verdict: String,
    /// What was seen.
    pub observed: String,
    /// Room left.
    pub margin: Option<f64>,
    /// The margin's unit.
    pub unit: Option<String>,
}

/// What a list needs of a run, in the order of [`Entry`].
const COLUMNS: &str = "id, run, added, playbook, file, control, seed, world, version, verdict, \
                       exit, expected, good, again, duration_s, folder";

/// Whether a run is of the playbook that was asked for, if one was.
const OF: &str = "?1 IS NULL OR playbook = ?1 OR file = ?1 OR file LIKE '%/' || ?2 ESCAPE '\\'";

impl History {
    /// Opens one to be read.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        Ok(Self {
            path: path.to_path_buf(),
            db: open_to_read(path)?,
        })
    }

    /// Opens one to be added to; it is made where there is none.
    pub fn open_or_make(path: &Path) -> Result<Self, HistoryError> {
        Ok(Self {
            path: path.to_path_buf(),
            db: open_to_write(path)?,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn fail(&self, source: rusqlite::Error) -> HistoryError {
        failed(&self.path, source)
    }

    /// Adds a run, whole or not at all, and says its number.
    pub fn add(&mut self, kept: &Kept<'_>) -> Result<i64, HistoryError> {
        let path = self.path.clone();
        self.insert(kept).map_err(|source| failed(&path, source))
    }

    fn insert(&mut self, kept: &Kept<'_>) -> rusqlite::Result<i64> {
        let (told, summary) = (kept.told, &kept.told.summary);
        let whole = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        whole.execute(
            "INSERT INTO run (run, added, playbook, file, control, seed, world, version, verdict, \
             exit, expected, good, again, duration_s, folder) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                summary.run,
                kept.added,
                summary.playbook,
                kept.file.to_string_lossy(),
                told.control,
                summary.seed.to_string(),
                summary.world,
                env!("CARGO_PKG_VERSION"),
                summary.verdict.to_string(),
                summary.exit,
                told.expected.as_ref().map(ToString::to_string),
                told.good().is_ok(),
                summary.again.map(|again| again.sentence()),
                summary.duration_s,
                kept.folder.to_string_lossy(),
            ],
        )?;
        let id = whole.last_insert_rowid();
        for (n, judged) in (0_i64..).zip(&summary.assertions) {
            whole.execute(
                "INSERT INTO promise (run, n, kind, text, verdict, observed, margin, unit) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    id,
                    n,
                    judged.kind,
                    judged.text,
                    judged.verdict.to_string(),
                    judged.observed,
                    judged.margin.as_ref().map(|m| m.value),
                    judged.margin.as_ref().map(|m| &m.unit),
                ],
            )?;
        }
        let json = serde_json::to_string(summary).unwrap_or_default();
        let whole_summary = "INSERT INTO summary (run, json) VALUES (?1, ?2)";
        whole.execute(whole_summary, params![id, json])?;
        whole.commit()?;
        Ok(id)
    }

    /// The last runs, the oldest first; of one playbook, by its name, its file or
    /// its file's name.
    pub fn last(&self, count: usize, playbook: Option<&str>) -> Result<Vec<Entry>, HistoryError> {
        let select = format!("SELECT {COLUMNS} FROM run WHERE {OF} ORDER BY id DESC LIMIT ?3");
        self.read(&select, count, playbook)
    }

    /// The last runs of each playbook, control and world, the oldest first. Those
    /// that had to fail have no margin that anybody keeps, and are left out.
    pub fn last_of_each(
        &self,
        count: usize,
        playbook: Option<&str>,
    ) -> Result<Vec<Entry>, HistoryError> {
        let select = format!(
            "SELECT {COLUMNS} FROM (SELECT *, row_number() OVER (PARTITION BY playbook, control, \
             world ORDER BY id DESC) AS place FROM run WHERE expected IS NULL AND ({OF})) \
             WHERE place <= ?3 ORDER BY id DESC"
        );
        self.read(&select, count, playbook)
    }

    fn read(
        &self,
        select: &str,
        count: usize,
        playbook: Option<&str>,
    ) -> Result<Vec<Entry>, HistoryError> {
        let like = playbook.map(literally);
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let read = || -> rusqlite::Result<Vec<Entry>> {
            let mut runs = self.db.prepare(select)?;
            let rows = runs.query_map(params![playbook, like, count], entry)?;
            let mut all: Vec<Entry> = rows.collect::<Result<_, _>>()?;
            all.reverse();
            let mut promises = self.db.prepare(
                "SELECT kind, text, verdict, observed, margin, unit FROM promise \
                 WHERE run = ?1 ORDER BY n",
            )?;
            for one in &mut all {
                let rows = promises.query_map([one.id], promise)?;
                one.promises = rows.collect::<Result<_, _>>()?;
            }
            Ok(all)
        };
        read().map_err(|source| self.fail(source))
    }

    /// How many runs are in it.
    pub fn len(&self) -> Result<usize, HistoryError> {
        let count = "SELECT count(*) FROM run";
        let count = self.db.query_row(count, [], |row| row.get::<_, i64>(0));
        let count = count.map_err(|source| self.fail(source))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> Result<bool, HistoryError> {
        Ok(self.len()? == 0)
    }

    /// The names of its playbooks.
    pub fn playbooks(&self) -> Result<Vec<String>, HistoryError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let names = "SELECT DISTINCT playbook FROM run ORDER BY playbook";
            let mut names = self.db.prepare(names)?;
            names.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|source| self.fail(source))
    }

    /// The `summary.json` of a run, by its number or by its id (the last of that
    /// id: virtual runs of one seed share it).
    pub fn summary(&self, run: &str) -> Result<Option<String>, HistoryError> {
        let by_number = "SELECT json FROM summary WHERE run = ?1";
        let by_id = "SELECT json FROM summary JOIN run ON run.id = summary.run \
                     WHERE run.run = ?1 ORDER BY run.id DESC LIMIT 1";
        let found = match run.trim_start_matches('#').parse::<i64>() {
            Ok(number) => self.db.query_row(by_number, [number], |row| row.get(0)),
            Err(_) => self.db.query_row(by_id, [run], |row| row.get(0)),
        };
        found.optional().map_err(|source| self.fail(source))
    }
}

/// A file's name as LIKE takes it literally, with or without its ending.
fn literally(name: &str) -> String {
    let escaped = name.replace('\\', "\\\\").replace('%', "\\%");
    let escaped = escaped.replace('_', "\\_");
    if name.ends_with(".yaml") || name.ends_with(".yml") {
        escaped
    } else {
        escaped + ".yaml"
    }
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    let seed: String = row.get(6)?;
    Ok(Entry {
        id: row.get(0)?,
        run: row.get(1)?,
        added: row.get(2)?,
        playbook: row.get(3)?,
        file: row.get(4)?,
        control: row.get(5)?,
        seed: seed.parse().unwrap_or(0),
        world: row.get(7)?,
        version: row.get(8)?,
        verdict: row.get(9)?,
        exit: row.get(10)?,
        expected: row.get(11)?,
        good: row.get(12)?,
        again: row.get(13)?,
        duration_s: row.get(14)?,
        folder: row.get(15)?,
        promises: Vec::new(),
    })
}

fn promise(row: &rusqlite::Row<'_>) -> rusqlite::Result<Promise> {
    Ok(Promise {
        kind: row.get(0)?,
        text: row.get(1)?,
        verdict: row.get(2)?,
        observed: row.get(3)?,
        margin: row.get(4)?,
        unit: row.get(5)?,
    })
}
