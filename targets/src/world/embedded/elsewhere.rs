//! The embedded world where there is no Linux: it is not to be had, and says
//! so.

mod config;

use std::process::ExitCode;
use std::sync::Arc;

use crate::service::Registry;

use super::{Capability, World, WorldError};

pub use config::EmbeddedConfig;

/// Whether embedded worlds are part of this build.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub fn supported() -> Result<(), WorldError> {
    Err(no_linux())
}

/// Whether an embedded world can be opened here.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub fn available() -> Result<(), WorldError> {
    Err(no_linux())
}

/// Whether the memory of a node can be bounded here.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub fn bounds_memory() -> Result<(), WorldError> {
    Err(no_linux())
}

/// Opens no world.
///
/// # Errors
/// Always [`WorldError::Missing`].
pub async fn open(_: EmbeddedConfig) -> Result<Arc<dyn World>, WorldError> {
    Err(no_linux())
}

/// What this system offers to an embedded world.
pub fn capabilities() -> Vec<Capability> {
    vec![Capability {
        name: "embedded world",
        found: false,
        detail: "not on this system".into(),
        needed_for: "`--world embedded`",
        remedy: "run on Linux".into(),
    }]
}

/// The first argument of a child of a world.
pub const MARKER: &str = "__ridethrough";

/// No process here is the child of a world.
pub fn run_child_if_asked(_: &Registry) -> Option<ExitCode> {
    None
}

/// Whether this process runs as root: nothing here depends on it.
pub fn as_root() -> bool {
    false
}

fn no_linux() -> WorldError {
    WorldError::Missing {
        what: "world `embedded` needs Linux".into(),
        remedy: "world `virtual` works here".into(),
    }
}

/// No service runs a program here.
pub fn has_program(_: &str) -> bool {
    false
}
