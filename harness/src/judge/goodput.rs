//! Requests that were answered in full and in time, per second.

use super::facts::RunFacts;
use super::finding::{Finding, ids};
use super::quantity::trim;
use super::sample;
use super::scope;
use crate::load::{Group, LedgerRow};
use crate::playbook::GoodputAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &GoodputAssert) -> Finding {
    let least = asked.at_least.get();
    let mut limit = format!("at least {} good requests/s", trim(least, 2));
    if let Some(bound) = asked.ttft {
        limit = format!("{limit}, TTFT within {bound}");
    }
    if let Some(bound) = asked.tpot {
        limit = format!("{limit}, TPOT within {bound}");
    }
    let scope = scope::of(asked.during.as_ref(), asked.class.as_ref(), None);
    let rows = match scope::select(facts, &scope) {
        Ok(rows) => rows,
        Err(why) => return Finding::invalid(why, limit),
    };
    let window_us = match &asked.during {
        Some(name) => facts
            .phase(name)
            .map(|p| p.end_us.saturating_sub(p.start_us)),
        None => facts
            .phases
            .last()
            .map(|p| p.end_us.saturating_sub(facts.origin_us())),
    };
    let Some(window_us) = window_us.filter(|us| *us > 0) else {
        return Finding::invalid("the record has no phase to count over".into(), limit);
    };
    // An answer of one token has no time per output token, and cannot miss it.
    let good = |row: &LedgerRow| {
        let first = sample::ttft_us(row);
        let each = sample::tpot_us(row).unwrap_or(0);
        row.group() == Group::Whole
            && asked
                .ttft
                .is_none_or(|b| first.is_some_and(|us| us <= b.micros()))
            && asked.tpot.is_none_or(|b| each <= b.micros())
    };
    let (fine, bad): (Vec<&LedgerRow>, Vec<&LedgerRow>) = rows.iter().partition(|r| good(r));
    let seconds = window_us as f64 / 1e6;
    let rate = fine.len() as f64 / seconds;
    let observed = format!(
        "{}/s: {} good of {}{} in {} s",
        trim(rate, 2),
        fine.len(),
        rows.len(),
        scope::words(&scope::of(None, asked.class.as_ref(), None)),
        trim(seconds, 1)
    );
    Finding::held(rate >= least, observed, limit)
        .margin(rate - least, "req/s")
        .evidence(ids(bad.into_iter()))
}
