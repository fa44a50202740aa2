//! The end of a log.

use std::path::Path;

/// How much of a log is shown when a service ends.
const TAIL_BYTES: usize = 4096;
const TAIL_LINES: usize = 12;

/// The last lines of a log; empty where it cannot be read.
pub(super) fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let from = bytes.len().saturating_sub(TAIL_BYTES);
    let text = String::from_utf8_lossy(&bytes[from..]);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
