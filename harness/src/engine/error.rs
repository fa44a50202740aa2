//! Why a run could not be carried out.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use ridethrough_targets::world::WorldError;

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The world could not be built or failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The stack did not come up.
    #[error("the stack did not come up: {0}")]
    NotReady(String),
    /// The stack runs and cannot be used.
    #[error(
        "the stack did not come up: {what}; see {}, or give it longer with `ready_within` of the \
        stack",
        shown(logs)
    )]
    NotHealthy {
        /// What was missing, and for how long.
        what: String,
        /// The logs of the nodes that it was missing on.
        logs: Vec<PathBuf>,
    },
    /// The record could not be written.
    #[error("could not write the record {path}: {source}{}", way_out(source))]
    Record {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl EngineError {
    /// The error for the record, which is the same in whatever folder it is.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::NotHealthy { what, .. } => format!("the stack did not come up: {what}"),
            Self::Record { source, .. } => format!("could not write the record: {source}"),
            other => other.to_string(),
        }
    }
}

fn shown(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
    paths.join(", ")
}

/// What to do about a run folder that cannot be written, as the end of a
/// sentence; empty where another folder would not help.
pub(crate) fn way_out(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; free some space there, or name a folder elsewhere with `--out`"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; name another folder with `--out`"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_names_the_file_and_the_way_out() {
        let error = EngineError::Record {
            path: "runs/one/record.jsonl".into(),
            source: ErrorKind::StorageFull.into(),
        };
        let text = error.to_string();
        assert!(text.contains("runs/one/record.jsonl"), "{text}");
        assert!(text.contains("free some space") && text.contains("`--out`"));
        assert!(!error.reason().contains("runs/one"));
    }

    #[test]
    fn another_folder_is_no_help_where_the_folder_is_fine() {
        assert_eq!(way_out(&io::Error::other("the thread died")), "");
    }
}
