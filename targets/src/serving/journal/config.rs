//! What a journal is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a journal flushes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FsyncPolicy {
    /// Before each acknowledgement: the file, and its folder when it is made.
    #[default]
    Always,
    /// Never, as a journal does whose flushes were switched off to be faster
    /// (known-bad).
    Never,
}

/// A journal's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JournalConfig {
    /// The port it listens on.
    pub port: u16,
    /// When it flushes.
    pub fsync: FsyncPolicy,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            port: 7000,
            fsync: FsyncPolicy::Always,
        }
    }
}
