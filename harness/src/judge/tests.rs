use proptest::prelude::*;
use serde_json::{Value, json};

use ridethrough_targets::plant::{Change, UpsState};

use super::testkit::{END, FAULT, HEAL, MS, Record, S};
use super::{Judgement, Verdict, combine, judge, percentile};
use crate::load::Fate;
use crate::playbook::Cohort;
use crate::record::Body;

/// Judges one assertion; the run's verdict must be the assertion's.
fn one(record: &Record, assertion: Value) -> Judgement {
    let judgement = record.judge(&[assertion]);
    assert_eq!(
        judgement.verdict, judgement.assertions[0].verdict,
        "{:?}",
        judgement.invalid
    );
    judgement
}

fn expect(record: &Record, assertion: Value, verdict: Verdict) -> String {
    let judgement = one(record, assertion);
    let judged = &judgement.assertions[0];
    assert_eq!(
        judged.verdict, verdict,
        "{judged:?} {:?}",
        judgement.invalid
    );
    judged.observed.clone()
}

fn pass(record: &Record, assertion: Value) -> String {
    expect(record, assertion, Verdict::Pass)
}

fn fail(record: &Record, assertion: Value) -> String {
    expect(record, assertion, Verdict::Fail)
}

fn invalid(record: &Record, assertion: Value) -> String {
    expect(record, assertion, Verdict::Invalid)
}

#[test]
fn failover_measures_the_gap_at_the_load_bus() {
    let asked = json!({"failover": {"to": "battery", "within": "10ms"}});
    assert_eq!(
        pass(&Record::outage(), asked.clone()),
        "gap of 8 ms at pdu-a"
    );
    let tight = json!({"failover": {"to": "battery", "within": "7ms"}});
    fail(&Record::outage(), tight);
    let mains = json!({"failover": {"to": "utility", "within": "10ms"}});
    assert!(fail(&Record::outage(), mains).contains("ups-a left the mains"));
    let open = Record::outage().with(|r| r.bus(FAULT + 12 * MS, "pdu-a", 0.0, ""));
    assert!(fail(&open, asked.clone()).contains("never came back"));
    invalid(&Record::loss(), asked);
}

#[test]
fn failover_to_battery_needs_the_battery() {
    let still = Record::clean().with(|r| r.fault(0, "sag", "grid", &[], &["ups-a"]));
    let battery = json!({"failover": {"to": "battery", "within": "10ms"}});
    assert!(fail(&still, battery).contains("ups-a never went on battery"));
    pass(
        &still,
        json!({"failover": {"to": "utility", "within": "10ms"}}),
    );
}

/// Two paths; only that of `ups-a` is hit, and `pdu-b` is dead for a reason of
/// its own.
fn two_paths() -> Record {
    Record::outage().with(|r| {
        r.bus(S, "ups-b", 1.0, "grid-b");
        let change = Change::Ups {
            from: UpsState::Off,
            to: UpsState::Normal,
        };
        r.plant(S, "ups-b", change);
        r.bus(FAULT + 5 * S, "pdu-b", 0.0, "");
    })
}

#[test]
fn failover_looks_only_behind_the_ups_that_was_hit() {
    let asked = json!({"failover": {"to": "battery", "within": "10ms"}});
    assert_eq!(pass(&two_paths(), asked.clone()), "gap of 8 ms at pdu-a");
    let other = json!({"failover": {"to": "battery", "within": "10ms", "ups": "ups-b"}});
    assert_eq!(invalid(&two_paths(), other), "no fault touched ups-b");
    // Where the header names the load buses, it is believed.
    let mut events = two_paths().events();
    if let Body::Run(header) = &mut events[0].body {
        let buses = json!({"ups-a": ["pdu-a", "pdu-b"]});
        header.facts.insert("load_buses".into(), buses);
    }
    let assertion = serde_json::from_value(asked).expect("an assertion");
    let assertions = [("failover".to_string(), assertion)];
    let input = super::JudgeInput {
        events: &events,
        assertions: &assertions,
    };
    let judged = judge(input);
    assert!(
        judged.assertions[0]
            .observed
            .starts_with("pdu-b never came back")
    );
}

