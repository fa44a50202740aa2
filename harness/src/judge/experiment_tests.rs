use proptest::prelude::*;
use serde_json::{Value, json};

use ridethrough_targets::plant::UpsState;

use super::testkit::{END, FAULT, MS, Record, S};
use super::{RunFacts, Verdict, combine, judge, percentile};
use crate::load::Fate;
use crate::playbook::Cohort;
use crate::record::Body;

#[test]
fn cohorts_by_time_and_place() {
    let facts = Record::loss().judge(&[]).facts;
    let of = |n: u32| facts.cohorts[&format!("chat-{n}")];
    // 19 runs on gpu-2 when it dies, 20 is sent to gpu-1 at the fault's start,
    // 21 is sent to gpu-2 before the gateway knows.
    assert_eq!(of(0), Cohort::Before);
    assert_eq!(of(18), Cohort::Before);
    assert_eq!(of(19), Cohort::InFlight);
    assert_eq!(of(20), Cohort::SentElsewhere);
    assert_eq!(of(21), Cohort::SentToVictim);
    assert_eq!(of(23), Cohort::SentElsewhere);
    assert_eq!(of(100), Cohort::AfterHeal);
    assert_eq!(facts.cohorts.len(), 140);
}

#[test]
fn tokens_place_a_request_that_no_gateway_spoke_of() {
    let record = Record::loss().drop(|b| matches!(b, Body::Attempt(_)));
    let facts = record.judge(&[]).facts;
    assert_eq!(facts.cohorts["chat-19"], Cohort::InFlight);
    assert_eq!(facts.cohorts["chat-18"], Cohort::Before);
}

#[test]
fn a_dead_gateway_has_every_open_request() {
    let clean = Record::clean().with(|r| r.request("open", "gpu-1", FAULT - 200 * MS, 10));
    let hung = clean
        .clone()
        .with(|r| r.fault(0, "hang", "gw", &["gw"], &[]));
    let facts = hung.judge(&[]).facts;
    assert_eq!(facts.cohorts["open"], Cohort::InFlight);
    assert_eq!(facts.cohorts["chat-18"], Cohort::Before);
    assert_eq!(facts.cohorts["chat-40"], Cohort::SentToVictim);
    // Cut off from one replica, a gateway still serves with the other.
    let cut = clean.with(|r| r.fault(0, "partition", "gw - gpu-2", &["gw", "gpu-2"], &[]));
    let facts = cut.judge(&[]).facts;
    assert_eq!(facts.cohorts["open"], Cohort::Before);
    assert_eq!(facts.cohorts["chat-19"], Cohort::InFlight);
}

#[test]
fn a_utility_outage_that_a_ups_carries_has_no_victims() {
    let facts = Record::outage().judge(&[]).facts;
    assert!(facts.hits.is_empty());
    assert_eq!(facts.cohorts["chat-40"], Cohort::SentElsewhere);
}

/// What makes the experiment invalid, in words.
fn broken(record: Record) -> String {
    let judgement = record.judge(&[json!({"continuity": {"lost": 0}})]);
    assert_eq!(judgement.verdict, Verdict::Invalid);
    assert_eq!(judgement.exit, 3);
    assert_eq!(judgement.invalid.len(), 1, "{:?}", judgement.invalid);
    judgement.invalid[0].clone()
}

