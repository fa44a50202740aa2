//! Prometheus' text format, version 0.0.4.

use std::fmt::Write;

use indexmap::IndexMap;

/// The prefix of every family.
const PREFIX: &str = "ridethrough_";

/// Families in the order in which they first appeared.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    families: IndexMap<&'static str, Family>,
}

#[derive(Debug)]
struct Family {
    help: &'static str,
    kind: &'static str,
    lines: String,
}

/// Labels of a sample, by name.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

impl Exposition {
    /// A value that goes up and down.
    pub(super) fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: f64,
    ) {
        self.sample((name, help, "gauge"), labels, value);
    }

    /// A value that only grows; its name ends in `_total`.
    pub(super) fn counter(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: f64,
    ) {
        self.sample((name, help, "counter"), labels, value);
    }

    fn sample(
        &mut self,
        (name, help, kind): (&'static str, &'static str, &'static str),
        labels: Labels<'_>,
        value: f64,
    ) {
        let family = self.families.entry(name).or_insert_with(|| Family {
            help,
            kind,
            lines: String::new(),
        });
        let lines = &mut family.lines;
        lines.push_str(PREFIX);
        lines.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            lines.push(if index == 0 { '{' } else { ',' });
            let _ = write!(lines, "{label}=\"{}\"", escape(text));
        }
        if !labels.is_empty() {
            lines.push('}');
        }
        let _ = writeln!(lines, " {}", number(value));
    }

    /// The whole text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, family) in &self.families {
            let Family { help, kind, lines } = family;
            let _ = write!(
                text,
                "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n{lines}"
            );
        }
        text
    }
}

fn number(value: f64) -> String {
    match value {
        v if v.is_nan() => "NaN".into(),
        v if v == f64::INFINITY => "+Inf".into(),
        v if v == f64::NEG_INFINITY => "-Inf".into(),
        v => v.to_string(),
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
