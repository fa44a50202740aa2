//! Holds a tree against the schema and collects every mistake, in the words of
//! the person who wrote it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::errors::Problem;
use super::quantity::{Parse, misread, quantity, unit_hint};
use super::schema::{Shape, text};
use super::source::Place;
use super::tree::{Entry, Node, Value};
use super::words::{closest, list, noun};

/// Every way in which the tree is not a playbook.
pub(crate) fn validate(root: &Node) -> Vec<Problem> {
    examine(root).problems
}

/// As [`validate`], with what can be left out of the tree to go on.
pub(crate) fn examine(root: &Node) -> Examined {
    let mut validator = Validator {
        problems: Vec::new(),
        extra: BTreeSet::new(),
        names_stand: true,
    };
    validator.shape(root, Shape::root(), "the playbook", head(root));
    Examined {
        spare: validator.names_stand && validator.extra.len() == validator.problems.len(),
        problems: validator.problems,
        extra: validator.extra,
    }
}

/// What is wrong with a tree.
pub(crate) struct Examined {
    /// Everything.
    pub(crate) problems: Vec<Problem>,
    /// The unknown keys.
    pub(crate) extra: BTreeSet<Place>,
    /// Nothing is wrong but unknown keys, and without them every name that the
    /// playbook defines is still there.
    pub(crate) spare: bool,
}

/// The types that define names, or the classes that promises speak of.
const DEFINING: [&str; 4] = ["Playbook", "Site", "StackSpec", "LoadSpec"];

/// Collects problems on its way through a tree.
pub(super) struct Validator {
    problems: Vec<Problem>,
    extra: BTreeSet<Place>,
    names_stand: bool,
}

impl Validator {
    pub(super) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A value against a schema. `owner` is what holds it, `key` the place of
    /// the key it stands under.
    pub(super) fn node(&mut self, node: &Node, schema: &'static Json, owner: &str, key: Place) {
        if matches!(node.value, Value::Broken) || schema == &Json::Bool(true) {
            return;
        }
        if matches!(node.value, Value::Null) && Shape::nullable(schema) {
            return;
        }
        self.shape(node, Shape::of(schema), owner, key);
    }

    fn shape(&mut self, node: &Node, shape: Shape<'static>, owner: &str, key: Place) {
        if matches!(node.value, Value::Broken) {
            return;
        }
        if let Some(parse) = shape.name.and_then(quantity) {
            self.quantity(node, shape, parse, key);
        } else if let Some(variants) = shape.variants() {
            self.variant(node, shape, &variants, key);
        } else {
            self.typed(node, shape, owner, key);
        }
    }

    fn typed(&mut self, node: &Node, shape: Shape<'static>, owner: &str, key: Place) {
        let types = types(shape.schema);
        for kind in &types {
            match (*kind, &node.value) {
                ("object", Value::Map(entries)) => {
                    return self.object(node, entries, shape, owner, key);
                }
                ("array", Value::List(items)) => return self.array(node, items, shape, key),
                ("integer", Value::Number(_)) => return self.integer(node, shape),
                ("string", Value::Text(_)) | ("boolean", Value::Bool(_)) => return,
                ("number", Value::Number(_)) | ("null", Value::Null) => return,
                _ => {}
            }
        }
        if types.is_empty() {
            return;
        }
        self.wrong_type(node, shape, &types, key);
    }

    fn wrong_type(&mut self, node: &Node, shape: Shape<'static>, types: &[&str], key: Place) {
        let expected = types
            .iter()
            .find(|t| **t != "null")
            .map_or("nothing", |t| type_words(t));
        let found = node.value.describe();
        let place = visible(node, key);
        let mut problem = Problem::new(
            place,
            format!("expected {expected}, found {found}"),
            format!("expected {expected}"),
        );
        let first = types.first().copied().unwrap_or_default();
        problem = match (first, &node.value) {
            ("string", Value::Number(n)) => problem.help(format!("quote it: \"{n}\"")),
            ("string", Value::Bool(b)) => problem.help(format!("quote it: \"{b}\"")),
            ("array", Value::Text(t)) if shape.schema.get("prefixItems").is_some() => {
                problem.help(format!("write both: `[{t}, …]`"))
            }
            ("array", Value::Text(t)) => problem.help(format!("a list of one is written `[{t}]`")),
            ("object", Value::Null) if required(shape.schema).is_empty() => {
                problem.help("write `{}` for all defaults")
            }
            ("object", _) => {
                let keys: Vec<_> = shape.properties().take(8).collect();
                if keys.is_empty() {
                    problem.help("write `name: value` pairs, one a line")
                } else {
                    problem.help(format!("its keys: {}", keys.join(", ")))
                }
            }
            ("array", Value::Map(_)) => problem.help("begin each item with `- `"),
            _ => problem,
        };
        self.push(problem);
    }