#[test]
fn a_bus_that_dies_with_its_ups_hangs_on_it() {
    let dead =
        two_paths().drop(|b| matches!(b, Body::Plant { component, .. } if component == "pdu-a"));
    let dead = dead.with(|r| {
        r.bus(FAULT + 30 * MS, "ups-a", 0.0, "");
        r.bus(FAULT + 30 * MS, "pdu-a", 0.0, "");
    });
    let asked = json!({"failover": {"to": "battery", "within": "10ms"}});
    assert!(fail(&dead, asked).starts_with("pdu-a never came back"));
}

#[test]
fn the_sentence_says_what_happened() {
    let text = |record: &Record| super::sentence(&record.judge(&[json!({"continuity": {}})]));
    let good = "140 of 140 requests finished; the longest pause a reader saw was 40 ms.";
    assert_eq!(
        text(&Record::clean()),
        format!("Nothing was broken. {good} The promise held.")
    );
    let two = Record::outage().with(|r| r.fault(1, "hang", "gpu-2", &["gpu-2"], &[]));
    assert_eq!(
        text(&two),
        format!("The grid was gone for 20 s, and gpu-2 hung for 20 s. {good} The promise held.")
    );
    let three = two.with(|r| r.fault(2, "loss", "gw - gpu-1", &["gw", "gpu-1"], &[]));
    assert!(text(&three).starts_with("3 faults within 20 s."));
    let how = "interrupted".to_string();
    let record = Record::outage()
        .drop(|b| matches!(b, Body::End { .. }))
        .with(|r| r.add(END, Body::End { how }));
    assert_eq!(
        text(&record),
        format!("The run was interrupted, so it says nothing. {good}")
    );
}

#[test]
fn supervisor_by_nut_and_by_itself() {
    let asked = |state: &str, via: &str, within: &str| json!({"supervisor": {"reports": state, "via": via, "within": within}});
    let record = Record::outage();
    pass(&record, asked("on_battery", "nut", "500ms"));
    fail(&record, asked("on_battery", "nut", "200ms"));
    pass(&record, asked("on_battery", "supervisor", "500ms"));
    fail(&record, asked("on_battery", "supervisor", "300ms"));
    assert_eq!(
        pass(&record, asked("utility", "nut", "2s")),
        "utility by NUT after 1.2 s"
    );
    pass(&record, asked("recovered", "supervisor", "3s"));
    assert!(fail(&record, asked("low_battery", "nut", "30s")).contains("never reported"));
    invalid(&record, asked("transferring", "nut", "1s"));
    invalid(&Record::clean(), asked("on_battery", "nut", "1s"));
}

#[test]
fn continuity_counts_groups() {
    let asked = json!({"continuity": {"lost": 0, "torn": 0}});
    pass(&Record::loss(), asked.clone());
    let torn = Record::loss().with(|r| r.tear("chat-40"));
    assert_eq!(
        fail(&torn, asked.clone()),
        "0 lost, 1 torn, 0 corrupted, 2 resumed of 140 requests"
    );
    let judged = one(&torn, asked.clone());
    assert_eq!(judged.assertions[0].evidence, ["chat-40"]);
    fail(&Record::loss().with(|r| r.lose("chat-40")), asked.clone());
    let wrong = |r: &mut Record| r.edit("chat-40", |row| row.fate = Fate::Duplicated);
    fail(&Record::loss().with(wrong), asked);
    pass(
        &Record::loss(),
        json!({"continuity": {"resumed_at_least": 2}}),
    );
    fail(
        &Record::loss(),
        json!({"continuity": {"resumed_at_least": 3}}),
    );
    let shed = |r: &mut Record| r.edit("chat-40", |row| row.fate = Fate::Shed);
    let shed = Record::loss().with(shed);
    pass(
        &shed,
        json!({"continuity": {"shed": 1, "shed_at_least": 1}}),
    );
    fail(&shed, json!({"continuity": {"shed": 0}}));
    fail(&Record::loss(), json!({"continuity": {"shed_at_least": 1}}));
}

