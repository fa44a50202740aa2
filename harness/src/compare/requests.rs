//! Latencies and fates of two runs.

use super::change::{Change, grew};
use crate::report::{Quantiles, Summary};

/// What a latency may differ by and be the same.
const NOISE_MS: f64 = 1.0;

pub(super) fn latencies(a: &Summary, b: &Summary, threshold: f64) -> Vec<Change> {
    let rows = [
        ("ttft", a.latency.ttft_ms, b.latency.ttft_ms),
        ("itl", a.latency.itl_ms, b.latency.itl_ms),
        ("tpot", a.latency.tpot_ms, b.latency.tpot_ms),
        ("end to end", a.latency.e2e_ms, b.latency.e2e_ms),
    ];
    let of = |(name, a, b): (&str, Quantiles, Quantiles)| {
        let quantiles = [
            ("p50", a.p50, b.p50),
            ("p90", a.p90, b.p90),
            ("p99", a.p99, b.p99),
            ("max", a.max, b.max),
        ];
        quantiles.map(|(q, a, b)| slower(format!("{name} {q}"), a, b, threshold))
    };
    let mut all: Vec<Change> = rows.into_iter().flat_map(of).collect();
    let (a, b) = (a.latency.silence_ms_max, b.latency.silence_ms_max);
    all.push(slower("longest silence".into(), a, b, threshold));
    all
}

fn slower(name: String, a: Option<f64>, b: Option<f64>, threshold: f64) -> Change {
    let worse = match (a, b) {
        (Some(a), Some(b)) => grew(a, b, threshold, NOISE_MS),
        // There were whole answers, and now there are none.
        (Some(_), None) => true,
        (None, _) => false,
    };
    Change { name, a, b, worse }
}

/// Shares of all requests. Any request more that was not answered as it should be
/// is worse, whatever the threshold: one lost request is a lost request. The
/// others are told only.
pub(super) fn fates(a: &Summary, b: &Summary, threshold: f64) -> Vec<Change> {
    let (a, b) = (&a.requests, &b.requests);
    let share = |count: usize, total: usize| {
        (total > 0).then(|| (count as f64 * 1e5 / total as f64).round() / 1e3)
    };
    let rows = [
        ("completed", a.completed, b.completed, false),
        ("resumed", a.resumed, b.resumed, false),
        ("retried", a.retried, b.retried, false),
        ("shed", a.shed, b.shed, false),
        ("torn", a.torn, b.torn, true),
        ("lost", a.lost, b.lost, true),
        ("corrupted", a.corrupted, b.corrupted, true),
    ];
    let change = |(name, before, after, bad): (&str, usize, usize, bool)| {
        let (a, b) = (share(before, a.total), share(after, b.total));
        let more = a.unwrap_or(0.0) < b.unwrap_or(0.0);
        let shed = name == "shed" && grew(a.unwrap_or(0.0), b.unwrap_or(0.0), threshold, 0.1);
        Change {
            name: name.into(),
            a,
            b,
            worse: bad && more || shed,
        }
    };
    rows.into_iter().map(change).collect()
}
