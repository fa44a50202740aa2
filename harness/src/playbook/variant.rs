//! Enums: a bare name, or a mapping of one key that holds the settings.

use super::errors::Problem;
use super::repair::Fix;
use super::schema::{Shape, Variant};
use super::source::Place;
use super::tree::{Entry, Node, Value};
use super::validate::{Validator, required, types, visible};
use super::words::{a, closest, did_you_mean, list, noun};

impl Validator {
    /// A value against an enum.
    pub(super) fn variant(
        &mut self,
        node: &Node,
        shape: Shape<'static>,
        variants: &[Variant<'static>],
        key: Place,
    ) {
        let noun = noun(shape.name);
        match &node.value {
            Value::Text(name) => self.bare_variant(node, name, shape, variants),
            Value::Map(entries) if entries.len() == 1 => {
                let entry = &entries[0];
                match variants.iter().find(|v| v.name == entry.key) {
                    Some(Variant {
                        content: Some(schema),
                        ..
                    }) => {
                        let owner = format!("`{}`", entry.key);
                        self.child(&entry.key, &entry.value, schema, &owner, entry.key_place);
                    }
                    Some(_) => self.refuse(
                        Problem::new(
                            entry.key_place,
                            format!("`{}` has no settings", entry.key),
                            "stands alone",
                        )
                        .help(format!("write just `{}`", entry.key)),
                        shape,
                    ),
                    None => self.misspelt_variant(entry, shape, variants),
                }
            }
            Value::Map(entries) if entries.len() > 1 => {
                let known = entries
                    .iter()
                    .filter(|e| variants.iter().any(|v| v.name == e.key));
                let known: Vec<_> = known.map(|e| e.key.as_str()).collect();
                let names: Vec<_> = entries.iter().map(|e| e.key.as_str()).collect();
                let mut problem = Problem::new(
                    entries[1].key_place,
                    format!("expected one {noun}, found {}", list(&names, "and")),
                    "one too many",
                );
                problem = match known.as_slice() {
                    [one] => problem.help(format!("settings of `{one}` are indented below it")),
                    [_, ..] => problem.help("give each an item of its own"),
                    [] => problem.help(format!("one of {}", variant_names(variants))),
                };
                self.refuse(problem, shape);
            }
            other => {
                let found = other.describe();
                let expected = a(&noun);
                let problem = Problem::new(
                    visible(node, key),
                    format!("expected {expected}, found {found}"),
                    format!("expected {expected}"),
                );
                let help = format!("one of {}", variant_names(variants));
                self.refuse(problem.help(help), shape);
            }
        }
    }

    /// A misspelt kind is taken for what it is close to, and its settings are
    /// looked at as that kind's.
    fn misspelt_variant(
        &mut self,
        entry: &Entry,
        shape: Shape<'static>,
        variants: &[Variant<'static>],
    ) {
        self.unknown_variant(entry.key_place, &entry.key, shape, variants);
        let meant = closest(&entry.key, variants.iter().map(|v| v.name));
        let meant = variants.iter().find(|v| Some(v.name) == meant);
        let Some((name, schema)) = meant.and_then(|v| Some((v.name, v.content?))) else {
            return self.unread(shape);
        };
        let path = self.path.clone();
        let (from, to) = (entry.key.clone(), name.to_string());
        self.fixes.push(Fix::Rename { path, from, to });
        let owner = format!("`{}`", entry.key);
        self.child(name, &entry.value, schema, &owner, entry.key_place);
    }

    fn bare_variant(
        &mut self,
        node: &Node,
        name: &str,
        shape: Shape<'static>,
        variants: &[Variant<'static>],
    ) {
        match variants.iter().find(|v| v.name == name) {
            Some(Variant { content: None, .. }) => {}
            Some(Variant {
                content: Some(schema),
                ..
            }) => {
                let content = Shape::of(schema);
                let needed = required(content.schema);
                let example = if needed.is_empty() && types(content.schema).contains(&"object") {
                    format!("write `{name}: {{}}`")
                } else if needed.is_empty() {
                    format!("write `{name}: …`")
                } else {
                    let keys: Vec<_> = needed.iter().map(|k| format!("{k}: …")).collect();
                    format!("write `{name}: {{{}}}`", keys.join(", "))
                };
                let message = format!("`{name}` lacks its settings");
                let problem = Problem::new(node.place, message, "a bare name");
                self.refuse(problem.help(example), shape);
            }
            None => {
                self.unknown_variant(node.place, name, shape, variants);
                self.unread(shape);
            }
        }
    }

    fn unknown_variant(
        &mut self,
        place: Place,
        name: &str,
        shape: Shape<'static>,
        variants: &[Variant<'static>],
    ) {
        let noun = noun(shape.name);
        let hint = did_you_mean(name, variants.iter().map(|v| v.name));
        let message = match &hint {
            Some(hint) => format!("unknown {noun} `{name}`; {hint}"),
            None => format!("unknown {noun} `{name}`"),
        };
        self.push(
            Problem::new(place, message, "not known")
                .help(format!("one of {}", variant_names(variants))),
        );
    }
}

fn variant_names(variants: &[Variant<'_>]) -> String {
    let names: Vec<_> = variants.iter().map(|v| v.name).collect();
    list(&names, "or")
}
