//! Holds a tree against the schema and collects every mistake, in the words of
//! the person who wrote it.

use serde_json::Value as Json;

use super::errors::Problem;
use super::quantity::{Parse, misread, quantity, unit_hint};
use super::repair::Fix;
use super::schema::{Shape, text};
use super::source::Place;
use super::tree::{Node, Value};
use super::words::noun;

/// Every way in which the tree is not a playbook.
pub(crate) fn validate(root: &Node) -> Vec<Problem> {
    examine(root).problems
}

/// As [`validate`], with the repairs that make it one.
pub(crate) fn examine(root: &Node) -> Examined {
    let mut validator = Validator {
        problems: Vec::new(),
        fixes: Vec::new(),
        path: Vec::new(),
    };
    validator.shape(root, Shape::root(), "the playbook", head(root));
    Examined {
        problems: validator.problems,
        fixes: validator.fixes,
    }
}

/// What is wrong with a tree.
pub(crate) struct Examined {
    /// Everything.
    pub(crate) problems: Vec<Problem>,
    /// What makes it a playbook, in this order.
    pub(crate) fixes: Vec<Fix>,
}

/// Collects problems on its way through a tree.
pub(super) struct Validator {
    pub(super) problems: Vec<Problem>,
    pub(super) fixes: Vec<Fix>,
    /// Where it is, in the tree with all repairs so far.
    pub(super) path: Vec<String>,
}

impl Validator {
    pub(super) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Nothing is known of the value here.
    pub(super) fn unread(&mut self, shape: Shape<'static>) {
        let path = self.path.clone();
        self.fixes.push(Fix::Put { path, shape });
    }

    /// As [`push`](Self::push), where the whole value here cannot be used.
    pub(super) fn refuse(&mut self, problem: Problem, shape: Shape<'static>) {
        self.push(problem);
        self.unread(shape);
    }

    /// As [`node`](Self::node), for what stands under a key or index.
    pub(super) fn child(
        &mut self,
        segment: impl ToString,
        node: &Node,
        schema: &'static Json,
        owner: &str,
        key: Place,
    ) {
        self.path.push(segment.to_string());
        self.node(node, schema, owner, key);
        self.path.pop();
    }

    /// A value against a schema. `owner` is what holds it, `key` the place of
    /// the key it stands under.
    pub(super) fn node(&mut self, node: &Node, schema: &'static Json, owner: &str, key: Place) {
        if schema == &Json::Bool(true) {
            return;
        }
        if matches!(node.value, Value::Null) && Shape::nullable(schema) {
            return;
        }
        if let (Some(word), Value::Text(text)) = (Shape::word(schema), &node.value) {
            if text != word {
                let message = format!("expected settings or `{word}`, found `{text}`");
                let problem = Problem::new(node.place, message, "no such word");
                self.refuse(problem, Shape::of(schema));
            }
            return;
        }
        self.shape(node, Shape::of(schema), owner, key);
    }

    fn shape(&mut self, node: &Node, shape: Shape<'static>, owner: &str, key: Place) {
        if matches!(node.value, Value::Broken) {
            return self.unread(shape);
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
        self.refuse(problem, shape);
    }

    fn array(&mut self, node: &Node, items: &[Node], shape: Shape<'static>, key: Place) {
        let tuple = shape.schema.get("prefixItems").and_then(Json::as_array);
        if let Some(tuple) = tuple {
            if items.len() != tuple.len() {
                let (expected, found) = (tuple.len(), items.len());
                let problem = Problem::new(
                    node.place,
                    format!("expected a list of {expected}, found {found}"),
                    format!("{found} instead of {expected}"),
                );
                return self.refuse(problem, shape);
            }
            for (i, (item, schema)) in items.iter().zip(tuple).enumerate() {
                self.child(i, item, schema, "this item", item.place);
            }
        } else if let Some(schema) = shape.schema.get("items") {
            let what = noun(Shape::of(schema).name);
            for (i, item) in items.iter().enumerate() {
                let named = item.get("name").and_then(Node::text);
                let owner = match named {
                    Some(name) => format!("`{name}`"),
                    None => match what.trim_end_matches(" spec") {
                        "value" => "this item".into(),
                        what => format!("this {what}"),
                    },
                };
                self.child(i, item, schema, &owner, head(item));
            }
        }
        let least = shape.schema.get("minItems").and_then(Json::as_u64);
        if tuple.is_none() && least.is_some_and(|n| (items.len() as u64) < n) {
            let problem = Problem::new(visible(node, key), "too few items", "more needed");
            self.refuse(problem, shape);
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
        self.refuse(Problem::new(node.place, message, "out of range"), shape);
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
        self.refuse(problem, shape);
    }
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

/// The value's own place, or its key's where there is nothing to see.
pub(super) fn visible(node: &Node, key: Place) -> Place {
    match &node.value {
        Value::Map(_) => head(node),
        _ if node.place.len == 0 => key,
        _ => node.place,
    }
}

/// The first key of a mapping stands for the whole of it.
pub(super) fn head(node: &Node) -> Place {
    let first = node.entries().first().map(|e| e.key_place);
    first.unwrap_or(node.place)
}
