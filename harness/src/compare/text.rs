//! Two runs as people read them.

use comfy_table::{Cell, CellAlignment};

use super::change::{Change, Comparison, Held, Promised};
use crate::judge::{Verdict, show_time};
use crate::report::{amount, lines, plain};

/// The two runs side by side, at most 100 columns wide.
pub fn side_by_side(c: &Comparison) -> String {
    let mut out = Vec::new();
    for (name, side) in [("A", &c.a), ("B", &c.b)] {
        out.push(format!(
            "{name}  {} {}  {}  ({} world, seed {}, {} requests)  {}",
            mark(Some(side.verdict)),
            side.verdict.to_string().to_uppercase(),
            side.playbook,
            side.world,
            side.seed,
            side.requests,
            side.run,
        ));
    }
    out.extend(c.notes.iter().map(|note| format!("note: {note}")));
    if !c.promises.is_empty() {
        out.push(String::new());
        out.extend(promises(&c.promises));
    }
    let ms = |value: f64| show_time((value.max(0.0) * 1e3).round() as u64);
    let percent = |value: f64| format!("{value}%");
    numbers(&mut out, "latency", &c.latency, &ms);
    numbers(&mut out, "requests", &c.fates, &percent);
    numbers(&mut out, "faults", &c.skew, &ms);
    out.push(String::new());
    out.extend(conclusion(c));
    out.join("\n") + "\n"
}

fn conclusion(c: &Comparison) -> Vec<String> {
    let threshold = format!("{}%", (c.threshold * 1e4).round() / 1e2);
    if c.worse.is_empty() {
        return vec![format!(
            "Nothing got worse (by more than {threshold}; any more torn, lost or corrupted)."
        )];
    }
    let count = c.worse.len();
    let things = if count == 1 { "thing" } else { "things" };
    let mut lines = vec![format!(
        "{count} {things} got worse (by more than {threshold}; any more torn, lost or corrupted):"
    )];
    lines.extend(c.worse.iter().map(|what| format!("  ✗ {what}")));
    lines
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn mark(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "✓",
        Some(Verdict::Fail) => "✗",
        Some(Verdict::Invalid) => "?",
        None => "–",
    }
}

fn promises(all: &[Promised]) -> Vec<String> {
    let mut table = plain(&["", "promise", "A", "B", "margin A", "margin B", "change"]);
    for promise in all {
        let unit = |held: &Option<Held>| held.as_ref().and_then(|held| held.margin.clone());
        let margin = |held: &Option<Held>| match unit(held) {
            Some(margin) => amount(margin.value, &margin.unit),
            None => "–".into(),
        };
        let change = promise.change.zip(unit(&promise.b));
        let verdict = |held: &Option<Held>| mark(held.as_ref().map(|held| held.verdict));
        table.add_row(vec![
            Cell::new(if promise.worse { "✗" } else { "" }),
            Cell::new(&promise.text),
            Cell::new(verdict(&promise.a)),
            Cell::new(verdict(&promise.b)),
            right(margin(&promise.a)),
            right(margin(&promise.b)),
            right(change.map_or("–".into(), |(change, margin)| match change {
                0.0 => "=".into(),
                change => amount(change, &margin.unit),
            })),
        ]);
    }
    lines(&table)
}

/// Numbers that are there in one of the runs at least.
fn numbers(out: &mut Vec<String>, head: &str, all: &[Change], show: &dyn Fn(f64) -> String) {
    let any = |change: &&Change| change.a.unwrap_or(0.0) != 0.0 || change.b.unwrap_or(0.0) != 0.0;
    let some: Vec<&Change> = all.iter().filter(any).collect();
    if some.is_empty() {
        return;
    }
    let mut table = plain(&["", head, "A", "B", "change"]);
    for change in some {
        let value = |value: Option<f64>| value.map_or("–".into(), show);
        let moved = match (change.a, change.b) {
            (Some(a), Some(b)) if a == b => "=".into(),
            (Some(a), Some(b)) if a != 0.0 => amount(((b - a) / a.abs() * 1e3).round() / 10.0, "%"),
            _ => "–".into(),
        };
        table.add_row(vec![
            Cell::new(if change.worse { "✗" } else { "" }),
            Cell::new(&change.name),
            right(value(change.a)),
            right(value(change.b)),
            right(moved),
        ]);
    }
    out.push(String::new());
    out.extend(lines(&table));
}