#[test]
fn a_cohort_too_small_never_passes() {
    let asked =
        |least: u32| json!({"continuity": {"of": {"cohort": "in_flight", "at_least": least}}});
    pass(&Record::loss(), asked(1));
    assert!(invalid(&Record::loss(), asked(50)).contains("at least 50 needed"));
    invalid(&Record::clean(), asked(0));
    let phase = json!({"continuity": {"of": {"during": "nowhere"}}});
    assert!(invalid(&Record::loss(), phase).contains("no phase `nowhere`"));
    invalid(
        &Record::loss(),
        json!({"availability": {"at_least": "1%", "of": {"class": "batch"}}}),
    );
    invalid(
        &Record::outage(),
        json!({"latency": {"of": "itl", "p99": "1s", "cohort": "in_flight"}}),
    );
    invalid(
        &Record::loss(),
        json!({"goodput": {"at_least": "1/s", "during": "nowhere"}}),
    );
}

#[test]
fn latency_in_every_metric() {
    for (metric, fits, misses) in [
        ("ttft", "100ms", "99ms"),
        ("itl", "40ms", "39ms"),
        ("tpot", "40ms", "39ms"),
        ("e2e", "460ms", "459ms"),
        ("silence", "40ms", "39ms"),
    ] {
        pass(
            &Record::clean(),
            json!({"latency": {"of": metric, "p50": fits, "max": fits}}),
        );
        fail(
            &Record::clean(),
            json!({"latency": {"of": metric, "p50": fits, "p99": misses}}),
        );
    }
    let silence = json!({"latency": {"of": "silence", "max": "540ms"}});
    assert_eq!(
        pass(&Record::loss(), silence),
        "silence max 540 ms over 140"
    );
}

#[test]
fn a_request_without_a_token_is_not_left_out_of_latency() {
    let asked = json!({"latency": {"of": "ttft", "max": "800ms", "during": "outage"}});
    pass(&Record::loss(), asked.clone());
    let lost = Record::loss().with(|r| r.lose("chat-40"));
    let observed = fail(&lost, asked);
    assert!(observed.contains("max never"), "{observed}");
    assert!(observed.contains("1 never got a first token"), "{observed}");
    // One of 80 is within the worst 10 %.
    pass(
        &lost,
        json!({"latency": {"of": "ttft", "p90": "800ms", "during": "outage"}}),
    );
    let torn = Record::loss().with(|r| r.tear("chat-40"));
    fail(&torn, json!({"latency": {"of": "e2e", "max": "10s"}}));
}

#[test]
fn availability_is_a_share() {
    let torn = Record::loss().with(|r| r.tear("chat-40"));
    let asked =
        |share: &str| json!({"availability": {"at_least": share, "of": {"during": "outage"}}});
    assert_eq!(pass(&torn, asked("98%")), "98.75%: 79 of 80 during outage");
    fail(&torn, asked("99%"));
}

#[test]
fn goodput_counts_whole_and_timely() {
    let asked = |rate: &str, ttft: &str| json!({"goodput": {"at_least": rate, "ttft": ttft, "tpot": "50ms", "during": "outage"}});
    pass(&Record::outage(), asked("4/s", "100ms"));
    fail(&Record::outage(), asked("4/s", "99ms"));
    fail(
        &Record::outage().with(|r| r.tear("chat-40")),
        asked("4/s", "100ms"),
    );
}

#[test]
fn recovery_ends_with_the_last_affected_request() {
    let asked = json!({"recovery": {"within": "2s"}});
    assert_eq!(
        pass(&Record::loss(), asked.clone()),
        "no affected request after the heal"
    );
    let soon = Record::loss().with(|r| r.tear("chat-101"));
    assert!(pass(&soon, asked.clone()).starts_with("711 ms"));
    let late = Record::loss().with(|r| r.tear("chat-120"));
    fail(&late, asked.clone());
    let slow = |r: &mut Record| r.edit("chat-120", |row| row.token_us[0] += 400 * MS);
    fail(&Record::loss().with(slow), asked.clone());
    invalid(&Record::clean(), asked);
}

#[test]
fn eviction_and_readmission() {
    let asked = |kind: &str, within: &str| json!({kind: {"within": within}});
    let record = Record::loss();
    assert_eq!(
        pass(&record, asked("eviction", "1s")),
        "gpu-2 taken out after 580 ms"
    );
    fail(&record, asked("eviction", "500ms"));
    assert_eq!(
        pass(&record, asked("readmission", "1s")),
        "gpu-2 taken back after 500 ms"
    );
    fail(&record, asked("readmission", "400ms"));
    let blind = record.clone().drop(|b| matches!(b, Body::State { .. }));
    assert!(fail(&blind, asked("eviction", "1h")).contains("never taken out"));
    fail(&blind, asked("readmission", "1h"));
    invalid(&Record::clean(), asked("eviction", "1s"));
    invalid(
        &record,
        json!({"eviction": {"within": "1s", "replica": "gpu-1"}}),
    );
}

