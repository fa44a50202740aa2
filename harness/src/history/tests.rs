use std::path::Path;

use rusqlite::Connection;
use serde_json::json;

use super::*;
use crate::judge::testkit::Record;
use crate::judge::{Verdict, sentence};
use crate::report::{Told, summary};

fn told() -> Told {
    let promises = [
        json!({"failover": {"to": "battery", "within": "10ms"}}),
        json!({"battery": {"charge_at_least": "50%"}}),
    ];
    let judgement = Record::outage().judge(&promises);
    Told {
        summary: summary(&judgement),
        sentence: sentence(&judgement),
        repeat: "ridethrough run outage.yaml".into(),
        folder: "runs/run-1".into(),
        control: None,
        expected: None,
        places: Vec::new(),
        warnings: Vec::new(),
    }
}

fn add(history: &mut History, told: &Told) -> i64 {
    let kept = Kept {
        told,
        file: Path::new("power/outage.yaml"),
        folder: Path::new("runs/run-1"),
        added: "2026-01-02T03:04:05Z".into(),
    };
    history.add(&kept).expect("added")
}

/// A history whose battery margins are these.
fn with(folder: &Path, margins: &[f64]) -> History {
    let mut history = History::open_or_make(&folder.join("h.sqlite")).expect("a history");
    let mut told = told();
    for margin in margins {
        if let Some(of) = &mut told.summary.assertions[1].margin {
            of.value = *margin;
        }
        add(&mut history, &told);
    }
    history
}

fn warned(margins: &[f64]) -> Vec<Warning> {
    let folder = tempfile::tempdir().expect("a folder");
    let history = with(folder.path(), margins);
    warnings(&groups(&history.last_of_each(100, None).expect("runs")))
}

#[test]
fn what_went_in_comes_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/er/h.sqlite");
    let mut history = History::open_or_make(&path).expect("a history");
    let mut told = told();
    told.summary.seed = u64::MAX;
    told.control = Some("dead battery".into());
    assert_eq!(add(&mut history, &told), 1);
    drop(history);
    let history = History::open(&path).expect("a history");
    let runs = history.last(10, None).expect("runs");
    let run = &runs[0];
    assert_eq!((run.seed, run.id, run.good), (u64::MAX, 1, true));
    assert_eq!(run.control.as_deref(), Some("dead battery"));
    assert_eq!(run.promises.len(), 2);
    assert_eq!(run.promises[1].margin, Some(12.0));
    for name in [
        "utility outage",
        "power/outage.yaml",
        "outage.yaml",
        "outage",
    ] {
        assert_eq!(
            history.last(10, Some(name)).expect("runs").len(),
            1,
            "{name}"
        );
    }
    for name in ["out%", "utage", "", "o_tage"] {
        assert!(
            history.last(10, Some(name)).expect("runs").is_empty(),
            "{name}"
        );
    }
    let by = |run: &str| history.summary(run).expect("an answer");
    assert!(by("1").is_some() && by("#1").is_some() && by("2").is_none());
    assert_eq!(by(&told.summary.run), by("1"));
}

#[test]
fn other_schemas_and_other_databases_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("h.sqlite");
    drop(with(folder.path(), &[1.0]));
    let db = Connection::open(&path).expect("a database");
    db.pragma_update(None, "user_version", 2).expect("newer");
    drop(db);
    for error in [
        History::open(&path).err(),
        History::open_or_make(&path).err(),
    ] {
        let text = error.expect("refused").to_string();
        assert!(
            text.ends_with("h.sqlite has schema 2; this ridethrough reads 1"),
            "{text}"
        );
    }
    let other = folder.path().join("other.sqlite");
    let db = Connection::open(&other).expect("a database");
    db.execute_batch("CREATE TABLE mine (x)").expect("a table");
    drop(db);
    let before = std::fs::read(&other).expect("bytes");
    let error = History::open_or_make(&other).err().expect("refused");
    assert!(
        error.to_string().contains("no history of ridethrough"),
        "{error}"
    );
    assert_eq!(std::fs::read(&other).expect("bytes"), before);
}

/// A run that is added while another program holds the lock for too long is told,
/// and what is there stays.
#[test]
fn a_run_goes_in_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut history = with(folder.path(), &[1.0]);
    let mut twice = told();
    twice.summary.assertions[1].text = "x".repeat(10);
    let db = Connection::open(history.path()).expect("a database");
    db.execute_batch(
        "CREATE TRIGGER no BEFORE INSERT ON summary BEGIN SELECT raise(ABORT, 'no'); END",
    )
    .expect("a trigger");
    let kept = Kept {
        told: &twice,
        file: Path::new("x"),
        folder: Path::new("y"),
        added: String::new(),
    };
    assert!(history.add(&kept).is_err());
    assert_eq!(history.len().expect("a count"), 1);
    let left = "SELECT count(*) FROM promise";
    let left: i64 = db.query_row(left, [], |row| row.get(0)).expect("a count");
    assert_eq!(left, 2);
}

#[test]
fn a_margin_that_shrinks_is_told_before_it_is_gone() {
    let shrinking: Vec<f64> = (0..10).map(|n| 40.0 - 3.0 * f64::from(n)).collect();
    let told = warned(&shrinking);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].runs, told[0].earliest), (5, 5));
    insta::assert_snapshot!(told[0].text);
}

#[test]
fn nobody_is_woken_without_need() {
    let line = |from: f64, by: f64, count: i32| -> Vec<f64> {
        (0..count).map(|n| from + by * f64::from(n)).collect()
    };
    assert!(warned(&line(40.0, -3.0, 7)).is_empty(), "too few");
    assert!(warned(&line(40.0, 3.0, 12)).is_empty(), "it grows");
    assert!(warned(&line(4000.0, -3.0, 12)).is_empty(), "far away");
    assert!(
        warned(&line(20.0, -3.0, 12)).is_empty(),
        "it is broken already"
    );
    let mut one_bad = vec![40.0; 12];
    one_bad[10] = 0.5;
    assert!(warned(&one_bad).is_empty(), "one bad night");
    // It falls, and would be gone in eight runs; but by chance one time in twelve.
    let noise = [9.0, 6.0, 8.0, 3.0, 7.0, 4.0, 8.0, 2.0, 6.0, 3.5];
    assert!(warned(&noise).is_empty(), "noise");
}

#[test]
fn only_what_is_alike_is_put_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut history = with(folder.path(), &[5.0, 6.0]);
    let mut other = told();
    other.summary.world = "embedded".into();
    add(&mut history, &other);
    other = told();
    other.summary.verdict = Verdict::Invalid;
    add(&mut history, &other);
    other = told();
    other.expected = Some("fail:failover".parse().expect("an expectation"));
    add(&mut history, &other);
    // Another limit is another promise.
    other = told();
    other.summary.assertions[1].text += " of more";
    add(&mut history, &other);
    let groups = groups(&history.last_of_each(10, None).expect("runs"));
    let shape: Vec<(String, usize, Vec<usize>)> = groups
        .iter()
        .map(|g| {
            let points = g.promises.iter().map(|p| p.points.len()).collect();
            (g.world.clone(), g.verdicts.len(), points)
        })
        .collect();
    assert_eq!(
        shape,
        [
            ("virtual".to_string(), 4, vec![3, 1, 2]),
            ("embedded".to_string(), 1, vec![1, 1]),
        ]
    );
    assert_eq!(history.last_of_each(1, None).expect("runs").len(), 2);
}
