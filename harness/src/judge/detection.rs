//! How soon a client that is hit gets its first error.

use super::facts::RunFacts;
use super::finding::{Finding, ids};
use super::quantity::{count, room_ms, time};
use crate::load::{Fate, LedgerRow};
use crate::playbook::{Cohort, DetectionAssert};

pub(crate) fn judge(facts: &RunFacts, asked: &DetectionAssert) -> Finding {
    let limit = format!("first error within {} of the fault", asked.within);
    let fault = facts.first_fault_us();
    let hit = facts.hits.iter().map(|h| h.start_us).min();
    let Some(start) = hit.or(fault) else {
        return Finding::invalid("no fault to count from".into(), limit);
    };
    let victim = |row: &&LedgerRow| {
        let cohort = facts.cohorts.get(&row.id);
        matches!(cohort, Some(Cohort::InFlight | Cohort::SentToVictim))
    };
    let mut rows: Vec<&LedgerRow> = facts.rows.iter().filter(victim).collect();
    if rows.is_empty() {
        // No machine was hit; an error may still have come from elsewhere.
        rows = facts.rows.iter().filter(|r| r.end_us >= start).collect();
    }
    let error = |row: &&LedgerRow| row.first_error_us.filter(|t| *t >= start);
    let first = rows
        .iter()
        .filter_map(|r| Some((error(r)?, r)))
        .min_by_key(|(t, _)| *t);
    if let Some((at, row)) = first {
        let took = at - start;
        let observed = format!("first error after {} ({})", time(took), row.id);
        return Finding::held(took <= asked.within.micros(), observed, limit)
            .margin(room_ms(asked.within.micros(), took), "ms")
            .evidence(vec![row.id.clone()]);
    }
    // A client that was left hanging was hit and never told.
    let hung: Vec<&LedgerRow> = rows.into_iter().filter(|r| r.fate == Fate::Hung).collect();
    if hung.is_empty() {
        return Finding::held(true, "no client met an error".into(), limit);
    }
    let observed = format!(
        "{} hung to the end without an error",
        count(hung.len(), "request")
    );
    Finding::held(false, observed, limit).evidence(ids(hung.into_iter()))
}
