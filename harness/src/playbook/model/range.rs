//! Reading and writing [`Range`].

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Range;

const EXPECTED: &str = "a number such as `64` or a range such as `32..256`";

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not {EXPECTED}");
        let number = |part: &str| part.trim().parse::<u32>().map_err(|_| wrong());
        let range = match text.split_once("..") {
            Some((min, max)) => Self {
                min: number(min)?,
                max: number(max)?,
            },
            None => {
                let n = number(text)?;
                Self { min: n, max: n }
            }
        };
        if range.min > range.max {
            return Err(format!(
                "{text:?} ends below its beginning; expected {EXPECTED}"
            ));
        }
        Ok(range)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            write!(f, "{}", self.min)
        } else {
            write!(f, "{}..{}", self.min, self.max)
        }
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Range;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Range, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, n: u64) -> Result<Range, E> {
                let n = u32::try_from(n).map_err(|_| E::custom(format!("{n} is too large")))?;
                Ok(Range { min: n, max: n })
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Range, E> {
                let n = u32::try_from(n).map_err(|_| E::custom(format!("{n} is out of range")))?;
                Ok(Range { min: n, max: n })
            }
        }
        d.deserialize_any(Visitor)
    }
}

impl JsonSchema for Range {
    fn schema_name() -> Cow<'static, str> {
        "Range".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": EXPECTED,
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": r"^\s*[0-9]+\s*(\.\.\s*[0-9]+\s*)?$" }
            ]
        })
    }
}