#[test]
fn readmission_of_a_replica_that_hung_counts_from_the_heal() {
    let hung = Record::clean().with(|r| {
        r.fault(0, "hang", "gpu-2", &["gpu-2"], &[]);
        r.state(FAULT + S, "replica:gpu-2", "unhealthy");
        r.state(HEAL + S, "replica:gpu-2", "healthy");
    });
    pass(&hung, json!({"readmission": {"within": "1s"}}));
    fail(&hung, json!({"readmission": {"within": "900ms"}}));
    let early = Record::clean().with(|r| {
        r.fault(0, "hang", "gpu-2", &["gpu-2"], &[]);
        r.state(FAULT + S, "replica:gpu-2", "unhealthy");
        r.state(HEAL - S, "replica:gpu-2", "healthy");
    });
    let asked = json!({"readmission": {"within": "1ms"}});
    assert_eq!(pass(&early, asked), "gpu-2 taken back after 0 ms");
}

#[test]
fn battery_at_its_lowest() {
    let asked = |share: &str| json!({"battery": {"charge_at_least": share}});
    assert_eq!(
        pass(&Record::outage(), asked("60%")),
        "62% left in ups-a at its lowest"
    );
    fail(&Record::outage(), asked("63%"));
    let meters = Record::outage().with(|r| {
        let body = Body::Meters {
            voltage_pu: Default::default(),
            charge: [("ups-a".to_string(), 0.4)].into(),
            watts: Default::default(),
        };
        r.add(HEAL, body);
    });
    fail(&meters, asked("60%"));
    invalid(
        &Record::outage(),
        json!({"battery": {"charge_at_least": "1%", "ups": "ups-b"}}),
    );
}

#[test]
fn detection_is_the_first_error_of_a_victim() {
    let asked = |within: &str| json!({"detection": {"within": within}});
    assert_eq!(pass(&Record::loss(), asked("1s")), "no client met an error");
    let torn = Record::loss().with(|r| {
        r.tear("chat-21");
        r.edit("chat-21", |row| row.first_error_us = Some(FAULT + 520 * MS));
    });
    assert_eq!(
        pass(&torn, asked("1s")),
        "first error after 500 ms (chat-21)"
    );
    fail(&torn, asked("400ms"));
    let hung = Record::loss().with(|r| r.edit("chat-21", |row| row.fate = Fate::Hung));
    assert!(fail(&hung, asked("1h")).contains("hung to the end"));
    invalid(&Record::clean(), asked("1s"));
}

#[test]
fn nodes_lost_and_braked() {
    pass(
        &Record::loss(),
        json!({"nodes": {"lost_at_least": 1, "lost_at_most": 1}}),
    );
    fail(&Record::loss(), json!({"nodes": {"lost_at_most": 0}}));
    fail(&Record::outage(), json!({"nodes": {"lost_at_least": 1}}));
    let braked = Record::outage().with(|r| {
        r.plant(FAULT, "gpu-1", Change::Brake { clocks: 0.5 });
        r.plant(HEAL, "gpu-1", Change::Brake { clocks: 1.0 });
    });
    pass(&braked, json!({"nodes": {"braked_at_least": 1}}));
    fail(&braked, json!({"nodes": {"braked_at_most": 0}}));
    invalid(&braked, json!({"nodes": {}}));
    let booting = Record::outage().with(|r| r.plant(S, "gpu-1", Change::NodePower { on: false }));
    pass(&booting, json!({"nodes": {"lost_at_most": 0}}));
}

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

/// One assertion of every kind.
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
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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
            let input = super::JudgeInput { events: &events, assertions: &assertions };
            let judgement = judge(input);
            prop_assert_eq!(judgement.assertions.len(), assertions.len());
            prop_assert!(ended || judgement.verdict != Verdict::Pass);
            prop_assert_eq!(judgement.facts.cohorts.len(), judgement.facts.rows.len());
            let summary = crate::report::summary(&judgement);
            let board = crate::report::board(&judgement, &summary, "runs/x", false);
            prop_assert!(board.lines().all(|line| line.chars().count() <= 100));
        }
    }
}
