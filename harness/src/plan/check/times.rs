//! How long what a fault does may take.

use serde_json::Value;

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::units::Span;

use super::super::time::LONGEST;
use super::checker::Checker;

/// No time of a fault is longer than the longest run; `path` is that of its kind.
pub(super) fn check(c: &mut Checker<'_>, path: &str, kind: &FaultKind) {
    if let Ok(value) = serde_json::to_value(kind) {
        walk(c, path, &value);
    }
}

fn walk(c: &mut Checker<'_>, path: &str, value: &Value) {
    match value {
        Value::Object(settings) => {
            for (key, value) in settings {
                walk(c, &format!("{path}.{key}"), value);
            }
        }
        Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                walk(c, &format!("{path}.{i}"), value);
            }
        }
        Value::String(text) => {
            if let Ok(span) = text.parse::<Span>()
                && span > LONGEST
            {
                let message = format!("a time of {span}, and no run is longer than {LONGEST}");
                c.wrong(path, message, "too long");
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::playbook::tests::{good_text, shown};

    #[test]
    fn nothing_takes_longer_than_a_run() {
        for fault in [
            "latency: {link: [gateway, gpu-2], delay: 25h}",
            "reorder: {link: [gateway, gpu-2], probability: 10%, by: 25h}",
            "telemetry_delayed: {devices: [ups-a], via: [nut], by: 25h}",
        ] {
            let told = shown(&good_text().replace("utility_outage: {}", fault));
            assert!(told.contains("25h"), "{fault}: {told}");
            assert!(told.contains("too long"), "{fault}: {told}");
        }
    }
}
