//! Quantities as people write them: `250ms`, `3.2kW`, `0.85pu`, `20/s`.
//!
//! Each is one number in its SI base unit (durations: whole microseconds), is
//! read from and written as text, and refuses what it cannot mean.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a quantity could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuantityError(String);

/// Splits `3.2kW` into the number and its suffix.
fn split(text: &str, expected: &str) -> Result<(f64, String), QuantityError> {
    let wrong = || QuantityError(format!("{text:?} is not {expected}"));
    let text_trimmed = text.trim();
    let end = text_trimmed
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-' || c == '+' || c == '_'))
        .unwrap_or(text_trimmed.len());
    let (number, suffix) = text_trimmed.split_at(end);
    let number: f64 = number.replace('_', "").parse().map_err(|_| wrong())?;
    if !number.is_finite() {
        return Err(wrong());
    }
    Ok((number, suffix.trim().to_string()))
}

macro_rules! quantity {
    (
        $(#[$doc:meta])*
        $name:ident, $expected:literal, $pattern:literal, non_negative: $nn:literal,
        [$(($suffix:literal, $factor:expr)),+ $(,)?], show: [$(($show:literal, $from:expr)),+ $(,)?]
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        pub struct $name(pub f64);

        impl $name {
            /// What a text of this quantity must look like, for messages.
            pub const EXPECTED: &'static str = $expected;
            const SUFFIXES: &'static [(&'static str, f64)] = &[$(($suffix, $factor)),+];
            /// The number in its base unit.
            pub fn get(self) -> f64 { self.0 }
            /// It is nothing.
            pub fn is_zero(&self) -> bool { self.0 == 0.0 }
        }

        impl FromStr for $name {
            type Err = QuantityError;
            fn from_str(text: &str) -> Result<Self, QuantityError> {
                let (number, suffix) = split(text, $expected)?;
                if $nn && number < 0.0 {
                    return Err(QuantityError(format!("{text:?} is negative; expected {}", $expected)));
                }
                match suffix.as_str() {
                    $($suffix => Ok(Self(number * $factor)),)+
                    _ => Err(QuantityError(format!("{text:?} is not {}", $expected))),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let size = self.0.abs();
                $(if size >= $from || $from == 0.0 {
                    let factor = Self::SUFFIXES.iter().find(|(s, _)| *s == $show).map_or(1.0, |(_, f)| *f);
                    return write!(f, "{}{}", trim(self.0 / factor), $show);
                })+
                Ok(())
            }
        }

        text_serde!($name, $expected, $pattern);
    };
}

macro_rules! text_serde {
    ($name:ident, $expected:expr, $pattern:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                d.deserialize_str(Text)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $expected })
            }
        }
    };
}

