//! Values of managed objects, RFC 2578, and their place in a message.

use std::borrow::Cow;

use rasn::types::{ObjectIdentifier, OctetString};
use rasn_smi::v2::{ApplicationSyntax, ObjectSyntax, SimpleSyntax};
use rasn_snmp::v2::{VarBind, VarBindValue};

/// A value of a managed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// INTEGER.
    Int(i64),
    /// OCTET STRING.
    Text(String),
    /// OBJECT IDENTIFIER.
    Oid(Vec<u32>),
    /// Counter32.
    Counter(u32),
    /// Gauge32.
    Gauge(u32),
    /// TimeTicks, hundredths of a second.
    Ticks(u32),
    /// The agent's uptime when it is asked, as TimeTicks.
    Uptime,
    /// Seconds until a moment of the agent's uptime (in hundredths of a
    /// second), never below zero.
    Until(u64),
    /// Hundredths of a second since a moment of the agent's uptime, as INTEGER.
    Since(u64),
}

impl Value {
    /// The value at an uptime in hundredths of a second.
    pub(super) fn syntax(&self, uptime: u64) -> ObjectSyntax {
        match self {
            Self::Int(value) => (*value).into(),
            Self::Text(text) => OctetString::from_slice(text.as_bytes()).into(),
            Self::Oid(oid) => object_id(oid).into(),
            Self::Counter(value) => rasn_smi::v1::Counter(*value).into(),
            Self::Gauge(value) => rasn_smi::v1::Gauge(*value).into(),
            Self::Ticks(value) => rasn_smi::v1::TimeTicks(*value).into(),
            Self::Uptime => rasn_smi::v1::TimeTicks(ticks(uptime)).into(),
            Self::Until(then) => {
                let left = then.saturating_sub(uptime).div_ceil(100);
                i64::try_from(left).unwrap_or(i64::MAX).into()
            }
            Self::Since(then) => {
                let passed = uptime.saturating_sub(*then);
                i64::try_from(passed).unwrap_or(i64::MAX).into()
            }
        }
    }

    /// A gauge of a measure, rounded, never negative.
    pub(super) fn gauge(measure: f64) -> Self {
        Self::Gauge(whole(measure))
    }

    /// An integer of a measure, rounded, within `Integer32` and never negative.
    pub(super) fn int(measure: f64) -> Self {
        Self::Int(i64::from(whole(measure).min(i32::MAX as u32)))
    }

    /// TimeTicks of seconds.
    pub(super) fn seconds(seconds: f64) -> Self {
        Self::Ticks(whole(seconds * 100.0))
    }

    /// An enumerated value.
    pub(super) fn choice(number: u8) -> Self {
        Self::Int(i64::from(number))
    }
}

/// A measure as a whole number; NaN is zero, as `as` has it.
fn whole(measure: f64) -> u32 {
    measure.round() as u32
}

/// TimeTicks wrap after 497 days, as RFC 2578 says.
pub(super) fn ticks(hundredths: u64) -> u32 {
    (hundredths & u64::from(u32::MAX)) as u32
}

/// An object identifier of a message.
pub(in crate::supervisor) fn object_id(oid: &[u32]) -> ObjectIdentifier {
    ObjectIdentifier::new_unchecked(Cow::Owned(oid.to_vec()))
}

/// A variable and its value.
pub(super) fn bind(oid: &[u32], value: ObjectSyntax) -> VarBind {
    VarBind {
        name: object_id(oid),
        value: VarBindValue::Value(value),
    }
}

/// The bytes that a variable takes in a message, or one more for each name.
pub(super) fn size(bind: &VarBind) -> usize {
    let value = match &bind.value {
        VarBindValue::Value(ObjectSyntax::Simple(simple)) => match simple {
            SimpleSyntax::Integer(number) => {
                number_size(i64::try_from(number.clone()).unwrap_or(i64::MAX))
            }
            SimpleSyntax::String(bytes) => bytes.len(),
            SimpleSyntax::ObjectId(oid) => name_size(oid),
        },
        VarBindValue::Value(ObjectSyntax::ApplicationWide(wide)) => match wide {
            ApplicationSyntax::Counter(counter) => number_size(i64::from(counter.0)),
            ApplicationSyntax::Ticks(ticks) => number_size(i64::from(ticks.0)),
            ApplicationSyntax::Unsigned(gauge) => number_size(i64::from(gauge.0)),
            ApplicationSyntax::Address(_) => 4,
            ApplicationSyntax::BigCounter(_) => 9,
            ApplicationSyntax::Arbitrary(opaque) => opaque.as_ref().len(),
        },
        _ => 0,
    };
    with_head(with_head(name_size(&bind.name)) + with_head(value))
}

/// With the tag and the length before it.
fn with_head(length: usize) -> usize {
    let head = match length {
        0..0x80 => 2,
        0x80..0x100 => 3,
        _ => 4,
    };
    head + length
}

fn name_size(oid: &ObjectIdentifier) -> usize {
    let arc = |arc: &u32| (32 - arc.leading_zeros()).div_ceil(7).max(1) as usize;
    oid.iter().map(arc).sum()
}

fn number_size(number: i64) -> usize {
    let significant = 65 - (number ^ (number >> 63)).leading_zeros();
    significant.div_ceil(8) as usize
}
