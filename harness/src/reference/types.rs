//! A type of the schema in words.

use std::fmt::Write;

use serde_json::{Map, Value};

/// The name of a type that is described elsewhere.
fn named(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// The anchor of a type on the page of types.
pub(super) fn anchor(name: &str) -> String {
    name.to_lowercase()
}

/// What a value may be, in a few words of Markdown.
pub(super) fn words(schema: &Value) -> String {
    match named(schema) {
        Some("FaultKind") => return "a [fault](faults.md)".into(),
        Some("Assertion") => return "an [assertion](assertions.md)".into(),
        Some(name) => return format!("[{name}](types.md#{})", anchor(name)),
        None => {}
    }
    if let Some(constant) = schema.get("const") {
        return format!("`{}`", plain(constant));
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(all) = schema.get(key).and_then(Value::as_array) {
            let there = all.iter().filter(|one| !is_null(one));
            let all: Vec<String> = there.map(words).collect();
            return all.join(" or ");
        }
    }
    match kinds(schema).as_slice() {
        ["array"] => list(schema),
        ["object"] => map(schema),
        ["string"] => "text".into(),
        ["integer"] => integer(schema),
        ["boolean"] => "`true` or `false`".into(),
        [one] => (*one).into(),
        [] => "anything".into(),
        more => more.join(" or "),
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

/// The JSON types of a value, without null, which only says that it may be left out.
fn kinds(schema: &Value) -> Vec<&str> {
    let all = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    all.into_iter().filter(|kind| *kind != "null").collect()
}

fn list(schema: &Value) -> String {
    if let Some(parts) = schema.get("prefixItems").and_then(Value::as_array) {
        let parts: Vec<String> = parts.iter().map(words).collect();
        return format!("[{}]", parts.join(", "));
    }
    let of = schema.get("items").map(words);
    format!("list, each {}", of.unwrap_or("anything".into()))
}

fn map(schema: &Value) -> String {
    match schema.get("additionalProperties") {
        Some(of @ Value::Object(_)) => format!("map of names to {}", words(of)),
        _ => "map".into(),
    }
}

fn integer(schema: &Value) -> String {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    match (bound("minimum"), bound("maximum")) {
        (Some(from), Some(to)) => format!("whole number, {from} to {to}"),
        _ => "whole number".into(),
    }
}

/// A value as it stands in a playbook.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A description on one line, with what would end a cell of a table kept from it.
pub(super) fn sentence(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str);
    let words: Vec<&str> = text.unwrap_or_default().split_whitespace().collect();
    words
        .join(" ")
        .replace('|', "\\|")
        .replace("[`", "`")
        .replace("`]", "`")
}

/// The fields of a type as a table; nothing where it has none.
pub(super) fn fields(schema: &Value) -> String {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object);
    let properties = properties.unwrap_or(&none);
    if properties.is_empty() {
        return String::new();
    }
    let required = schema.get("required").and_then(Value::as_array);
    let needed = |name: &str| required.is_some_and(|all| all.iter().any(|r| r == name));
    let mut out = String::from("| key | value | default | |\n| --- | --- | --- | --- |\n");
    for (name, property) in properties {
        let default = match (needed(name), property.get("default")) {
            (true, _) => "needed".into(),
            (false, None | Some(Value::Null)) => String::new(),
            (false, Some(value)) => format!("`{}`", plain(value)),
        };
        let row = [words(property), default, sentence(property)].join(" | ");
        let _ = writeln!(out, "| `{name}` | {row} |");
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{fields, words};

    #[test]
    fn values_in_words() {
        let cases = [
            (
                json!({"$ref": "#/$defs/PerUnit"}),
                "[PerUnit](types.md#perunit)",
            ),
            (json!({"type": ["string", "null"]}), "text"),
            (
                json!({"anyOf": [{"$ref": "#/$defs/Span"}, {"type": "null"}]}),
                "[Span](types.md#span)",
            ),
            (
                json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "string"}]}),
                "[text, text]",
            ),
            (
                json!({"type": "integer", "minimum": 0, "maximum": 65535}),
                "whole number, 0 to 65535",
            ),
            (
                json!({"type": "object", "additionalProperties": {"$ref": "#/$defs/Span"}}),
                "map of names to [Span](types.md#span)",
            ),
            (
                json!({"oneOf": [{"const": "none"}, {"const": "full"}]}),
                "`none` or `full`",
            ),
        ];
        for (schema, expected) in cases {
            assert_eq!(words(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn a_bar_does_not_end_a_cell() {
        let schema = json!({
            "properties": {"to": {"type": "string", "description": "a |\nb"}},
            "required": ["to"],
        });
        let table = fields(&schema);
        assert!(
            table.ends_with("| `to` | text | needed | a \\| b |\n"),
            "{table}"
        );
    }
}
