//! The tables of the final board.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use serde_json::Value;

use super::summary::Summary;
use crate::judge::{Judged, Verdict, show_time};

/// Nothing on the board is wider.
pub(crate) const WIDTH: u16 = 100;

/// A table without a frame: a line under the head and space between columns.
pub(crate) fn plain(head: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_preset("     ──            ")
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(head);
    table
}

/// Its lines, without trailing space.
pub(crate) fn lines(table: &Table) -> Vec<String> {
    table
        .lines()
        .map(|line| line.trim_end().to_string())
        .collect()
}

/// How a verdict is marked.
pub(crate) fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✗",
        Verdict::Invalid => "?",
    }
}

pub(crate) fn assertions(all: &[Judged]) -> Vec<String> {
    let mut table = plain(&["", "promise", "observed", "asked", "margin"]);
    for judged in all {
        table.add_row(vec![
            Cell::new(mark(judged.verdict)),
            Cell::new(&judged.text),
            Cell::new(&judged.observed),
            Cell::new(&judged.limit),
            Cell::new(shown_margin(judged)).set_alignment(CellAlignment::Right),
        ]);
    }
    lines(&table)
}

/// The room that a promise has left.
pub(crate) fn shown_margin(judged: &Judged) -> String {
    match &judged.margin {
        Some(margin) => amount(margin.value, &margin.unit),
        None => "–".into(),
    }
}

/// A signed amount with its unit: `+12.4 ms`, `−3`.
pub(crate) fn amount(value: f64, unit: &str) -> String {
    let sign = match value {
        v if v < 0.0 => "−",
        0.0 => "",
        _ => "+",
    };
    let size = value.abs();
    match unit {
        "ms" => format!("{sign}{}", show_time((size * 1e3).round() as u64)),
        "%" => format!("{sign}{}%", number(size)),
        "requests" | "machines" => format!("{sign}{}", number(size)),
        unit => format!("{sign}{} {unit}", number(size)),
    }
}

fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

pub(crate) fn faults(summary: &Summary) -> Vec<String> {
    let mut table = plain(&["", "fault", "asked", "measured", "at", "late", "witness"]);
    for fault in &summary.faults {
        let late = fault.at_ms.observed - fault.at_ms.requested;
        let sign = if late < 0.0 { "−" } else { "" };
        let late = format!("{sign}{}", show_time((late.abs() * 1e3).round() as u64));
        let lasting = show_time((fault.for_ms.max(0.0) * 1e3).round() as u64);
        let mut asked = values(&fault.requested);
        if !asked.is_empty() {
            asked.push('\n');
        }
        let at = show_time((fault.at_ms.requested.max(0.0) * 1e3).round() as u64);
        let witness = if fault.witness.is_empty() {
            "none"
        } else {
            &fault.witness
        };
        table.add_row(vec![
            if fault.effective { "✓" } else { "?" }.to_string(),
            format!("{}\n{}", fault.kind, fault.target),
            format!("{asked}for {lasting}"),
            values(&fault.measured),
            at,
            late,
            witness.to_string(),
        ]);
    }
    lines(&table)
}

/// One `name value` per line, numbers with at most four decimals.
pub(crate) fn values(map: &indexmap::IndexMap<String, Value>) -> String {
    let show = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(n) if n.is_f64() => {
            let text = format!("{:.4}", n.as_f64().unwrap_or(0.0));
            text.trim_end_matches('0').trim_end_matches('.').to_string()
        }
        other => other.to_string(),
    };
    let all: Vec<String> = map
        .iter()
        .map(|(k, v)| format!("{k} {}", show(v)))
        .collect();
    all.join("\n")
}

pub(crate) fn cohorts(summary: &Summary) -> Vec<String> {
    let mut table = plain(&["cohort", "requests", "by fate"]);
    for (name, cohort) in summary.cohorts.iter().filter(|(_, c)| c.size > 0) {
        let fates: Vec<String> = cohort
            .by_fate
            .iter()
            .map(|(fate, n)| format!("{n} {fate}"))
            .collect();
        table.add_row(vec![
            Cell::new(name.replace('_', " ")),
            Cell::new(cohort.size).set_alignment(CellAlignment::Right),
            Cell::new(fates.join(", ")),
        ]);
    }
    lines(&table)
}

pub(crate) fn latency(summary: &Summary) -> Vec<String> {
    let mut table = plain(&["latency", "p50", "p90", "p99", "max"]);
    let latency = &summary.latency;
    let rows = [
        ("TTFT", latency.ttft_ms),
        ("ITL", latency.itl_ms),
        ("TPOT", latency.tpot_ms),
        ("end to end", latency.e2e_ms),
    ];
    for (name, q) in rows {
        let show = |ms: Option<f64>| {
            let text = ms.map_or("–".into(), |ms| show_time((ms * 1e3).round() as u64));
            Cell::new(text).set_alignment(CellAlignment::Right)
        };
        table.add_row(vec![
            Cell::new(name),
            show(q.p50),
            show(q.p90),
            show(q.p99),
            show(q.max),
        ]);
    }
    lines(&table)
}
