//! A YAML document as a tree whose every key and value knows its place.

use serde_json::{Map, Number, Value as Json};

use super::source::Place;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Something that was already reported; nothing more is said of it.
    Broken,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_place: Place,
    pub(crate) value: Node,
}

impl Node {
    /// The value of a key, or the item of a list by number.
    pub(crate) fn get(&self, segment: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|e| e.key == segment).map(|e| &e.value),
            Value::List(items) => segment.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => None,
        }
    }

    /// As [`get`](Self::get), to change it.
    pub(crate) fn get_mut(&mut self, segment: &str) -> Option<&mut Node> {
        match &mut self.value {
            Value::Map(entries) => entries
                .iter_mut()
                .find(|e| e.key == segment)
                .map(|e| &mut e.value),
            Value::List(items) => segment.parse::<usize>().ok().and_then(|i| items.get_mut(i)),
            _ => None,
        }
    }

    /// The entries of a mapping, else none.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a scalar that is text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The place of the value at a dotted path. Where the path leaves the tree,
    /// the key of the last part that is there.
    pub(crate) fn place_of(&self, path: &str) -> Place {
        let mut node = self;
        let mut key_place = self.place;
        for segment in path.split('.').filter(|s| !s.is_empty()) {
            let Some(next) = node.get(segment) else {
                return key_place;
            };
            key_place = node
                .entries()
                .iter()
                .find(|e| e.key == segment)
                .map_or(next.place, |e| e.key_place);
            node = next;
        }
        match node.value {
            // A whole mapping or list is too much to underline.
            Value::Map(_) | Value::List(_) => key_place,
            _ => node.place,
        }
    }

    /// The place of the key at a dotted path, or as [`place_of`](Self::place_of)
    /// where it has none.
    pub(crate) fn key_place_of(&self, path: &str) -> Place {
        let (parent, last) = path.rsplit_once('.').unwrap_or(("", path));
        let mut node = self;
        for segment in parent.split('.').filter(|s| !s.is_empty()) {
            let Some(next) = node.get(segment) else {
                return self.place_of(path);
            };
            node = next;
        }
        let found = node.entries().iter().find(|e| e.key == last);
        found.map_or_else(|| self.place_of(path), |e| e.key_place)
    }

    /// A part of it could not be read, which was told.
    pub(crate) fn is_broken(&self) -> bool {
        match &self.value {
            Value::Broken => true,
            Value::List(items) => items.iter().any(Node::is_broken),
            Value::Map(entries) => entries.iter().any(|e| e.value.is_broken()),
            _ => false,
        }
    }

    /// The tree without its places. Broken parts become null.
    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null | Value::Broken => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Number(n) => Json::Number(n.clone()),
            Value::Text(t) => Json::String(t.clone()),
            Value::List(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(entries) => Json::Object(
                entries
                    .iter()
                    .map(|e| (e.key.clone(), e.value.to_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// A tree whose every part has the same place.
    pub(crate) fn from_json(json: &Json, place: Place) -> Self {
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => Value::Number(n.clone()),
            Json::String(t) => Value::Text(t.clone()),
            Json::Array(items) => {
                Value::List(items.iter().map(|i| Self::from_json(i, place)).collect())
            }
            Json::Object(map) => Value::Map(
                map.iter()
                    .map(|(key, value)| Entry {
                        key: key.clone(),
                        key_place: place,
                        value: Self::from_json(value, place),
                    })
                    .collect(),
            ),
        };
        Self { place, value }
    }
}

impl Value {
    /// What it is, for messages: `the number 42`, `a list`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null | Self::Broken => "nothing".into(),
            Self::Bool(b) => format!("`{b}`"),
            Self::Number(n) => format!("the number {n}"),
            Self::Text(t) => format!("`{}`", short(t)),
            Self::List(_) => "a list".into(),
            Self::Map(_) => "a mapping".into(),
        }
    }
}

/// At most 40 characters, on one line.
pub(crate) fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= 40 && line.len() == text.trim_end().len() {
        line.to_string()
    } else {
        let cut: String = line.chars().take(39).collect();
        format!("{cut}…")
    }
}

/// A plain scalar by the rules of YAML's core schema.
pub(crate) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    if let Ok(n) = digits.parse::<u64>() {
        return Value::Number(n.into());
    }
    if let Ok(n) = text.parse::<i64>() {
        return Value::Number(n.into());
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(rest) = text.strip_prefix(prefix)
            && let Ok(n) = u64::from_str_radix(rest, radix)
        {
            return Value::Number(n.into());
        }
    }
    let numeric = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    if numeric
        && text.contains(|c: char| c.is_ascii_digit())
        && let Some(n) = text.parse::<f64>().ok().and_then(Number::from_f64)
    {
        return Value::Number(n);
    }
    Value::Text(text.to_string())
}
