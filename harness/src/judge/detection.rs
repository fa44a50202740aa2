//! How soon a client that is hit gets its first error, beside the bound that its
//! own timeouts imply.

use super::facts::RunFacts;
use super::finding::{Finding, ids};
use super::patience::implied;
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
        let implied = implied(facts, row);
        let observed = format!("first error after {} ({}); {implied}", time(took), row.id);
        return Finding::held(took <= asked.within.micros(), observed, limit)
            .margin(room_ms(asked.within.micros(), took), "ms")
            .evidence(vec![row.id.clone()]);
    }
    // A client that was left hanging was hit and never told.
    let hung: Vec<&LedgerRow> = rows.into_iter().filter(|r| r.fate == Fate::Hung).collect();
    let Some(first) = hung.first() else {
        return Finding::held(true, "no client met an error".into(), limit);
    };
    let observed = format!(
        "{} hung to the end without an error; {}",
        count(hung.len(), "request"),
        implied(facts, first)
    );
    Finding::held(false, observed, limit).evidence(ids(hung.into_iter()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::patience::{CLIENTS, patience};
    use super::super::testkit::{FAULT, MS, Record};
    use super::super::verdict::Verdict;
    use super::super::{RunFacts, judge};
    use crate::load::Fate;
    use crate::playbook::Assertion;
    use crate::playbook::tests::good;
    use crate::record::Body;

    /// The record of a loss in which `chat-21` meets an error, or hangs, with
    /// clients of this patience.
    fn observed(clients: Option<Value>, fate: Fate, connected: bool) -> (Verdict, String) {
        let record = Record::loss().with(|r| {
            r.tear("chat-21");
            r.edit("chat-21", |row| {
                row.first_error_us = (fate != Fate::Hung).then_some(FAULT + 520 * MS);
                row.fate = fate;
                row.connected_us = row.connected_us.filter(|_| connected);
            });
        });
        let mut events = record.events();
        for event in &mut events {
            if let (Body::Run(header), Some(clients)) = (&mut event.body, &clients) {
                header.facts.insert(CLIENTS.into(), clients.clone());
            }
        }
        let asked = serde_json::from_value(json!({"detection": {"within": "1s"}}));
        let asked: Assertion = asked.expect("an assertion");
        let judged = judge(RunFacts::of(events), &[("detection".into(), asked)]);
        let judged = &judged.assertions[0];
        (judged.verdict, judged.observed.clone())
    }

    #[test]
    fn the_bound_of_its_own_timeouts_stands_beside() {
        let clients = patience(&good().playbook.load);
        let (verdict, text) = observed(Some(clients.clone()), Fate::Gap, true);
        assert_eq!(verdict, Verdict::Pass);
        let expected =
            "first error after 500 ms (chat-21); its own timeouts imply 10 s (idle timeout)";
        assert_eq!(text, expected);
        let (_, text) = observed(Some(clients), Fate::Gap, false);
        assert!(text.ends_with("imply 2 s (connect timeout)"), "{text}");
        let keepalive = json!({"chat": {"idle_timeout_us": 9_000_000, "keepalive_us": 4_000_000}});
        let (_, text) = observed(Some(keepalive), Fate::Gap, true);
        assert!(text.ends_with("imply 4 s (keepalive)"), "{text}");
    }

    #[test]
    fn a_client_without_a_bound_would_never_notice() {
        let deaf = json!({"chat": {"connect_timeout_us": 2_000_000}});
        let (verdict, text) = observed(Some(deaf), Fate::Hung, true);
        assert_eq!(verdict, Verdict::Fail);
        assert!(text.ends_with("it would never notice by itself"), "{text}");
    }

    #[test]
    fn a_record_without_timeouts_says_so() {
        let (_, text) = observed(None, Fate::Gap, true);
        assert!(text.ends_with("is not in the record"), "{text}");
    }
}
