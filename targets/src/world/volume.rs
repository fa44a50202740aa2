//! The volumes of services.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Bytes;

/// What a volume is made of in a world that has a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backing {
    /// `ext4` as root, unless a fault of the playbook needs FUSE; else `fuse`.
    #[default]
    Auto,
    /// An ext4 file system on a loop device: needs root, and can be full, but
    /// not slow, torn, failing or forgetful. What it keeps over a cut is what
    /// ext4 keeps: it commits its journal every 5 s and writes back after 30 s,
    /// and may keep the length of a file without its bytes, which are zeros
    /// then.
    Ext4,
    /// A file system of the harness's own over FUSE, with exact crash semantics:
    /// can do everything.
    Fuse,
}

/// The volume of a service on one machine. It outlives the machine's boots.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeSpec {
    /// How much it holds.
    #[serde(default = "size")]
    pub size: Bytes,
    /// What it is made of in the embedded world.
    #[serde(default)]
    pub backing: Backing,
    /// Whether every power cut tears what was not flushed at sector granularity
    /// (512 bytes) instead of dropping it cleanly.
    #[serde(default)]
    pub torn: bool,
}

fn size() -> Bytes {
    Bytes(64.0 * 1024.0 * 1024.0)
}

impl Default for VolumeSpec {
    fn default() -> Self {
        Self {
            size: size(),
            backing: Backing::Auto,
            torn: false,
        }
    }
}

/// What a cut of power took from a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeLoss {
    /// The service whose volume it is.
    pub service: String,
    /// Bytes that were written and had not reached the medium, in sectors of
    /// 512; nothing where the file system does not tell.
    pub unsynced_bytes: Option<u64>,
    /// Names that were made, changed or removed and had not; nothing where the
    /// file system does not tell.
    pub unsynced_names: Option<u64>,
}
