//! Values that stand in for what could not be read.
//!
//! Each comes in two sizes. What is wrong with the rest of a playbook is wrong
//! with either; what is wrong with only one of them follows from the
//! placeholder.

use serde_json::{Number, Value as Json};

use super::schema::{Shape, text};
use super::source::Place;
use super::tree::{Entry, Node, Value};
use super::validate::{required, types};

/// Which of two placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Large,
}

/// Deeper types than this have no placeholder.
const MAX_DEPTH: usize = 12;

/// Makes placeholders for one tree, no two alike.
pub(super) struct Maker {
    size: Size,
    made: u32,
}

impl Maker {
    pub(super) fn new(size: Size) -> Self {
        Self { size, made: 0 }
    }

    /// A value of a shape; everything in it stands at `place`.
    pub(super) fn make(&mut self, shape: Shape<'static>, place: Place) -> Node {
        let value = self.value(shape, place, 0);
        Node { place, value }
    }

    fn of(&mut self, schema: &'static Json, place: Place, depth: usize) -> Node {
        let value = self.value(Shape::of(schema), place, depth + 1);
        Node { place, value }
    }

    fn value(&mut self, shape: Shape<'static>, place: Place, depth: usize) -> Value {
        self.made += 1;
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        if let Some(quantity) = shape.name.and_then(|name| self.quantity(name)) {
            return Value::Text(quantity);
        }
        if let Some(variants) = shape.variants() {
            let variant = match self.size {
                Size::Small => variants.first(),
                Size::Large => variants.last(),
            };
            return match variant.map(|v| (v.name, v.content)) {
                None => Value::Null,
                Some((name, None)) => Value::Text(name.into()),
                Some((name, Some(content))) => Value::Map(vec![Entry {
                    key: name.into(),
                    key_place: place,
                    value: self.of(content, place, depth),
                }]),
            };
        }
        self.typed(shape, place, depth)
    }

    fn typed(&mut self, shape: Shape<'static>, place: Place, depth: usize) -> Value {
        let kind = types(shape.schema).into_iter().find(|t| *t != "null");
        let large = self.size == Size::Large;
        match kind.unwrap_or_default() {
            "object" => {
                let needed = required(shape.schema).into_iter();
                let entry = |name: &'static str| {
                    let schema = shape.property(name)?;
                    Some(Entry {
                        key: name.into(),
                        key_place: place,
                        value: self.of(schema, place, depth),
                    })
                };
                let mut entries: Vec<Entry> = needed.filter_map(entry).collect();
                if let Some(free) = shape.free().filter(|_| large) {
                    entries.push(Entry {
                        key: format!("unread-{}", self.made),
                        key_place: place,
                        value: self.of(free, place, depth),
                    });
                }
                Value::Map(entries)
            }
            "array" => {
                let tuple = shape.schema.get("prefixItems").and_then(Json::as_array);
                let one = shape
                    .schema
                    .get("items")
                    .filter(|_| large && tuple.is_none());
                let items = tuple.into_iter().flatten().chain(one);
                Value::List(items.map(|item| self.of(item, place, depth)).collect())
            }
            "string" => {
                let size = if large { "large" } else { "small" };
                Value::Text(format!("unread-{size}-{}", self.made))
            }
            "integer" => Value::Number(self.integer(text(shape.schema, "format")).into()),
            "number" => {
                let n = f64::from(self.made) * if large { 1e6 } else { 1e-3 };
                Number::from_f64(n).map_or(Value::Null, Value::Number)
            }
            "boolean" => Value::Bool(large),
            _ => Value::Null,
        }
    }

    fn integer(&self, format: &str) -> u32 {
        let most = match format {
            "uint8" => u32::from(u8::MAX),
            "uint16" => u32::from(u16::MAX),
            _ => 1_000_000_000,
        };
        match self.size {
            Size::Small => self.made.min(most),
            Size::Large => most.saturating_sub(self.made),
        }
    }

    fn quantity(&self, name: &str) -> Option<String> {
        let (small, large) = match name {
            "Span" | "Timeout" => ("us", "h"),
            "Watts" => ("W", "MW"),
            "WattHours" => ("Wh", "MWh"),
            "Joules" => ("J", "kJ"),
            "Volts" => ("V", "kV"),
            "Amps" => ("A", "kA"),
            "Hertz" => ("Hz", "Hz"),
            "Celsius" => ("C", "C"),
            "PerUnit" => ("%", "pu"),
            "Rate" => ("/h", "/s"),
            "Bandwidth" => ("bit/s", "Gbit/s"),
            "Bytes" => ("MiB", "MiB"),
            "Range" => ("", ""),
            _ => return None,
        };
        Some(match self.size {
            Size::Small => format!("{}{small}", self.made),
            Size::Large => format!("{}{large}", 10_000 + self.made),
        })
    }
}
