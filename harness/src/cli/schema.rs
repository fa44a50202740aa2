//! `ridethrough schema`: what editors complete playbooks from.

use crate::playbook::editor_schema;

/// The JSON schema of a playbook file, ending in a newline.
pub(super) fn schema_json() -> String {
    // A value that serde_json made can always be written.
    let mut text = serde_json::to_string_pretty(&editor_schema()).unwrap_or_default();
    text.push('\n');
    text
}