/// At most four decimals, no trailing zeros.
fn trim(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

quantity!(
    /// Active power in watts.
    Watts, "a power such as `800W`, `3.2kW` or `1.5MW`", r"^\s*[0-9_]+(\.[0-9]+)?\s*(W|kW|MW)\s*$", non_negative: true,
    [("W", 1.0), ("kW", 1e3), ("MW", 1e6)], show: [("MW", 1e6), ("kW", 1e3), ("W", 0.0)]
);
quantity!(
    /// An amount of data in bytes.
    Bytes, "a size such as `64MiB` or `1GiB`", r"^\s*[0-9_]+(\.[0-9]+)?\s*(B|KiB|MiB|GiB)\s*$", non_negative: true,
    [("B", 1.0), ("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0)],
    show: [("GiB", 1_073_741_824.0), ("MiB", 1_048_576.0), ("KiB", 1024.0), ("B", 0.0)]
);
quantity!(
    /// Energy in watt-hours.
    WattHours, "an energy such as `500Wh`, `2.5kWh` or `1MWh`", r"^\s*[0-9_]+(\.[0-9]+)?\s*(Wh|kWh|MWh)\s*$", non_negative: true,
    [("Wh", 1.0), ("kWh", 1e3), ("MWh", 1e6)], show: [("MWh", 1e6), ("kWh", 1e3), ("Wh", 0.0)]
);
quantity!(
    /// Energy in joules (PSU hold-up).
    Joules, "an energy such as `60J`", r"^\s*[0-9_]+(\.[0-9]+)?\s*(J|kJ)\s*$", non_negative: true,
    [("J", 1.0), ("kJ", 1e3)], show: [("kJ", 1e3), ("J", 0.0)]
);
quantity!(
    /// Voltage in volts RMS.
    Volts, "a voltage such as `230V` or `20kV`", r"^\s*[0-9_]+(\.[0-9]+)?\s*(V|kV)\s*$", non_negative: true,
    [("V", 1.0), ("kV", 1e3)], show: [("kV", 1e4), ("V", 0.0)]
);
quantity!(
    /// Current in amperes RMS.
    Amps, "a current such as `16A`", r"^\s*[0-9_]+(\.[0-9]+)?\s*(A|kA)\s*$", non_negative: true,
    [("A", 1.0), ("kA", 1e3)], show: [("kA", 1e4), ("A", 0.0)]
);
quantity!(
    /// Frequency in hertz.
    Hertz, "a frequency such as `50Hz`", r"^\s*[0-9_]+(\.[0-9]+)?\s*Hz\s*$", non_negative: true,
    [("Hz", 1.0)], show: [("Hz", 0.0)]
);
quantity!(
    /// Temperature in degrees Celsius.
    Celsius, "a temperature such as `25C`", r"^\s*[0-9_]+(\.[0-9]+)?\s*(C|°C)\s*$", non_negative: true,
    [("C", 1.0), ("°C", 1.0)], show: [("C", 0.0)]
);
quantity!(
    /// A share of something: a voltage per unit, a state of charge, a loss.
    /// Stored as 0 to 1 (more where that makes sense, as in a swell).
    PerUnit, "a share such as `0.85pu` or `85%`", r"^\s*[0-9_]+(\.[0-9]+)?\s*(pu|%)\s*$", non_negative: true,
    [("pu", 1.0), ("%", 0.01)], show: [("%", 0.0)]
);
quantity!(
    /// Events per second.
    Rate, "a rate such as `20/s` or `90/min`", r"^\s*[0-9_]+(\.[0-9]+)?\s*/(s|min|h)\s*$", non_negative: true,
    [("/s", 1.0), ("/min", 1.0 / 60.0), ("/h", 1.0 / 3600.0)], show: [("/s", 0.0)]
);
quantity!(
    /// A bandwidth in bits per second.
    Bandwidth, "a bandwidth such as `10Mbit/s`", r"^\s*[0-9_]+(\.[0-9]+)?\s*(bit/s|kbit/s|Mbit/s|Gbit/s)\s*$", non_negative: true,
    [("bit/s", 1.0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)],
    show: [("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3), ("bit/s", 0.0)]
);

/// A length of time in whole microseconds, written `250ms`, `10s`, `1m 30s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Span {
    /// What a text of a span must look like, for messages.
    pub const EXPECTED: &'static str = "a duration such as `250ms`, `10s` or `1m 30s`";

    /// From microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }
    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000)
    }
    /// From seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000)
    }
    /// It is no time at all.
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }
    /// In microseconds.
    pub const fn micros(self) -> u64 {
        self.0
    }
    /// In milliseconds.
    pub fn millis_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }
    /// In seconds.
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// As the standard library's type.
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.duration()
    }
}

impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let wrong = || QuantityError(format!("{text:?} is not {}", Self::EXPECTED));
        let signed: jiff::SignedDuration = text.trim().parse().map_err(|_| wrong())?;
        if signed.is_negative() {
            return Err(QuantityError(format!(
                "{text:?} is negative; expected {}",
                Self::EXPECTED
            )));
        }
        let micros = signed.as_micros();
        u64::try_from(micros).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = self.0;
        match us {
            0 => f.write_str("0s"),
            _ if us < 1_000 => write!(f, "{us}us"),
            _ if us < 1_000_000 => write!(f, "{}ms", trim(us as f64 / 1e3)),
            _ if us < 120_000_000 || !us.is_multiple_of(1_000_000) => {
                write!(f, "{}s", trim(us as f64 / 1e6))
            }
            _ => {
                let (m, s) = (us / 60_000_000, us / 1_000_000 % 60);
                if s == 0 {
                    write!(f, "{m}m")
                } else {
                    write!(f, "{m}m {s}s")
                }
            }
        }
    }
}

text_serde!(
    Span,
    Span::EXPECTED,
    r"^\s*([0-9]+(\.[0-9]+)?\s*(us|µs|ms|s|sec|m|min|h|d)\s*)+$"
);

#[cfg(test)]
mod tests;
