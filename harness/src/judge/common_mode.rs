//! No single component drops every cord of a rack: known before the run.

use super::finding::Finding;

/// A playbook that breaks this promise has no plan, and so no run.
pub(crate) fn judge() -> Finding {
    Finding::held(
        true,
        "none that is not allowed (checked in the plan)".into(),
        "no single component drops every cord".into(),
    )
}
