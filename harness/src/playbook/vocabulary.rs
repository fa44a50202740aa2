//! What a playbook may say, read from the schema.

use std::path::Path;

use super::include::read;
use super::parse::parse;
use super::schema::{SCHEMA, Shape};
use super::tree::Node;

/// A kind of fault or assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// As written.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The keys it takes; an optional one ends in `?`.
    pub keys: Vec<String>,
}

/// Every kind of fault.
pub fn faults() -> Vec<Described> {
    kinds("FaultKind")
}

/// Every kind of assertion.
pub fn assertions() -> Vec<Described> {
    kinds("Assertion")
}

fn kinds(name: &'static str) -> Vec<Described> {
    let schema = SCHEMA.get("$defs").and_then(|defs| defs.get(name));
    let shape = schema.map(|schema| Shape {
        schema,
        name: Some(name),
    });
    let variants = shape.and_then(|shape| shape.variants()).unwrap_or_default();
    variants
        .iter()
        .map(|variant| Described {
            name: variant.name.to_string(),
            description: words(variant.description),
            keys: variant
                .content
                .map(|s| keys(Shape::of(s)))
                .unwrap_or_default(),
        })
        .collect()
}

fn keys(shape: Shape<'static>) -> Vec<String> {
    if let Some(variants) = shape.variants() {
        let one_of: Vec<_> = variants.iter().map(|v| v.name).collect();
        return vec![one_of.join(" | ")];
    }
    let required = shape.schema.get("required").and_then(|r| r.as_array());
    let needed = |key: &str| required.is_some_and(|all| all.iter().any(|r| r == key));
    shape
        .properties()
        .map(|key| {
            if needed(key) {
                key.to_string()
            } else {
                format!("{key}?")
            }
        })
        .collect()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Name and reason of a file that means to be a playbook, even a faulty one.
pub fn playbook_head(path: &Path) -> Option<(String, String)> {
    let text = read(path).ok()?;
    let tree = parse(&text, 0, &mut Vec::new())?;
    tree.get("assert")?;
    let of = |key: &str| tree.get(key).and_then(Node::text).map(words);
    Some((of("name")?, of("why").unwrap_or_default()))
}
