//! Faults of the volumes of services.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::disk::DiskOp;
use ridethrough_targets::units::{PerUnit, Span};

use super::{FaultKind, NodeTarget};

/// The volumes of services, on the machines that a target names: those of every
/// service that has one, or of the one that is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Volumes {
    /// Which machines; `{service: NAME}` means the volumes of that service
    /// alone.
    pub target: NodeTarget,
}

/// Volumes that are slow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskSlow {
    /// Which machines; `{service: NAME}` means the volumes of that service
    /// alone.
    pub target: NodeTarget,
    /// Added to every read, write and flush.
    pub by: Span,
}

/// Volumes that fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IoError {
    /// Which machines; `{service: NAME}` means the volumes of that service
    /// alone.
    pub target: NodeTarget,
    /// What fails.
    #[serde(default)]
    pub on: DiskOp,
    /// The share of operations that fails, independently of each other.
    #[serde(default = "every")]
    pub probability: PerUnit,
}

fn every() -> PerUnit {
    PerUnit(1.0)
}

impl FaultKind {
    /// Whose volumes it hits; nothing where it is no fault of volumes.
    pub fn volumes(&self) -> Option<&NodeTarget> {
        match self {
            Self::DiskSlow(it) => Some(&it.target),
            Self::IoError(it) => Some(&it.target),
            Self::DiskFull(it) | Self::TornWrites(it) | Self::ForgetsFsync(it) => Some(&it.target),
            _ => None,
        }
    }

    /// A real file system on a real device cannot have it: only a drive of our
    /// own.
    pub fn needs_own_drive(&self) -> bool {
        self.volumes().is_some() && !matches!(self, Self::DiskFull(_))
    }
}
