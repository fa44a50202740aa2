//! The docker world where there is no Linux: it is not to be had, and says so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::service::Program;

use super::embedded::EmbeddedConfig;
use super::{World, WorldError};

/// Carried by everything that is made in an engine.
pub const LABEL: &str = "ridethrough";

/// The containers of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// The run.
    pub run: String,
    /// Its journal.
    pub journal: Option<PathBuf>,
    /// Where their engine listens.
    pub engine: PathBuf,
    /// The names of its containers.
    pub containers: Vec<String>,
}

/// Whether a docker world can be opened here.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub fn available() -> Result<(), WorldError> {
    Err(no_linux())
}

/// Opens no world.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub async fn open(_: EmbeddedConfig) -> Result<Arc<dyn World>, WorldError> {
    Err(no_linux())
}

/// Says how far it is.
pub type Tell<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Fetches nothing.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub async fn fetch(_: impl IntoIterator<Item = &Program>, _: Tell<'_>) -> Result<(), WorldError> {
    Err(no_linux())
}

/// Nothing was ever made here.
///
/// # Errors
/// None.
pub fn remains() -> Result<Vec<Remains>, WorldError> {
    Ok(Vec::new())
}

/// Removes nothing.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub fn remove_run(_: &Path, _: &str) -> Result<usize, WorldError> {
    Err(no_linux())
}

fn no_linux() -> WorldError {
    WorldError::Missing {
        what: "world `docker` needs Linux".into(),
        remedy: "world `virtual` works here".into(),
    }
}