    fn object(
        &mut self,
        node: &Node,
        entries: &[Entry],
        shape: Shape<'static>,
        owner: &str,
        key: Place,
    ) {
        if let Some(other) = mistaken(node, shape) {
            let place = if key.len > 0 { key } else { head(node) };
            self.push(Problem::new(place, other, "another kind of file"));
            return;
        }
        let known: Vec<&str> = shape.properties().collect();
        let missing: Vec<&str> = required(shape.schema)
            .into_iter()
            .filter(|name| node.get(name).is_none())
            .collect();
        let mut guessed = Vec::new();
        for entry in entries {
            if let Some(schema) = shape.property(&entry.key) {
                let owner = format!("`{}`", entry.key);
                self.node(&entry.value, schema, &owner, entry.key_place);
            } else if let Some(free) = shape.free() {
                let owner = format!("`{}`", entry.key);
                self.node(&entry.value, free, &owner, entry.key_place);
            } else {
                // A missing key is the likelier meaning of a misspelt one.
                let guess = closest(&entry.key, missing.iter().copied())
                    .or_else(|| closest(&entry.key, absent(&known, node)))
                    .or_else(|| closest(&entry.key, known.iter().copied()));
                guessed.extend(guess);
                self.extra.insert(entry.key_place);
                self.names_stand &= shape.name.is_none_or(|name| !DEFINING.contains(&name));
                self.unknown_key(entry, &known, guess, owner);
            }
        }
        let missing: Vec<&str> = missing
            .into_iter()
            .filter(|name| !guessed.contains(name))
            .collect();
        if !missing.is_empty() {
            let place = if key.len > 0 { key } else { head(node) };
            let first = shape
                .property(missing[0])
                .map_or("", |s| text(s, "description"));
            let mut problem = Problem::new(
                place,
                format!("{owner}: missing {}", list(&missing, "and")),
                "incomplete",
            );
            // "Its name." says no more than the key does.
            if missing.len() == 1 && first.len() > 12 {
                problem = problem.help(format!("`{}`: {}", missing[0], one_line(first)));
            }
            self.push(problem);
        }
    }

    fn unknown_key(&mut self, entry: &Entry, known: &[&str], guess: Option<&str>, owner: &str) {
        let key = &entry.key;
        let message = match guess {
            Some(guess) => format!("unknown key `{key}`; did you mean `{guess}`?"),
            None => format!("unknown key `{key}` in {owner}"),
        };
        let mut problem = Problem::new(entry.key_place, message, "not known here");
        if guess.is_none() {
            problem = problem.help(format!("known here: {}", known.join(", ")));
        }
        self.push(problem);
    }

    fn array(&mut self, node: &Node, items: &[Node], shape: Shape<'static>, key: Place) {
        let tuple = shape.schema.get("prefixItems").and_then(Json::as_array);
        if let Some(tuple) = tuple {
            if items.len() != tuple.len() {
                let (expected, found) = (tuple.len(), items.len());
                self.push(Problem::new(
                    node.place,
                    format!("expected a list of {expected}, found {found}"),
                    format!("{found} instead of {expected}"),
                ));
            }
            for (item, schema) in items.iter().zip(tuple) {
                self.node(item, schema, "this item", item.place);
            }
        } else if let Some(schema) = shape.schema.get("items") {
            let what = noun(Shape::of(schema).name);
            for item in items {
                let named = item.get("name").and_then(Node::text);
                let owner = match named {
                    Some(name) => format!("`{name}`"),
                    None => match what.trim_end_matches(" spec") {
                        "value" => "this item".into(),
                        what => format!("this {what}"),
                    },
                };
                self.node(item, schema, &owner, head(item));
            }
        }
        let least = shape.schema.get("minItems").and_then(Json::as_u64);
        if tuple.is_none() && least.is_some_and(|n| (items.len() as u64) < n) {
            self.push(Problem::new(
                visible(node, key),
                "too few items",
                "more needed",
            ));
        }
    }

