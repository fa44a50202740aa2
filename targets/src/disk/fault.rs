//! How a drive fails.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{PerUnit, Span};

/// What a drive is asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiskOp {
    /// Any of them.
    #[default]
    All,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Flushing.
    Fsync,
}

impl DiskOp {
    /// Whether this is meant where `other` is done.
    pub fn covers(self, other: Self) -> bool {
        self == Self::All || self == other
    }
}

/// One way in which a drive fails.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskFault {
    /// Every read, write and flush takes so much longer.
    Slow {
        /// How much.
        by: Span,
    },
    /// No block is left: what needs a new one is `ENOSPC`.
    Full,
    /// Operations fail with `EIO`, independently of each other.
    Errors {
        /// Which ones.
        on: DiskOp,
        /// The share of them that fails.
        probability: PerUnit,
    },
    /// A power cut leaves some sectors of what was not flushed, and not others.
    Torn,
    /// A flush is acknowledged, and nothing reaches the medium.
    ForgetsFsync,
}

/// The number of a fault of a drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DiskFaultId(pub u64);
