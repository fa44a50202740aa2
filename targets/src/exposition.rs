//! Prometheus' text format, version 0.0.4.

use std::fmt::Write;

use indexmap::IndexMap;

/// Families in the order in which they first appeared.
#[derive(Debug)]
pub struct Exposition {
    /// Begins the name of every family.
    prefix: &'static str,
    families: IndexMap<&'static str, Family>,
}

#[derive(Debug)]
struct Family {
    help: &'static str,
    kind: &'static str,
    lines: String,
}

/// Labels of a sample, by name.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// A distribution, as its buckets tell it.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// Upper bounds, each with how many values are not above it.
    pub up_to: Vec<(f64, u64)>,
    /// Values in all.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

impl Exposition {
    /// An empty one, whose families all begin with this.
    pub fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            families: IndexMap::new(),
        }
    }

    /// A value that goes up and down.
    pub fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: f64,
    ) {
        let lines = self.family(name, help, "gauge");
        line(lines, (name, ""), labels, value);
    }

    /// A value that only grows; its name ends in `_total`.
    pub fn counter(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: f64,
    ) {
        let lines = self.family(name, help, "counter");
        line(lines, (name, ""), labels, value);
    }

    /// A distribution.
    pub fn histogram(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        values: &Buckets,
    ) {
        let all = (f64::INFINITY, values.count);
        let (lines, prefix) = self.family(name, help, "histogram");
        for (bound, count) in values.up_to.iter().chain([&all]) {
            let bound = number(*bound);
            let mut labels = labels.to_vec();
            labels.push(("le", &bound));
            line((lines, prefix), (name, "_bucket"), &labels, *count as f64);
        }
        line((lines, prefix), (name, "_sum"), labels, values.sum);
        line(
            (lines, prefix),
            (name, "_count"),
            labels,
            values.count as f64,
        );
    }

    fn family(
        &mut self,
        name: &'static str,
        help: &'static str,
        kind: &'static str,
    ) -> (&mut String, &'static str) {
        let family = self.families.entry(name).or_insert_with(|| Family {
            help,
            kind,
            lines: String::new(),
        });
        (&mut family.lines, self.prefix)
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let prefix = self.prefix;
        for (name, family) in &self.families {
            let Family { help, kind, lines } = family;
            let _ = write!(
                text,
                "# HELP {prefix}{name} {help}\n# TYPE {prefix}{name} {kind}\n{lines}"
            );
        }
        text
    }
}

fn line(
    (lines, prefix): (&mut String, &'static str),
    (name, end): (&str, &str),
    labels: Labels<'_>,
    value: f64,
) {
    let _ = write!(lines, "{prefix}{name}{end}");
    for (index, (label, text)) in labels.iter().enumerate() {
        lines.push(if index == 0 { '{' } else { ',' });
        let _ = write!(lines, "{label}=\"{}\"", escape(text));
    }
    if !labels.is_empty() {
        lines.push('}');
    }
    let _ = writeln!(lines, " {}", number(value));
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