#[test]
fn an_experiment_that_did_not_hold_is_invalid() {
    let stage =
        |wanted: &'static str| move |b: &Body| matches!(b, Body::Witness(w) if w.stage == wanted);
    let none = Record::outage().drop(stage("injected"));
    assert!(broken(none.clone()).contains("no witness that utility_outage of grid took effect"));
    let idle = none.with(|r| r.witness(0, "injected", false));
    assert!(broken(idle).contains("the bus stayed at 1 pu"));
    assert!(broken(Record::outage().drop(stage("healed"))).contains("is gone"));
    let unhealed = Record::outage().drop(|b| matches!(b, Body::FaultHealed { .. }));
    assert!(broken(unhealed).contains("never healed"));
    let endless = Record::outage().drop(|b| matches!(b, Body::End { .. }));
    assert!(broken(endless).contains("no end"));
    let load = |planned, lag_p99_us| {
        let record = Record::outage().drop(|b| matches!(b, Body::LoadDone { .. }));
        record.with(|r| {
            let load = "chat".into();
            let sent = 140;
            r.add(
                END,
                Body::LoadDone {
                    load,
                    planned,
                    sent,
                    lag_p99_us,
                },
            );
        })
    };
    assert!(broken(load(141, 0)).contains("sent only 140 of 141"));
    assert!(broken(load(140, 60 * MS)).contains("lagged 60 ms"));
    assert!(broken(Record::outage().with(|r| r.tear("chat-3"))).contains("chat-3 first"));
    let turned_away = |r: &mut Record, all: bool| {
        let before: Vec<String> = r
            .rows()
            .filter(|row| row.end_us < FAULT)
            .map(|row| row.id.clone())
            .collect();
        for id in before.iter().skip(usize::from(!all)) {
            r.edit(id, |row| row.fate = Fate::Shed);
        }
    };
    let told = broken(Record::outage().with(|r| turned_away(r, true)));
    assert!(
        told.contains("that ended before any fault were turned away"),
        "{told}"
    );
    let some = Record::outage().with(|r| turned_away(r, false));
    assert_eq!(some.judge(&[]).verdict, Verdict::Pass);
    let early = |b: &Body| matches!(b, Body::Request(row) if row.scheduled_us < FAULT);
    assert!(broken(Record::outage().drop(early)).contains("no request was sent in baseline"));
    let reason = |r: &mut Record| {
        r.add(
            S,
            Body::Invalid {
                reason: "no rate".into(),
            },
        )
    };
    assert_eq!(broken(Record::outage().with(reason)), "no rate");
}

#[test]
fn an_invalid_experiment_outweighs_a_failed_assertion() {
    let record = Record::loss()
        .drop(|b| matches!(b, Body::Witness(_)))
        .with(|r| r.tear("chat-40"));
    let judgement = record.judge(&[json!({"continuity": {}})]);
    assert_eq!(judgement.assertions[0].verdict, Verdict::Fail);
    assert_eq!((judgement.verdict, judgement.exit), (Verdict::Invalid, 3));
}

#[test]
fn an_interrupted_run_has_its_own_exit_code() {
    let how = "interrupted".to_string();
    let record = Record::outage()
        .drop(|b| matches!(b, Body::End { .. } | Body::FaultHealed { .. }))
        .with(|r| r.add(END, Body::End { how }));
    assert_eq!(record.judge(&[]).exit, 130);
}

#[test]
fn verdicts_combine() {
    use Verdict::{Fail, Invalid, Pass};
    assert_eq!(combine(&[Pass, Invalid, Fail]), Fail);
    assert_eq!(combine(&[Pass, Invalid]), Invalid);
    assert_eq!(combine(&[Pass, Pass]), Pass);
    assert_eq!(combine(&[]), Invalid);
    assert_eq!([Pass, Fail, Invalid].map(Verdict::exit), [0, 1, 3]);
}

#[test]
fn percentiles_are_by_nearest_rank() {
    let list: Vec<u32> = (1..=100).collect();
    assert_eq!(percentile(&list, 0.5), Some(50));
    assert_eq!(percentile(&list, 0.99), Some(99));
    assert_eq!(percentile(&list, 1.0), Some(100));
    assert_eq!(percentile(&list, 0.0), Some(1));
    assert_eq!(percentile::<u32>(&[], 0.5), None);
}

