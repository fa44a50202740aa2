//! Why a history cannot be used. None of it ever costs a run.

use std::path::PathBuf;

/// Why a history cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Nothing is there.
    #[error("no history at {path}; `ridethrough run` makes one")]
    Missing {
        /// Where.
        path: PathBuf,
    },
    /// Written by a newer ridethrough.
    #[error("the history {path} has schema {found}; this ridethrough reads {known}")]
    Newer {
        /// Where.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// What can be read.
        known: i64,
    },
    /// A database of something else.
    #[error("{path} is a database, but no history of ridethrough")]
    Foreign {
        /// Where.
        path: PathBuf,
    },
    /// Its folder cannot be made.
    #[error("{path}: {source}")]
    Folder {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is locked, damaged, or cannot be written.
    #[error("the history {path}: {source}")]
    Database {
        /// Where.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}
