//! How clients of a load behave.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use ridethrough_targets::net::Keepalive;
use ridethrough_targets::units::Span;

/// How a client behaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientSpec {
    /// Longest wait for a connection.
    pub connect_timeout: Span,
    /// Longest silence it accepts, before and between tokens.
    pub idle_timeout: Timeout,
    /// Longest life of a request.
    pub total_timeout: Timeout,
    /// Attempts after the first one, before any token was seen.
    pub retries: u32,
    /// TCP keepalive of its connections (default: off, as kernels have it).
    pub keepalive: Option<KeepaliveSpec>,
}

impl Default for ClientSpec {
    fn default() -> Self {
        Self {
            connect_timeout: Span::from_secs(2),
            idle_timeout: Span::from_secs(10).into(),
            total_timeout: Span::from_secs(120).into(),
            retries: 0,
            keepalive: None,
        }
    }
}

/// TCP keepalive: how soon a kernel finds that a silent peer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepaliveSpec {
    /// Silence before the first probe, in whole seconds.
    pub idle: Span,
    /// Time between probes, in whole seconds.
    pub interval: Span,
    /// Unanswered probes before the connection is given up.
    pub count: u32,
}

impl KeepaliveSpec {
    /// How long a silent peer is believed alive.
    pub fn bound(self) -> Span {
        let probes = self.interval.micros().saturating_mul(self.count.into());
        Span::from_micros(self.idle.micros().saturating_add(probes))
    }
}

impl From<KeepaliveSpec> for Keepalive {
    fn from(spec: KeepaliveSpec) -> Self {
        Self {
            idle: spec.idle.duration(),
            interval: spec.interval.duration(),
            count: spec.count,
        }
    }
}

/// A bound on a wait, written `10s`, or `never` where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// It ends after this.
    After(Span),
    /// Nothing ends it.
    Never,
}

impl Timeout {
    /// The bound, if there is one.
    pub fn span(self) -> Option<Span> {
        match self {
            Self::After(span) => Some(span),
            Self::Never => None,
        }
    }
}

impl From<Span> for Timeout {
    fn from(span: Span) -> Self {
        Self::After(span)
    }
}

const EXPECTED: &str = "a duration such as `250ms` or `10s`, or `never`";

impl FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "never" {
            return Ok(Self::Never);
        }
        let span = text.parse::<Span>().map(Self::After);
        span.map_err(|error| error.to_string().replace(Span::EXPECTED, EXPECTED))
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(span) => span.fmt(f),
            Self::Never => f.write_str("never"),
        }
    }
}

impl Serialize for Timeout {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timeout {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Timeout {
    fn schema_name() -> Cow<'static, str> {
        "Timeout".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\s*(never|([0-9]+(\.[0-9]+)?\s*(us|µs|ms|s|sec|m|min|h|d)\s*)+)\s*$",
            "description": EXPECTED
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_duration_or_never() {
        assert_eq!("never".parse(), Ok(Timeout::Never));
        assert_eq!("4s".parse(), Ok(Timeout::After(Span::from_secs(4))));
        for text in ["never", "4s", "250ms"] {
            let read: Timeout = text.parse().expect("a timeout");
            assert_eq!(read.to_string(), text);
        }
        let refused = "none".parse::<Timeout>().unwrap_err();
        assert!(refused.ends_with("or `never`"), "{refused}");
    }

    #[test]
    fn keepalive_is_off_unless_it_is_asked_for() {
        assert_eq!(ClientSpec::default().keepalive, None);
        let text = r#"{"keepalive": {"idle": "10s", "interval": "5s", "count": 3}}"#;
        let spec: ClientSpec = serde_json::from_str(text).expect("a client");
        let keepalive = spec.keepalive.expect("keepalive");
        assert_eq!(keepalive.bound(), Span::from_secs(25));
    }
}
