//! Why there is no bundle, or none that holds.

use std::io;
use std::path::PathBuf;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not there in the form that it has to have.
    #[error("{path} is no bundle: {why}")]
    NotOne {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is a bundle, and something in it is not what was sealed.
    #[error("{0}")]
    Broken(String),
    /// A key cannot be used.
    #[error("{0}")]
    Key(String),
}

impl BundleError {
    pub(super) fn io(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }
}
