use serde_json::{Value, json};

use super::*;
use crate::judge::testkit::{FAULT, MS, Record};
use crate::judge::{Judgement, Steadiness, Verdict, sentence};
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

fn told(judgement: &Judgement) -> Told {
    let place = |line| Spot {
        file: "outage.yaml".into(),
        line,
    };
    Told {
        summary: summary(judgement),
        sentence: sentence(judgement),
        repeat: "ridethrough run outage.yaml --seed 7".into(),
        folder: "runs/run-1".into(),
        control: None,
        expected: None,
        places: (21..27).map(place).collect(),
        warnings: Vec::new(),
    }
}

fn junit(record: &Record) -> String {
    let suite = suite(&told(&record.judge(&promises())));
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

/// What a run that must fail tells: nothing is broken where it did.
#[test]
fn a_canary_is_good_only_where_it_was_caught() {
    let mut caught = told(&failed().judge(&promises()));
    caught.expected = Some("fail:continuity".parse().expect("an expectation"));
    let xml = document(vec![suite(&caught)]).expect("xml");
    assert!(
        xml.contains("tests=\"1\" skipped=\"0\" errors=\"0\" failures=\"0\""),
        "{xml}"
    );
    assert!(annotations(&caught, None).is_empty());
    assert_eq!(code_quality(&[caught], None), "[]\n");
    let mut missed = told(&Record::outage().judge(&promises()));
    missed.expected = Some("fail:continuity".parse().expect("an expectation"));
    let xml = document(vec![suite(&missed)]).expect("xml");
    let why = "it must fail on continuity, but every promise held";
    assert!(xml.contains("failures=\"1\"") && xml.contains(why), "{xml}");
    assert!(annotations(&missed, None)[0].contains(why));
    assert!(markdown(&missed).contains(why));
    assert!(code_quality(&[missed], None).contains(why));
    // Broken, but not on what it must.
    let mut other = told(&failed().judge(&promises()));
    other.expected = Some("fail:battery".parse().expect("an expectation"));
    let why = other.good().expect_err("it held");
    assert_eq!(
        why,
        "it must fail on battery, but it failed on failover, continuity, latency"
    );
}

#[test]
fn a_failed_run_in_markdown() {
    let mut run = told(&failed().judge(&promises()));
    let verdicts = [Verdict::Fail, Verdict::Pass];
    run.summary.again = Steadiness::of(Verdict::Fail, &verdicts, &[Verdict::Fail]);
    run.warnings = vec!["battery <shrinks> | fast".into()];
    insta::assert_snapshot!(markdown(&run));
    insta::assert_snapshot!(markdown(&told(&unproven().judge(&promises()))));
}

#[test]
fn annotations_stand_at_the_promises() {
    let run = told(&failed().judge(&promises()));
    let lines = annotations(&run, None);
    let lines: Vec<&str> = lines
        .iter()
        .map(|l| l.split("::").nth(1).unwrap_or(""))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert!(annotations(&told(&Record::outage().judge(&promises())), None).is_empty());
    // GitHub shows ten of a kind in a step: the last says how many are missing.
    let mut many = run.clone();
    many.summary.assertions = vec![many.summary.assertions[0].clone(); 30];
    let lines = annotations(&many, None);
    assert_eq!(lines.len(), 10);
    assert!(lines[9].contains("and 21 more"), "{}", lines[9]);
}

#[test]
fn code_quality_of_gitlab() {
    let mut run = told(&failed().judge(&promises()));
    let json = code_quality(&[run.clone()], None);
    insta::assert_snapshot!(json);
    // The same breach on another night is the same issue.
    run.folder = "runs/run-2".into();
    run.summary.run = "run-2".into();
    for judged in &mut run.summary.assertions {
        judged.observed += " (a little later)";
    }
    let prints = |json: &str| -> Vec<Value> {
        let all: Vec<Value> = serde_json::from_str(json).expect("json");
        all.iter()
            .map(|issue| issue["fingerprint"].clone())
            .collect()
    };
    assert_eq!(prints(&code_quality(&[run.clone()], None)), prints(&json));
    // Two promises with one text are two issues.
    let first = run.summary.assertions[0].clone();
    run.summary.assertions = vec![first.clone(), first];
    let both = prints(&code_quality(&[run], None));
    assert_ne!(both[0], both[1]);
}

#[test]
fn files_are_told_from_the_root_of_the_checkout() {
    let here = std::env::current_dir().expect("a folder");
    let spot = Spot {
        file: "src/../src/report.yaml".into(),
        line: 1,
    };
    assert_eq!(spot.below(None), "src/../src/report.yaml");
    assert_eq!(spot.below(Some(&here)), "src/report.yaml");
    let above = here.parent().expect("a parent");
    assert_eq!(spot.below(Some(above)), "harness/src/report.yaml");
}
