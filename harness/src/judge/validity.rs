//! Whether the experiment itself held.

use ridethrough_targets::clock::Micros;

use super::facts::{Fault, RunFacts};
use super::quantity::{count, time};
use crate::load::{Group, LedgerRow};
use crate::record::WitnessReport;

/// A load that lags further behind its schedule than this (99th percentile) is
/// not the load that was asked for.
const LAG_US: Micros = 50_000;

/// Everything that takes a run's verdict away, in words. Empty: it held.
pub(crate) fn problems(facts: &RunFacts) -> Vec<String> {
    let mut all = facts.invalid.clone();
    let completed = match &facts.end {
        None => {
            all.push("the record has no end: the run did not get there".into());
            false
        }
        // A broken promise has ended it: that is its verdict.
        Some(end) if end.how == "aborted" => false,
        Some(end) if end.how != "completed" => {
            all.push(format!("the run was {}", end.how));
            false
        }
        Some(_) => true,
    };
    if facts.header.is_none() {
        all.push("the record has no header".into());
    }
    // A run that was ended early may have ended before anybody looked.
    let early = facts.end.as_ref().is_some_and(|end| end.how == "aborted");
    for fault in &facts.faults {
        if !(early && fault.injected.is_none()) {
            all.extend(injected(fault));
        }
        if completed {
            all.extend(healed(fault));
        }
    }
    for load in &facts.loads {
        if load.sent < load.planned && completed {
            all.push(format!(
                "load {} sent only {} of {} requests",
                load.load, load.sent, load.planned
            ));
        }
        if load.lag_p99_us > LAG_US {
            all.push(format!(
                "load {} lagged {} behind its schedule (99th percentile; at most {})",
                load.load,
                time(load.lag_p99_us),
                time(LAG_US)
            ));
        }
    }
    for writer in facts.read_back.iter().filter(|w| w.sent < w.planned) {
        if completed {
            all.push(format!(
                "writer {} sent only {} of {} writes",
                writer.writer, writer.sent, writer.planned
            ));
        }
    }
    all.extend(baseline(facts));
    all
}

fn name(fault: &Fault) -> String {
    format!("{} of {}", fault.receipt.fault_kind, fault.receipt.target)
}

fn injected(fault: &Fault) -> Option<String> {
    witness(fault.injected.as_ref(), fault, "took effect")
}

fn healed(fault: &Fault) -> Option<String> {
    if fault.healed_us.is_none() {
        return Some(format!("{} was never healed", name(fault)));
    }
    witness(fault.healed.as_ref(), fault, "is gone")
}

fn witness(report: Option<&WitnessReport>, fault: &Fault, what: &str) -> Option<String> {
    let name = name(fault);
    match report {
        None => Some(format!("no witness that {name} {what}")),
        Some(r) if !r.effective => Some(format!(
            "{} could not show that {name} {what}: {}",
            r.witness, r.problem
        )),
        Some(_) => None,
    }
}

/// The first phase, up to the first fault, must hold requests, and all of them
/// good: what is broken before a fault says nothing about the fault. Some may be
/// turned away, where that is what is tried; not all of them.
fn baseline(facts: &RunFacts) -> Option<String> {
    let Some(phase) = facts.phases.first() else {
        return Some("the record has no phase".into());
    };
    let fault = facts.first_fault_us().unwrap_or(Micros::MAX);
    let window = phase.start_us..phase.end_us.min(fault);
    let sent = |r: &&LedgerRow| window.contains(&r.scheduled_us);
    let rows: Vec<&LedgerRow> = facts.rows.iter().filter(sent).collect();
    if rows.is_empty() {
        let name = &phase.name;
        return Some(format!("no request was sent in {name}, before any fault"));
    }
    let bad = |r: &&&LedgerRow| {
        let over = r.first_error_us.unwrap_or(r.end_us);
        !matches!(r.group(), Group::Whole | Group::Shed) && over < fault
    };
    let bad: Vec<&&LedgerRow> = rows.iter().filter(bad).collect();
    let ended: Vec<&&LedgerRow> = rows.iter().filter(|r| r.end_us < fault).collect();
    let shed = ended.iter().all(|r| r.group() == Group::Shed);
    if shed && let Some(first) = ended.first() {
        return Some(format!(
            "all {} that ended before any fault were turned away, {} first ({})",
            count(ended.len(), "request"),
            first.id,
            first.fate
        ));
    }
    let first = bad.first()?;
    Some(format!(
        "{} failed before any fault, {} first ({})",
        count(bad.len(), "request"),
        first.id,
        first.fate
    ))
}
