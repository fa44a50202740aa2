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
