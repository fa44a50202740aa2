//! Whether an embedded world can be opened here.

use super::probe;
use crate::world::WorldError;

/// Tries, in a child, everything that an embedded world needs.
///
/// # Errors
/// [`WorldError::Missing`] names the first thing that is missing and the way to
/// get it.
pub fn available() -> Result<(), WorldError> {
    probe::means().map(drop)
}

/// Whether embedded worlds are part of this build.
///
/// # Errors
/// Never: this is Linux.
pub fn supported() -> Result<(), WorldError> {
    Ok(())
}

/// Whether this process runs as root.
pub fn as_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Whether the memory of a node can be bounded here.
///
/// # Errors
/// [`WorldError::Missing`] where it cannot, with the way to get it.
pub fn bounds_memory() -> Result<(), WorldError> {
    super::cgroup::Memory::find().map(drop)
}

/// Whether a service of this machine could run a program, by name or path.
pub fn has_program(program: &str) -> bool {
    super::procs::find_program(program).is_some()
}