/// Assertions of every kind, of the whole run and of a phase.
fn every_kind() -> Vec<Value> {
    vec![
        json!({"failover": {"to": "battery", "within": "10ms"}}),
        json!({"supervisor": {"reports": "on_battery", "within": "1s"}}),
        json!({"continuity": {"of": {"cohort": "in_flight"}}}),
        json!({"latency": {"of": "e2e", "p99": "1s", "max": "2s"}}),
        json!({"availability": {"at_least": "99%"}}),
        json!({"goodput": {"at_least": "1/s", "ttft": "1s"}}),
        json!({"recovery": {"within": "1s"}}),
        json!({"eviction": {"within": "1s"}}),
        json!({"readmission": {"within": "1s"}}),
        json!({"battery": {"charge_at_least": "10%"}}),
        json!({"detection": {"within": "1s"}}),
        json!({"nodes": {"lost_at_most": 0}}),
        json!({"failover": {"to": "battery", "within": "10ms", "during": "outage"}}),
        json!({"supervisor": {"reports": "utility", "within": "1s", "during": "outage"}}),
        json!({"goodput": {"at_least": "1/s", "class": "interactive", "during": "outage"}}),
        json!({"recovery": {"within": "1s", "during": "outage"}}),
        json!({"eviction": {"within": "1s", "during": "outage"}}),
        json!({"battery": {"charge_at_least": "10%", "during": "recovery"}}),
        json!({"detection": {"within": "1s", "during": "outage"}}),
        json!({"nodes": {"lost_at_most": 0, "during": "outage"}}),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A record's lines may come in any order: their times and numbers count.
    #[test]
    fn the_order_of_lines_means_nothing(
        order in proptest::collection::vec(any::<u32>(), 700),
        loss in any::<bool>(),
    ) {
        let record = if loss { Record::loss() } else { Record::outage() };
        let record = record.with(|r| {
            for (at, charge) in [(FAULT, 0.9), (FAULT + S, 0.6), (FAULT + 2 * S, 0.6)] {
                r.charge(at, "ups-a", charge);
            }
            r.witness(0, "injected", false);
            r.lose("chat-30");
            r.tear("chat-19");
        });
        let events = record.events();
        prop_assert!(events.len() <= order.len());
        let mut shuffled: Vec<_> = order.into_iter().zip(events.iter().cloned()).collect();
        shuffled.sort_by_key(|(place, _)| *place);
        let shuffled = shuffled.into_iter().map(|(_, event)| event);
        let assertions: Vec<_> = every_kind().into_iter().map(|v| {
            (v.to_string(), serde_json::from_value(v).expect("an assertion"))
        }).collect();
        let ordered = judge(RunFacts::of(events), &assertions);
        prop_assert_eq!(judge(RunFacts::of(shuffled), &assertions), ordered);
    }

    /// Whatever is missing and in whatever order the rest comes, judging ends
    /// with an answer, and a record without its end never passes.
    #[test]
    fn judging_never_panics(
        keep in proptest::collection::vec(any::<bool>(), 400),
        shift in proptest::collection::vec(0u64..40_000_000, 400),
        shuffle in any::<bool>(),
    ) {
        let assertions: Vec<_> = every_kind().into_iter().map(|v| {
            (v.to_string(), serde_json::from_value(v).expect("an assertion"))
        }).collect();
        for record in [Record::outage(), Record::loss()] {
            let record = record.with(|r| {
                r.ups(FAULT, UpsState::Off, UpsState::Normal);
                r.lose("chat-30");
                r.tear("chat-19");
            });
            let mut events = record.events();
            if shuffle {
                for (event, by) in events.iter_mut().zip(&shift) {
                    event.t_us = *by;
                }
            }
            let mut kept = keep.iter().cycle();
            events.retain(|_| kept.next().copied().unwrap_or(true));
            let ended = events.iter().any(|e| matches!(e.body, Body::End { .. }));
            let judgement = judge(RunFacts::of(events), &assertions);
            prop_assert_eq!(judgement.assertions.len(), assertions.len());
            prop_assert!(ended || judgement.verdict != Verdict::Pass);
            prop_assert_eq!(judgement.facts.cohorts.len(), judgement.facts.rows.len());
            let summary = crate::report::summary(&judgement);
            let board = crate::report::board(&judgement, &summary, "runs/x", false);
            prop_assert!(board.lines().all(|line| line.chars().count() <= 100));
        }
    }
}
