//! How long requests took.

use ridethrough_targets::clock::Micros;

use super::facts::RunFacts;
use super::finding::{Finding, ids};
use super::quantity::{room_ms, time};
use super::sample::{self, Sample};
use super::scope;
use crate::load::LedgerRow;
use crate::playbook::{LatencyAssert, Metric};

pub(crate) fn judge(facts: &RunFacts, asked: &LatencyAssert) -> Finding {
    let bounds = [
        ("p50", 0.50, asked.p50),
        ("p90", 0.90, asked.p90),
        ("p99", 0.99, asked.p99),
        ("max", 1.00, asked.max),
    ];
    let bounds: Vec<_> = bounds
        .iter()
        .filter_map(|(n, s, b)| Some((*n, *s, (*b)?)))
        .collect();
    let limit: Vec<String> = bounds
        .iter()
        .map(|(n, _, b)| format!("{n} at most {b}"))
        .collect();
    let limit = limit.join(", ");
    let scope = scope::of(asked.during.as_ref(), asked.class.as_ref(), asked.cohort);
    let rows = match scope::select(facts, &scope) {
        Ok(rows) => rows,
        Err(why) => return Finding::invalid(why, limit),
    };
    if bounds.is_empty() {
        return Finding::invalid("no bound is given".into(), limit);
    }
    let sample = Sample::of(rows.iter().copied(), asked.of);
    if sample.is_empty() {
        let observed = format!("none of {} requests shows a {}", rows.len(), name(asked.of));
        return Finding::held(false, observed, limit).evidence(ids(rows.into_iter()));
    }
    let mut held = true;
    let mut room = f64::INFINITY;
    let mut seen = Vec::new();
    for (name, share, bound) in &bounds {
        let value = sample.at(*share);
        held &= value.is_some_and(|us| us <= bound.micros());
        room = room.min(value.map_or(f64::NEG_INFINITY, |us| room_ms(bound.micros(), us)));
        seen.push(value.map_or(format!("{name} never"), |us| format!("{name} {}", time(us))));
    }
    let mut observed = format!(
        "{} {} over {}",
        name(asked.of),
        seen.join(", "),
        sample.len()
    );
    if sample.never() > 0 {
        let what = match asked.of {
            Metric::E2e => "were never answered in full and count as endless",
            _ => "never got a first token and count as endless",
        };
        observed = format!("{observed}; {} {what}", sample.never());
    }
    let finding = Finding::held(held, observed, limit).margin(room, "ms");
    if held {
        return finding;
    }
    let bound = bounds.iter().map(|(_, _, b)| b.micros()).max().unwrap_or(0);
    let slow = rows.into_iter().filter(|row| worst(row, asked.of) > bound);
    finding.evidence(ids(slow))
}

fn name(metric: Metric) -> &'static str {
    match metric {
        Metric::Ttft => "TTFT",
        Metric::Itl => "ITL",
        Metric::Tpot => "TPOT",
        Metric::E2e => "end-to-end time",
        Metric::Silence => "silence",
    }
}

/// The worst a request shows of a metric.
fn worst(row: &LedgerRow, metric: Metric) -> Micros {
    match metric {
        Metric::Ttft => sample::ttft_us(row).unwrap_or(Micros::MAX),
        Metric::E2e => sample::e2e_us(row).unwrap_or(Micros::MAX),
        Metric::Itl => row.token_us.gaps().max().unwrap_or(0),
        Metric::Tpot => sample::tpot_us(row).unwrap_or(0),
        Metric::Silence => row.silence_max_us().unwrap_or(0),
    }
}
