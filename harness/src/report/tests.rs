use serde_json::{Value, json};

use super::*;
use crate::judge::Judgement;
use crate::judge::testkit::{FAULT, MS, Record};
use crate::record::{Body, OracleReport};

fn promises() -> Vec<Value> {
    vec![
        json!({"failover": {"to": "battery", "within": "10ms"}}),
        json!({"supervisor": {"reports": "on_battery", "within": "1s"}}),
        json!({"continuity": {"lost": 0, "torn": 0}}),
        json!({"latency": {"of": "ttft", "p99": "800ms", "during": "outage"}}),
        json!({"recovery": {"within": "5s"}}),
        json!({"battery": {"charge_at_least": "50%"}}),
    ]
}

fn failed() -> Record {
    Record::outage().with(|r| {
        r.bus(FAULT + 12 * MS, "pdu-a", 0.0, "");
        for n in 40..48 {
            r.tear(&format!("chat-{n}"));
        }
        for n in 48..54 {
            r.lose(&format!("chat-{n}"));
        }
    })
}

fn unproven() -> Record {
    Record::outage()
        .drop(|b| matches!(b, Body::Witness(_)))
        .with(|r| {
            r.witness(0, "injected", false);
            r.witness(0, "healed", true);
        })
}

fn show(judgement: &Judgement, color: bool) -> String {
    let board = board(judgement, &summary(judgement), "runs/run-1", color);
    if !color {
        let wide = board.lines().find(|line| line.chars().count() > 100);
        assert_eq!(wide, None);
        assert!(!board.contains('\u{1b}'), "no colours unless asked");
    }
    board
}

#[test]
fn board_of_a_pass() {
    insta::assert_snapshot!(show(&Record::outage().judge(&promises()), false));
}

#[test]
fn board_of_a_fail() {
    insta::assert_snapshot!(show(&failed().judge(&promises()), false));
}

#[test]
fn board_of_an_invalid_run() {
    insta::assert_snapshot!(show(&unproven().judge(&promises()), false));
}

#[test]
fn colours_change_nothing_but_the_colour() {
    let judgement = failed().judge(&promises());
    let painted = show(&judgement, true);
    assert!(painted.contains('\u{1b}'));
    let mut bare = String::new();
    let mut inside = false;
    for c in painted.chars() {
        match (inside, c) {
            (false, '\u{1b}') => inside = true,
            (true, 'm') => inside = false,
            (false, c) => bare.push(c),
            (true, _) => {}
        }
    }
    assert_eq!(bare, show(&judgement, false));
}

#[test]
fn summary_of_a_fail() {
    let summary = summary(&failed().judge(&promises()));
    insta::assert_json_snapshot!(summary);
    let text = serde_json::to_string(&summary).expect("json");
    assert_eq!(
        serde_json::from_str::<Summary>(&text).expect("a summary"),
        summary
    );
}

#[test]
fn every_request_is_counted_once() {
    for record in [Record::clean(), Record::outage(), Record::loss(), failed()] {
        let s = summary(&record.judge(&[]));
        let r = &s.requests;
        let groups = [
            r.completed,
            r.resumed,
            r.retried,
            r.shed,
            r.torn,
            r.lost,
            r.corrupted,
        ];
        assert_eq!(groups.iter().sum::<usize>(), r.total);
        assert_eq!(r.by_fate.values().sum::<usize>(), r.total);
        assert_eq!(s.cohorts.values().map(|c| c.size).sum::<usize>(), r.total);
        for cohort in s.cohorts.values() {
            assert_eq!(cohort.by_fate.values().sum::<usize>(), cohort.size);
        }
    }
}

fn junit(record: &Record) -> String {
    let judgement = record.judge(&promises());
    let suite = suite(
        &summary(&judgement),
        &judgement.invalid,
        "ridethrough run outage.yaml --seed 7",
    );
    document(vec![suite]).expect("xml")
}

#[test]
fn junit_tells_failures_from_errors() {
    let passed = junit(&Record::outage());
    assert!(
        passed.contains("tests=\"6\" skipped=\"0\" failures=\"0\" errors=\"0\""),
        "{passed}"
    );
    insta::assert_snapshot!(junit(&failed()));
    let invalid = junit(&unproven());
    assert!(
        invalid.contains("tests=\"7\" skipped=\"0\" failures=\"0\" errors=\"1\""),
        "{invalid}"
    );
    assert!(invalid.contains("bus meter could not show"), "{invalid}");
    assert!(
        invalid.contains("to repeat: ridethrough run outage.yaml --seed 7"),
        "{invalid}"
    );
}

#[test]
fn what_answers_were_judged_by_is_told_where_there_was_a_choice() {
    let judged = |reports: &[(&str, &str, &str)]| {
        let record = Record::outage().with(|r| {
            for (load, oracle, why) in reports {
                let report = OracleReport {
                    load: (*load).into(),
                    oracle: (*oracle).into(),
                    why: (*why).into(),
                };
                r.add(MS, Body::Oracle(report));
            }
        });
        let judgement = record.judge(&promises());
        let summary = summary(&judgement);
        (show(&judgement, false), junit(&record), summary.judged_by())
    };
    let (board, xml, line) = judged(&[("chat", "reference", "")]);
    assert_eq!(line, None);
    assert!(!board.contains("judged as") && !xml.contains("oracle"));
    let differed = "3 of 16 prompts differed, the earliest at character 212";
    let both = [("chat", "structural", differed), ("bulk", "reference", "")];
    let (board, xml, line) = judged(&both);
    let line = line.expect("a choice");
    assert_eq!(
        line,
        format!("chat structural ({differed}); bulk reference")
    );
    let words: Vec<&str> = board.split_whitespace().collect();
    let told = format!("Answers judged as: {line}.");
    assert!(words.join(" ").contains(&told), "{board}");
    assert!(xml.contains(&line), "{xml}");
}
