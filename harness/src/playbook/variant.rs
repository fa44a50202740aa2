//! Enums: a bare name, or a mapping of one key that holds the settings.

use super::errors::Problem;
use super::schema::{Shape, Variant};
use super::source::Place;
use super::tree::{Node, Value};
use super::validate::{Validator, required, types, visible};
use super::words::{a, did_you_mean, list, noun};

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
            Value::Text(name) => self.bare_variant(node, name, &noun, variants),
            Value::Map(entries) if entries.len() == 1 => {
                let entry = &entries[0];
                match variants.iter().find(|v| v.name == entry.key) {
                    Some(Variant {
                        content: Some(schema),
                        ..
                    }) => {
                        let owner = format!("`{}`", entry.key);
                        self.node(&entry.value, schema, &owner, entry.key_place);
                    }
                    Some(_) => self.push(
                        Problem::new(
                            entry.key_place,
                            format!("`{}` has no settings", entry.key),
                            "stands alone",
                        )
                        .help(format!("write just `{}`", entry.key)),
                    ),
                    None => self.unknown_variant(entry.key_place, &entry.key, &noun, variants),
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
                self.push(problem);
            }
            other => {
                let found = other.describe();
                let expected = a(&noun);
                self.push(
                    Problem::new(
                        visible(node, key),
                        format!("expected {expected}, found {found}"),
                        format!("expected {expected}"),
                    )
                    .help(format!("one of {}", variant_names(variants))),
                );
            }
        }
    }

    fn bare_variant(&mut self, node: &Node, name: &str, noun: &str, variants: &[Variant<'static>]) {
        match variants.iter().find(|v| v.name == name) {
            Some(Variant { content: None, .. }) => {}
            Some(Variant {
                content: Some(schema),
                ..
            }) => {
                let shape = Shape::of(schema);
                let needed = required(shape.schema);
                let example = if needed.is_empty() && types(shape.schema).contains(&"object") {
                    format!("write `{name}: {{}}`")
                } else if needed.is_empty() {
                    format!("write `{name}: …`")
                } else {
                    let keys: Vec<_> = needed.iter().map(|k| format!("{k}: …")).collect();
                    format!("write `{name}: {{{}}}`", keys.join(", "))
                };
                self.push(
                    Problem::new(
                        node.place,
                        format!("`{name}` lacks its settings"),
                        "a bare name",
                    )
                    .help(example),
                );
            }
            None => self.unknown_variant(node.place, name, noun, variants),
        }
    }

    fn unknown_variant(
        &mut self,
        place: Place,
        name: &str,
        noun: &str,
        variants: &[Variant<'static>],
    ) {
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
