//! The few numbers that people ask for first.

use std::fmt::Write;

use super::escape::html;
use crate::judge::show_time;
use crate::report::summary::Summary;

/// Numbers with their names, as a list.
pub(super) fn figures(summary: &Summary) -> String {
    let ms = |ms: Option<f64>| ms.map(|ms| show_time((ms.abs() * 1e3).round() as u64));
    let requests = &summary.requests;
    let whole = requests.completed + requests.resumed + requests.retried;
    let sent = requests.total > 0;
    let bad = |n: usize| (sent).then(|| n.to_string());
    let latency = &summary.latency;
    let charge = summary.power.battery_soc_min_pct;
    let all = [
        (
            "answered in full",
            sent.then(|| format!("{whole} of {}", requests.total)),
        ),
        ("broke off", bad(requests.torn)),
        ("lost", bad(requests.lost)),
        (
            "answered wrongly",
            (requests.corrupted > 0).then(|| requests.corrupted.to_string()),
        ),
        (
            "turned away",
            (requests.shed > 0).then(|| requests.shed.to_string()),
        ),
        (
            "resumed",
            (requests.resumed > 0).then(|| requests.resumed.to_string()),
        ),
        ("first token, p99", ms(latency.ttft_ms.p99)),
        ("longest pause", ms(latency.silence_ms_max)),
        ("gap at the load", ms(summary.power.transfer_gap_ms)),
        ("lowest battery", charge.map(|pct| format!("{pct:.1}%"))),
        ("machines lost", Some(summary.power.nodes_lost.to_string())),
        ("fault skew, p99", ms(summary.skew_ms.p99)),
    ];
    let shown = all
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let items = shown.fold(String::new(), |mut all, (name, value)| {
        let _ = writeln!(all, "<div><dt>{name}</dt><dd>{}</dd></div>", html(value));
        all
    });
    format!("<dl class=\"figures\">\n{items}</dl>\n")
}
