//! What an answer is held against.

use std::sync::Arc;

use super::oracle::Oracle;
use super::recorded::Library;

/// What is known of an answer before it comes.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Every token of it: the reference replica's are a function of the request.
    Reference(Oracle),
    /// Its text: the fault-free pass recorded the answer to prompt `n`.
    Recorded(Arc<Library>, usize),
    /// Only the shape of a good answer.
    Structure,
}

impl From<Oracle> for Expected {
    fn from(oracle: Oracle) -> Self {
        Self::Reference(oracle)
    }
}

/// By what the content of an answer was judged, and how far it came by that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// Tokens that are known one by one.
    #[default]
    Tokens,
    /// A recorded text.
    Recorded {
        /// Characters that were as recorded, from the first on.
        reached: u32,
        /// Characters that the recorded answer has.
        length: u32,
        /// The recorded `finish_reason`.
        finish: Option<String>,
        /// The recorded count of tokens.
        usage: Option<u32>,
    },
    /// The shape of a good answer.
    Structure,
}

/// What the answers to a load are held against.
#[derive(Clone, Debug)]
pub(super) enum Book {
    /// The reference replica's tokens.
    Reference,
    /// What the fault-free pass recorded.
    Recorded(Arc<Library>),
    /// Shapes.
    Structure,
}

impl Book {
    /// What the answer to a request must be. `oracle` knows the reference
    /// replica's, `prompt` is the request's place among the recorded ones.
    pub(super) fn expected(&self, oracle: Oracle, prompt: Option<u32>) -> Expected {
        match (self, prompt) {
            (Self::Reference, _) => Expected::Reference(oracle),
            (Self::Recorded(library), Some(n)) => {
                Expected::Recorded(Arc::clone(library), n as usize)
            }
            (Self::Recorded(_) | Self::Structure, _) => Expected::Structure,
        }
    }
}
