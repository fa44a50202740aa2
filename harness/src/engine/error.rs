//! Why a run could not be carried out.

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
    /// The record could not be written.
    #[error("could not write the record: {0}")]
    Record(#[from] std::io::Error),
}
