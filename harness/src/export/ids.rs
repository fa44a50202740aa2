//! Ids that follow from the run, so that an export is the same again.

use sha2::{Digest, Sha256};

use crate::bundle::hex;

/// The trace of one request, one fault, or a run's own course.
pub(super) fn trace(run: &str, what: &str) -> String {
    id(&["trace", run, what], 16)
}

/// A span in it.
pub(super) fn span(run: &str, what: &str, which: u64) -> String {
    id(&["span", run, what, &which.to_string()], 8)
}

fn id(parts: &[&str], bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let id = &digest[..bytes];
    // All zeros mean no id; nobody will ever see this happen.
    if id.iter().all(|byte| *byte == 0) {
        return hex(&vec![1; bytes]);
    }
    hex(id)
}
