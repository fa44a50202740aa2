use serde_json::{Value, json};

use ridethrough_targets::plant::{Change, UpsState};

use super::testkit::{END, FAULT, HEAL, MS, Record, S, retime};
use super::{Judgement, RunFacts, Verdict, judge};
use crate::load::Fate;
use crate::record::Body;

/// Judges one assertion; the run's verdict must be the assertion's.
pub(super) fn one(record: &Record, assertion: Value) -> Judgement {
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

pub(super) fn pass(record: &Record, assertion: Value) -> String {
    expect(record, assertion, Verdict::Pass)
}

pub(super) fn fail(record: &Record, assertion: Value) -> String {
    expect(record, assertion, Verdict::Fail)
}

pub(super) fn invalid(record: &Record, assertion: Value) -> String {
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
    let judged = judge(RunFacts::of(events), &assertions);
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
        format!(
            "The grid was gone for 20 s, and gpu-2 hung for 20 s. Battery took over in 8 ms. {good} \
             The promise held."
        )
    );
    let dead = Record::outage().with(|r| r.bus(FAULT + 30 * MS, "pdu-a", 0.0, ""));
    let dead = text(&dead);
    assert!(dead.contains("pdu-a had no power for 19.97 s."), "{dead}");
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
    let slow = |r: &mut Record| r.edit("chat-120", |row| retime(row, |times| times[0] += 400 * MS));
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
    assert!(pass(&torn, asked("1s")).starts_with("first error after 500 ms (chat-21);"));
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
