//! The pages.

use std::path::Path;

use serde_json::{Map, Value};

use super::entry::Types;
use super::playbooks;
use crate::playbook::editor_schema;

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its file.
    pub name: &'static str,
    /// Its Markdown.
    pub text: String,
}

/// What every page begins with, beside its title.
const MADE: &str = "<!-- Made by `ridethrough reference`; changes belong into the types. -->";

/// Every page that follows from the types and from the playbooks below a folder.
/// Commands are known elsewhere.
pub fn pages(shipped: &Path) -> Vec<Page> {
    let schema = editor_schema();
    let none = Map::new();
    let defs = schema.get("$defs").and_then(Value::as_object);
    let types = Types::of(defs.unwrap_or(&none));
    let top = super::types::fields(&schema);
    vec![
        page(
            "faults.md",
            "Faults",
            "What a playbook can break, under `inject:`. How each is shown to be there is in \
             the record of every run, as its witness.",
            types.kinds("FaultKind"),
        ),
        page(
            "assertions.md",
            "Assertions",
            "What a playbook can promise, under `assert:`.",
            types.kinds("Assertion"),
        ),
        page(
            "types.md",
            "Keys of a playbook",
            "What stands at the top of a playbook, and every type beneath it.",
            format!("\n{top}{}", types.others(&["FaultKind", "Assertion"])),
        ),
        page(
            "playbooks.md",
            "Shipped playbooks",
            "What each is for, what it breaks and what it promises. Every control is a \
             changed copy that must fail on the promise that it names.",
            playbooks::entries(shipped),
        ),
    ]
}

/// A page from its parts.
fn page(name: &'static str, title: &str, about: &str, body: String) -> Page {
    let text = format!("# {title}\n\n{MADE}\n\n{about}\n{body}");
    Page { name, text }
}
