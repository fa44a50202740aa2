//! PowerNet-MIB, the group `automaticXferSwitch` (318.1.1.8).

use super::super::set::Setter;
use super::super::table::Builder;
use super::super::value::Value;
use super::{APC, View, amperes, below};
use crate::telemetry::{Reading, TransferReading};

pub(super) fn build(b: &mut Builder, view: &View<'_>) {
    let reading = match view.reading {
        Some(Reading::Transfer(reading)) => Some(reading),
        _ => None,
    };
    b.under(&below(&APC, &[1, 1, 8]));
    let text = |text: &str| Value::Text(text.into());
    b.scalar(&[1, 2], text(env!("CARGO_PKG_VERSION")));
    b.scalar(&[1, 5], text(&view.identity.model));
    b.scalar(&[1, 6], text(&view.identity.serial));
    b.scalar(&[4, 1], text(&view.own.name));
    match reading.map(|r| Value::int(r.preferred as f64 + 1.0)) {
        Some(preferred) => b.set(&[4, 2], Setter::Prefer, preferred),
        None => b.scalar(&[4, 2], None),
    }
    status(b, reading);
    inputs(b, reading);
    let cell = |of: fn(&TransferReading) -> f64| reading.map(|r| Value::int(of(r)));
    b.cell(&[5, 4, 2, 1, 4], &[1], reading.map(|r| Value::int(hz(r))));
    b.cell(&[5, 4, 3, 1, 3], &[1, 1, 1], cell(|r| r.output_v));
    let tenths = |r: &TransferReading| amperes(r.output_w, r.output_v) * 10.0;
    b.cell(&[5, 4, 3, 1, 4], &[1, 1, 1], cell(tenths));
}

/// Hertz at the output: those of the input that feeds it.
fn hz(reading: &TransferReading) -> f64 {
    let source = reading.active.and_then(|at| reading.sources.get(at));
    source.map_or(0.0, |source| source.hz)
}

fn status(b: &mut Builder, reading: Option<&TransferReading>) {
    // The card names an input even while neither feeds the output.
    let selected = |r: &TransferReading| r.active.unwrap_or(r.preferred) as f64 + 1.0;
    b.scalar(&[5, 1, 2], reading.map(|r| Value::int(selected(r))));
    let redundant = |r: &TransferReading| r.sources.iter().filter(|s| s.good).count() > 1;
    let redundant = reading.map(|r| Value::choice(1 + u8::from(redundant(r))));
    b.scalar(&[5, 1, 3], redundant);
    let good = |r: &TransferReading| r.output_v > 0.5 * r.nominal_v;
    let good = reading.map(|r| Value::choice(1 + u8::from(good(r))));
    b.scalar(&[5, 1, 15], good);
}

fn inputs(b: &mut Builder, reading: Option<&TransferReading>) {
    b.scalar(&[5, 3, 1], Value::Int(2));
    for column in [4, 6] {
        b.cell(&[5, 3, 2, 1, column], &[], None);
    }
    b.cell(&[5, 3, 3, 1, 3], &[], None);
    let sources = reading.into_iter().flat_map(|r| &r.sources);
    for (input, source) in (1..).zip(sources) {
        b.cell(&[5, 3, 2, 1, 4], &[input], Value::int(source.hz));
        b.cell(&[5, 3, 2, 1, 6], &[input], Value::Text(source.name.clone()));
        b.cell(&[5, 3, 3, 1, 3], &[input, 1, 1], Value::int(source.v));
    }
}
