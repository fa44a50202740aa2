//! How soon a client that is hit gets its first error, beside the bound that its
//! own timeouts imply.

use ridethrough_targets::clock::Micros;

use super::cohort;
use super::facts::RunFacts;
use super::finding::{Finding, ids};
use super::patience::implied;
use super::quantity::{count, room_ms, time};
use super::window::Window;
use crate::load::{Fate, LedgerRow};
use crate::playbook::DetectionAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &DetectionAssert) -> Finding {
    let limit = format!("first error within {} of the fault", asked.within);
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let hits = window.hits(facts);
    let hit = hits.iter().map(|h| h.start_us).min();
    let Some(start) = hit.or(window.first_fault_us(facts)) else {
        let why = format!("no fault to count from{}", window.words());
        return Finding::invalid(why, limit);
    };
    let mut rows = cohort::victims(facts, &hits);
    let mut until = Micros::MAX;
    if rows.is_empty() {
        // No machine was hit; an error may still have come from elsewhere, up
        // to where another phase's fault may be its cause.
        until = window.disturbed_us(facts, start);
        let own = |r: &&LedgerRow| r.end_us >= start && r.scheduled_us < until;
        rows = facts.rows.iter().filter(own).collect();
    }
    let error = |row: &&LedgerRow| row.first_error_us.filter(|t| (start..until).contains(t));
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

    use ridethrough_targets::units::Span;

    use super::super::patience::{CLIENTS, patience};
    use super::super::testkit::{FAULT, MS, Record};
    use super::super::verdict::Verdict;
    use super::super::{RunFacts, judge};
    use crate::load::Fate;
    use crate::playbook::tests::good;
    use crate::playbook::{Assertion, ClientSpec, KeepaliveSpec, Timeout};
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

    /// What `chat-21` says when its clients are changed.
    fn with_clients(change: impl FnOnce(&mut ClientSpec)) -> String {
        let mut loads = good().playbook.load;
        change(&mut loads[0].client);
        observed(Some(patience(&loads)), Fate::Gap, true).1
    }

    #[test]
    fn keepalive_is_its_first_probe_and_all_that_fail() {
        let text = with_clients(|client| {
            client.idle_timeout = Timeout::Never;
            client.keepalive = Some(KeepaliveSpec {
                idle: Span::from_secs(10),
                interval: Span::from_secs(5),
                count: 3,
            });
        });
        assert!(text.ends_with("imply 25 s (keepalive)"), "{text}");
    }

    #[test]
    fn never_is_no_bound() {
        let text = with_clients(|client| client.idle_timeout = Timeout::Never);
        assert!(text.ends_with("imply 120 s (total timeout)"), "{text}");
        let text = with_clients(|client| {
            client.idle_timeout = Timeout::Never;
            client.total_timeout = Timeout::Never;
        });
        assert!(text.ends_with("it would never notice by itself"), "{text}");
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
