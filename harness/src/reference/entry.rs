//! One entry of a page: a kind, or a type.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::types::{fields, plain, sentence, words};

/// The types of a schema by name.
pub(super) struct Types<'a> {
    all: &'a Map<String, Value>,
}

impl<'a> Types<'a> {
    pub(super) fn of(all: &'a Map<String, Value>) -> Self {
        Self { all }
    }

    /// The kinds that an enumeration of maps knows, each as an entry.
    pub(super) fn kinds(&self, of: &str) -> String {
        let variants = self.all.get(of).and_then(|e| e.get("oneOf"));
        let variants = variants.and_then(Value::as_array).into_iter().flatten();
        variants.map(|variant| self.kind(variant)).collect()
    }

    fn kind(&self, variant: &Value) -> String {
        let content = variant.get("properties").and_then(Value::as_object);
        let Some((name, content)) = content.and_then(|all| all.iter().next()) else {
            return String::new();
        };
        let resolved = self.resolved(content);
        let table = match resolved.get("properties") {
            Some(_) => fields(resolved),
            None => choices(resolved),
        };
        let table = match table.is_empty() {
            true => String::new(),
            false => format!("\n{table}"),
        };
        format!("\n## {name}\n\n{}\n{table}", sentence(variant))
    }

    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let name = schema.get("$ref").and_then(Value::as_str);
        let name = name.and_then(|name| name.strip_prefix("#/$defs/"));
        name.and_then(|name| self.all.get(name)).unwrap_or(schema)
    }

    /// Every type but these, by name.
    pub(super) fn others(&self, but: &[&str]) -> String {
        let mut names: Vec<&String> = self.all.keys().collect();
        names.sort_by_key(|name| name.to_lowercase());
        let others = names
            .into_iter()
            .filter(|name| !but.contains(&name.as_str()));
        others.map(|name| entry(name, &self.all[name])).collect()
    }
}

/// A type as an entry.
fn entry(name: &str, schema: &Value) -> String {
    let mut out = format!("\n## {name}\n");
    let about = sentence(schema);
    if !about.is_empty() {
        let _ = writeln!(out, "\n{about}");
    }
    let table = match schema.get("properties") {
        Some(_) => fields(schema),
        None => choices(schema),
    };
    if !table.is_empty() {
        let _ = write!(out, "\n{table}");
    }
    out
}

/// What an enumeration has to choose from, as a list.
fn choices(schema: &Value) -> String {
    let variants = ["oneOf", "anyOf"]
        .into_iter()
        .find_map(|key| schema.get(key));
    let variants = variants.and_then(Value::as_array).into_iter().flatten();
    variants.map(choice).collect()
}

fn choice(variant: &Value) -> String {
    let about = match sentence(variant) {
        text if text.is_empty() => text,
        text => format!(": {text}"),
    };
    if let Some(value) = variant.get("const") {
        return format!("- `{}`{about}\n", plain(value));
    }
    let content = variant.get("properties").and_then(Value::as_object);
    match content.and_then(|all| all.iter().next()) {
        Some((name, of)) => {
            let keys = of.get("properties").and_then(Value::as_object);
            let of = match keys {
                None => words(of),
                Some(keys) => {
                    let key = |(key, of): (&String, &Value)| format!("`{key}`: {}", words(of));
                    keys.iter().map(key).collect::<Vec<_>>().join(", ")
                }
            };
            format!("- `{name}`: {{{of}}}{about}\n")
        }
        None => format!("- {}{about}\n", words(variant)),
    }
}