    fn integer(&mut self, node: &Node, shape: Shape<'static>) {
        let Value::Number(n) = &node.value else {
            return;
        };
        let most = match text(shape.schema, "format") {
            "uint8" => u64::from(u8::MAX),
            "uint16" => u64::from(u16::MAX),
            "uint32" => u64::from(u32::MAX),
            _ => u64::MAX,
        };
        let message = match n.as_u64() {
            Some(value) if value <= most => return,
            Some(value) => format!("{value} is too large; at most {most}"),
            None if n.is_f64() => format!("expected a whole number, found {n}"),
            None => format!("expected a number from 0, found {n}"),
        };
        self.push(Problem::new(node.place, message, "out of range"));
    }

    fn quantity(&mut self, node: &Node, shape: Shape<'static>, parse: Parse, key: Place) {
        let expected = text(shape.schema, "description");
        let place = visible(node, key);
        let problem = match &node.value {
            Value::Text(written) => match parse(written) {
                Ok(()) => return,
                Err(why) => misread(place, written, &why, expected),
            },
            Value::Number(n) if shape.name == Some("Range") => match parse(&n.to_string()) {
                Ok(()) => return,
                Err(why) => misread(place, &n.to_string(), &why, expected),
            },
            Value::Number(n) => {
                let unit = unit_hint(shape.name, n.as_f64().unwrap_or(0.0));
                Problem::new(
                    place,
                    format!("the number {n} has no unit; expected {expected}"),
                    "unit missing",
                )
                .maybe_help(unit.map(|u| format!("write `{u}`")))
            }
            other => Problem::new(
                place,
                format!("expected {expected}, found {}", other.describe()),
                format!("expected {expected}"),
            ),
        };
        self.push(problem);
    }
}

/// One kind of file in the place of another, by the keys that only it has.
fn mistaken(node: &Node, shape: Shape<'static>) -> Option<String> {
    let kinds = [
        ("Playbook", "a playbook", ["load", "assert"]),
        ("Site", "a site", ["utilities", "racks"]),
        ("StackSpec", "a stack", ["nodes", "services"]),
    ];
    let expected = kinds.iter().find(|k| shape.name == Some(k.0))?;
    let has = |keys: &[&str; 2]| keys.iter().all(|key| node.get(key).is_some());
    let found = kinds.iter().find(|k| k.0 != expected.0 && has(&k.2))?;
    (!has(&expected.2)).then(|| format!("this is {}, not {}", found.1, expected.1))
}

/// Properties that are not written.
fn absent<'a>(known: &'a [&'a str], node: &'a Node) -> impl Iterator<Item = &'a str> {
    let all = known.iter().copied();
    all.filter(|name| node.get(name).is_none())
}

pub(super) fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(t)) => vec![t],
        Some(Json::Array(types)) => types.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

fn type_words(kind: &str) -> &'static str {
    match kind {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        _ => "nothing",
    }
}

pub(super) fn required(schema: &Json) -> Vec<&str> {
    let names = schema.get("required").and_then(Json::as_array);
    let names = names.into_iter().flatten();
    names.filter_map(Json::as_str).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The value's own place, or its key's where there is nothing to see.
pub(super) fn visible(node: &Node, key: Place) -> Place {
    match &node.value {
        Value::Map(_) => head(node),
        _ if node.place.len == 0 => key,
        _ => node.place,
    }
}

/// The first key of a mapping stands for the whole of it.
fn head(node: &Node) -> Place {
    let first = node.entries().first().map(|e| e.key_place);
    first.unwrap_or(node.place)
}
