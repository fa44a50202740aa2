//! What a machine may or may not offer.

use serde::Serialize;

/// One thing that a machine may or may not offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// Its name.
    pub name: &'static str,
    /// Whether it is there, found out by trying.
    pub found: bool,
    /// What was seen.
    pub detail: String,
    /// What cannot be done without it.
    pub needed_for: &'static str,
    /// How to get it; empty when it is there.
    pub remedy: String,
}
