//! The JSON schema of a playbook, and the small subset of JSON schema that it
//! is written in.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Value as Json, json};

use super::model::Playbook;

/// The schema of a playbook with its site and stack in place.
pub(crate) static SCHEMA: LazyLock<Json> = LazyLock::new(|| {
    let generator = SchemaSettings::draft2020_12().into_generator();
    generator.into_root_schema_for::<Playbook>().to_value()
});

/// The schema that editors complete from: there, `site` and `stack` may also
/// name a file.
pub fn editor_schema() -> Json {
    let mut schema = SCHEMA.clone();
    for key in ["site", "stack"] {
        let Some(property) = schema.pointer_mut(&format!("/properties/{key}")) else {
            continue;
        };
        let written = property.take();
        let description = written.get("description").cloned().unwrap_or_default();
        let file = json!({
            "type": "string",
            "pattern": r"\.ya?ml$",
            "description": format!("A file that holds the {key}, relative to this one or to a folder above it that has `sites/` or `stacks/`."),
        });
        let reference = written.get("$ref").cloned().unwrap_or_default();
        *property = json!({
            "description": description,
            "anyOf": [file, { "$ref": reference }],
        });
    }
    recordings_in_files(&mut schema);
    schema
}

/// A recording may be in a file of its own.
fn recordings_in_files(schema: &mut Json) {
    let Some(property) = schema.pointer_mut("/$defs/Waveform/properties/profile") else {
        return;
    };
    let mut written = property.take();
    let description = written
        .as_object_mut()
        .and_then(|written| written.remove("description"))
        .unwrap_or_default();
    let file = json!({
        "type": "string",
        "pattern": r"\.csv$",
        "description": "A file that holds the points, relative to this one: a line `time_s,voltage_pu`, then a point a line.",
    });
    *property = json!({
        "description": description,
        "anyOf": [file, written],
    });
}

/// One way to write an enum.
pub(crate) struct Variant<'s> {
    /// Its name.
    pub(crate) name: &'s str,
    /// What it is.
    pub(crate) description: &'s str,
    /// The schema of what it holds; none for a bare name.
    pub(crate) content: Option<&'s Json>,
}

/// A schema with the name of the type it came from, as far as known.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'s> {
    /// The schema, with references followed.
    pub(crate) schema: &'s Json,
    /// The type's name, such as `FaultKind`.
    pub(crate) name: Option<&'s str>,
}

impl<'s> Shape<'s> {
    /// The whole playbook.
    pub(crate) fn root() -> Shape<'static> {
        Shape {
            schema: &SCHEMA,
            name: Some("Playbook"),
        }
    }

    /// Follows references, and `null` alternatives of optional values.
    pub(crate) fn of(schema: &'s Json) -> Shape<'s>
    where
        's: 'static,
    {
        let mut shape = Shape { schema, name: None };
        // A chain of references in generated schemas has one or two links.
        for _ in 0..8 {
            if let Some(target) = shape.schema.get("$ref").and_then(Json::as_str) {
                let name = target.rsplit('/').next().unwrap_or(target);
                let Some(found) = SCHEMA.get("$defs").and_then(|defs| defs.get(name)) else {
                    break;
                };
                shape = Shape {
                    schema: found,
                    name: Some(name),
                };
            } else if let Some(inner) = optional(shape.schema).or(settings(shape.schema)) {
                shape = Shape {
                    schema: inner,
                    name: None,
                };
            } else {
                break;
            }
        }
        shape
    }

    /// Whether the schema allows nothing at all (`null`).
    pub(crate) fn nullable(schema: &Json) -> bool {
        let by_type = match schema.get("type") {
            Some(Json::String(t)) => t == "null",
            Some(Json::Array(types)) => types.iter().any(|t| t == "null"),
            _ => false,
        };
        by_type || optional(schema).is_some()
    }

    /// The word that may stand for the settings: `anyOf: [word, settings]`.
    pub(crate) fn word(schema: &Json) -> Option<&str> {
        settings(schema)?;
        schema.pointer("/anyOf/0/const")?.as_str()
    }

    /// The variants, if this is an enum.
    pub(crate) fn variants(&self) -> Option<Vec<Variant<'s>>> {
        if let Some(names) = self.schema.get("enum").and_then(Json::as_array) {
            return Some(names.iter().filter_map(bare).collect());
        }
        let all = self.schema.get("oneOf")?.as_array()?;
        let mut variants = Vec::new();
        for one in all {
            let description = text(one, "description");
            if let Some(name) = one.get("const").and_then(Json::as_str) {
                variants.push(Variant {
                    name,
                    description,
                    content: None,
                });
            } else if let Some(names) = one.get("enum").and_then(Json::as_array) {
                variants.extend(names.iter().filter_map(bare));
            } else if let Some(properties) = one.get("properties").and_then(Json::as_object) {
                variants.extend(properties.iter().map(|(name, content)| Variant {
                    name,
                    description,
                    content: Some(content),
                }));
            }
        }
        Some(variants)
    }

    /// The schema of a property, if this is a mapping that has it.
    pub(crate) fn property(&self, key: &str) -> Option<&'s Json> {
        self.schema.get("properties")?.get(key)
    }

    /// The names of the properties.
    pub(crate) fn properties(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        let map = self.schema.get("properties").and_then(Json::as_object);
        map.into_iter().flat_map(|m| m.keys().map(String::as_str))
    }

    /// The schema of values under free names, if any name will do.
    pub(crate) fn free(&self) -> Option<&'s Json> {
        self.schema
            .get("additionalProperties")
            .filter(|s| **s != Json::Bool(false))
    }
}

fn bare(name: &Json) -> Option<Variant<'_>> {
    Some(Variant {
        name: name.as_str()?,
        description: "",
        content: None,
    })
}

/// The other alternative of `anyOf: [x, null]`.
fn optional(schema: &Json) -> Option<&Json> {
    let any = schema.get("anyOf")?.as_array()?;
    let is_null = |s: &&Json| s.get("type").and_then(Json::as_str) == Some("null");
    match any.as_slice() {
        [a, b] if is_null(&b) => Some(a),
        [a, b] if is_null(&a) => Some(b),
        _ => None,
    }
}

/// The settings of `anyOf: [word, settings]`.
fn settings(schema: &Json) -> Option<&Json> {
    match schema.get("anyOf")?.as_array()?.as_slice() {
        [word, settings] if word.get("const").is_some() => Some(settings),
        _ => None,
    }
}

/// A text of a schema, or nothing.
pub(crate) fn text<'s>(schema: &'s Json, key: &str) -> &'s str {
    schema.get(key).and_then(Json::as_str).unwrap_or_default()
}
