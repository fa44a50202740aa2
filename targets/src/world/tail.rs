//! The end of a log.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// How much of a log is shown when a service ends.
const TAIL_BYTES: u64 = 4096;
const TAIL_LINES: usize = 12;

/// The last lines of a log.
pub(super) fn tail(log: &Path) -> String {
    let bytes = last_bytes(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// The end of a file that may be as long as a service likes.
fn last_bytes(log: &Path) -> io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    // A service may still be writing.
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
