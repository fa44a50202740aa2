//! Prometheus' text format, version 0.0.4.

use std::fmt::Write;

use indexmap::IndexMap;

use super::histogram::Histogram;

/// The prefix of every family.
const PREFIX: &str = "ridethrough_run_";

/// Labels of a sample, by name.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// Families in the order in which they first appeared.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    families: IndexMap<&'static str, (&'static str, &'static str, String)>,
}

impl Exposition {
    pub(super) fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: f64,
    ) {
        let lines = self.family(name, help, "gauge");
        line(lines, name, "", labels, &number(value));
    }

    /// A value that only grows; its name ends in `_total`.
    pub(super) fn counter(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: u64,
    ) {
        let lines = self.family(name, help, "counter");
        line(lines, name, "", labels, &value.to_string());
    }

    pub(super) fn histogram(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        values: &Histogram,
    ) {
        let lines = self.family(name, help, "histogram");
        for (bound, count) in values.buckets() {
            let mut all = labels.to_vec();
            all.push(("le", &bound));
            line(lines, name, "_bucket", &all, &count.to_string());
        }
        line(lines, name, "_sum", labels, &number(values.sum()));
        line(lines, name, "_count", labels, &values.count().to_string());
    }

    fn family(
        &mut self,
        name: &'static str,
        help: &'static str,
        kind: &'static str,
    ) -> &mut String {
        let family = self.families.entry(name);
        &mut family.or_insert_with(|| (help, kind, String::new())).2
    }

    /// The whole text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, (help, kind, lines)) in &self.families {
            let _ = write!(
                text,
                "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n{lines}"
            );
        }
        text
    }
}

fn line(lines: &mut String, name: &str, end: &str, labels: Labels<'_>, value: &str) {
    let _ = write!(lines, "{PREFIX}{name}{end}");
    for (index, (label, text)) in labels.iter().enumerate() {
        let before = if index == 0 { '{' } else { ',' };
        let _ = write!(lines, "{before}{label}=\"{}\"", escape(text));
    }
    let _ = writeln!(
        lines,
        "{} {value}",
        if labels.is_empty() { "" } else { "}" }
    );
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
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\n")
}
