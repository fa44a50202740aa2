//! OTLP's JSON, as far as traces need it: field names in lowerCamelCase, ids in
//! hexadecimal, 64-bit integers as text.

use serde::Serialize;
use serde::ser::Serializer;

/// `ExportTraceServiceRequest`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    pub(super) resource_spans: [ResourceSpans; 1],
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceSpans {
    pub(super) resource: Resource,
    pub(super) scope_spans: [ScopeSpans; 1],
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Resource {
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct ScopeSpans {
    pub(super) scope: Scope,
    pub(super) spans: Vec<Span>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Scope {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

/// One span.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) parent_span_id: String,
    pub(super) name: String,
    /// 1 internal, 3 client.
    pub(super) kind: u8,
    #[serde(serialize_with = "text")]
    pub(super) start_time_unix_nano: u64,
    #[serde(serialize_with = "text")]
    pub(super) end_time_unix_nano: u64,
    pub(super) attributes: Vec<Attribute>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<SpanEvent>,
    pub(super) status: Status,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpanEvent {
    #[serde(serialize_with = "text")]
    pub(super) time_unix_nano: u64,
    pub(super) name: String,
    pub(super) attributes: Vec<Attribute>,
}

/// 0 unset, 1 ok, 2 error.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Status {
    pub(super) code: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Attribute {
    key: &'static str,
    value: Value,
}

#[derive(Clone, Debug, Serialize)]
enum Value {
    #[serde(rename = "stringValue")]
    Text(String),
    #[serde(rename = "intValue", serialize_with = "text")]
    Int(u64),
    #[serde(rename = "boolValue")]
    Bool(bool),
}

/// A value that an attribute can have.
pub(super) trait Attributable {
    fn value(self) -> ValueOf;
}

/// Keeps the enumeration's own names inside.
pub(super) struct ValueOf(Value);

impl Attributable for &str {
    fn value(self) -> ValueOf {
        ValueOf(Value::Text(self.to_string()))
    }
}

impl Attributable for u64 {
    fn value(self) -> ValueOf {
        ValueOf(Value::Int(self))
    }
}

impl Attributable for bool {
    fn value(self) -> ValueOf {
        ValueOf(Value::Bool(self))
    }
}

/// An attribute.
pub(super) fn attribute(key: &'static str, value: impl Attributable) -> Attribute {
    Attribute {
        key,
        value: value.value().0,
    }
}

fn text<S: Serializer>(value: &u64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&value.to_string())
}
