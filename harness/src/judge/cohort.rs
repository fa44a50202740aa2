//! Requests by time and place relative to the faults.

use std::collections::{BTreeMap, BTreeSet};

use ridethrough_targets::clock::Micros;

use super::attempts::Tried;
use super::facts::{Hit, RunFacts};
use crate::load::LedgerRow;
use crate::playbook::Cohort;

/// A cohort as a summary names it.
pub fn cohort_name(cohort: Cohort) -> &'static str {
    match cohort {
        Cohort::InFlight => "in_flight",
        Cohort::SentToVictim => "sent_to_victim",
        Cohort::SentElsewhere => "sent_elsewhere",
        Cohort::AfterHeal => "after_heal",
        Cohort::Before => "before",
    }
}

/// A time that a request spent on a node.
struct Stay<'a> {
    node: &'a str,
    start_us: Micros,
    end_us: Micros,
}

/// Puts every request in exactly one cohort; the one nearest to a fault wins.
pub(crate) fn cohorts(facts: &RunFacts) -> BTreeMap<String, Cohort> {
    let gateways: BTreeSet<String> = facts.gateways().into_iter().map(Into::into).collect();
    let of = |row: &LedgerRow| cohort(facts, &gateways, row);
    facts
        .rows
        .iter()
        .map(|row| (row.id.clone(), of(row)))
        .collect()
}

fn cohort(facts: &RunFacts, gateways: &BTreeSet<String>, row: &LedgerRow) -> Cohort {
    if let Some(hit) = struck(facts, gateways, row, facts.hits.iter()) {
        return hit;
    }
    let lasted = |f: &super::Fault| f.start_us()..f.end_us(facts.last_us);
    if facts
        .faults
        .iter()
        .any(|f| lasted(f).contains(&row.sent_us))
    {
        return Cohort::SentElsewhere;
    }
    let after = |f: &super::Fault| row.sent_us >= f.end_us(facts.last_us);
    if facts.faults.iter().any(after) {
        Cohort::AfterHeal
    } else {
        Cohort::Before
    }
}

/// Requests that were in flight on a node when one of these hits began, or were
/// sent to it while it lasted.
pub(crate) fn victims<'a>(facts: &'a RunFacts, hits: &[&Hit]) -> Vec<&'a LedgerRow> {
    let gateways: BTreeSet<String> = facts.gateways().into_iter().map(Into::into).collect();
    let hit = |row: &&LedgerRow| struck(facts, &gateways, row, hits.iter().copied()).is_some();
    facts.rows.iter().filter(hit).collect()
}

/// How a request met any of these hits, if it did.
fn struck<'h>(
    facts: &RunFacts,
    gateways: &BTreeSet<String>,
    row: &LedgerRow,
    hits: impl Iterator<Item = &'h Hit>,
) -> Option<Cohort> {
    let stays = stays(facts, row);
    let mut sent = false;
    for hit in hits {
        let on = stays.iter().filter(|s| s.node == hit.node);
        let mut times: Vec<_> = on.map(|s| (s.start_us, s.end_us)).collect();
        if gateways.contains(&hit.node) && passes(facts, row, &hit.node) {
            times.push((row.sent_us, row.end_us));
        }
        let open = |(s, e): &(Micros, Micros)| *s < hit.start_us && *e >= hit.start_us;
        if times.iter().any(open) {
            return Some(Cohort::InFlight);
        }
        let lasted = hit.start_us..hit.end_us;
        sent |= times.iter().any(|(s, _)| lasted.contains(s));
    }
    sent.then_some(Cohort::SentToVictim)
}

/// A request goes through a gateway that made attempts for it. One that made
/// none (it was dead) says nothing, so a request without any attempt counts.
fn passes(facts: &RunFacts, row: &LedgerRow, gateway: &str) -> bool {
    let attempts = facts.attempts.of(&row.id);
    attempts.is_empty() || attempts.iter().any(|tried| tried.gateway == gateway)
}

/// Where a request was, by the gateway's word; for replicas that the gateway
/// did not speak of (it may have died with its knowledge), by its tokens.
fn stays<'a>(facts: &'a RunFacts, row: &'a LedgerRow) -> Vec<Stay<'a>> {
    let attempts = facts.attempts.of(&row.id).iter();
    let mut all: Vec<Stay<'a>> = attempts
        .map(|Tried { attempt, .. }| Stay {
            node: &attempt.replica,
            start_us: attempt.start_us,
            end_us: attempt.end_us,
        })
        .collect();
    let known: BTreeSet<&str> = all.iter().map(|s| s.node).collect();
    let mut at = 0;
    let times: Vec<Micros> = row
        .token_us
        .iter()
        .map(|gap| {
            at = gap.saturating_add(at);
            at
        })
        .collect();
    let moment = |index: u32| times.get(index as usize).copied();
    for (i, (node, first)) in row.served_by.iter().enumerate() {
        if known.contains(&**node) {
            continue;
        }
        let start = if i == 0 { None } else { moment(*first) };
        let next = row
            .served_by
            .get(i + 1)
            .and_then(|(_, index)| moment(*index));
        all.push(Stay {
            node,
            start_us: start.unwrap_or(row.sent_us),
            end_us: next.unwrap_or(row.end_us),
        });
    }
    all
}
