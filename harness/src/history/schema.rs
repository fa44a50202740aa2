//! The tables, and their version.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::HistoryError;

/// The version of the tables.
pub(super) const SCHEMA: i64 = 1;
/// "RIDE": tells a history from other databases.
const APPLICATION: i64 = 0x5249_4445;
/// How long a run waits for others that write.
const PATIENCE: Duration = Duration::from_secs(5);

/// Seeds are text: SQLite has no unsigned numbers of eight bytes. A promise is
/// `n`th in its playbook. The whole summary is in a table of its own, so that
/// lists do not read it.
const TABLES: &str = "
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    added TEXT NOT NULL,
    playbook TEXT NOT NULL,
    file TEXT NOT NULL,
    control TEXT,
    seed TEXT NOT NULL,
    world TEXT NOT NULL,
    version TEXT NOT NULL,
    verdict TEXT NOT NULL,
    exit INTEGER NOT NULL,
    expected TEXT,
    good INTEGER NOT NULL,
    again TEXT,
    duration_s REAL NOT NULL,
    folder TEXT NOT NULL
);
CREATE INDEX run_playbook ON run (playbook, id);
CREATE TABLE promise (
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    verdict TEXT NOT NULL,
    observed TEXT NOT NULL,
    margin REAL,
    unit TEXT,
    PRIMARY KEY (run, n)
) WITHOUT ROWID;
CREATE TABLE summary (
    run INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    json TEXT NOT NULL
);
";

/// Opens a history to be read. Nothing is made.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, HistoryError> {
    if !path.is_file() {
        let path = path.to_path_buf();
        return Err(HistoryError::Missing { path });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fail = |source| failed(path, source);
    let db = Connection::open_with_flags(path, flags).map_err(fail)?;
    db.busy_timeout(PATIENCE).map_err(fail)?;
    match version(&db).map_err(fail)? {
        Version::Ours(SCHEMA) => Ok(db),
        other => Err(refused(path, other)),
    }
}

/// Opens a history to be added to, and makes it where it is not there yet.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, HistoryError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|source| HistoryError::Folder {
            path: folder.to_path_buf(),
            source,
        })?;
    }
    let fail = |source| failed(path, source);
    let mut db = Connection::open(path).map_err(fail)?;
    db.busy_timeout(PATIENCE).map_err(fail)?;
    db.pragma_update(None, "foreign_keys", true).map_err(fail)?;
    if let Version::Ours(SCHEMA) = version(&db).map_err(fail)? {
        return Ok(db);
    }
    // Of several runs that find nothing, one makes the tables.
    let making = db
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(fail)?;
    match version(&making).map_err(fail)? {
        Version::Ours(SCHEMA) => {}
        Version::Empty => {
            making.execute_batch(TABLES).map_err(fail)?;
            let pragma = |name, value| making.pragma_update(None, name, value);
            pragma("application_id", APPLICATION).map_err(fail)?;
            pragma("user_version", SCHEMA).map_err(fail)?;
        }
        other => return Err(refused(path, other)),
    }
    making.commit().map_err(fail)?;
    Ok(db)
}

/// What a database is.
enum Version {
    /// Nothing is in it.
    Empty,
    /// A history with this schema.
    Ours(i64),
    /// Somebody else's.
    Foreign,
}

fn version(db: &Connection) -> rusqlite::Result<Version> {
    let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if pragma("application_id")? == APPLICATION {
        return Ok(Version::Ours(pragma("user_version")?));
    }
    let count = "SELECT count(*) FROM sqlite_schema";
    match db.query_row(count, [], |row| row.get::<_, i64>(0))? {
        0 => Ok(Version::Empty),
        _ => Ok(Version::Foreign),
    }
}

fn refused(path: &Path, version: Version) -> HistoryError {
    let path = path.to_path_buf();
    match version {
        Version::Ours(found) => HistoryError::Newer {
            path,
            found,
            known: SCHEMA,
        },
        Version::Empty => HistoryError::Missing { path },
        Version::Foreign => HistoryError::Foreign { path },
    }
}

pub(super) fn failed(path: &Path, source: rusqlite::Error) -> HistoryError {
    HistoryError::Database {
        path: path.to_path_buf(),
        source,
    }
}
