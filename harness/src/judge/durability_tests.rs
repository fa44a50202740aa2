//! Whether what was acknowledged is there: too few, none told, some gone.

use serde_json::json;

use super::testkit::{END, FAULT, MS, Record, S};
use super::tests::{fail, invalid, one, pass};
use crate::record::Body;
use crate::writer::{ReadBack, WriteOutcome, WriteRow};

/// Ten acknowledged writes in `baseline`, ten that got no answer in `outage`.
fn written() -> Record {
    Record::loss().with(|r| {
        for index in 0..20 {
            let sent_us = match index {
                0..10 => 6 * S + u64::from(index) * 100 * MS,
                _ => FAULT + S + u64::from(index) * 100 * MS,
            };
            let outcome = match index {
                0..10 => WriteOutcome::Acknowledged {
                    sequence: u64::from(index) + 1,
                },
                _ => WriteOutcome::Unknown {
                    why: "no answer in time".into(),
                },
            };
            let row = WriteRow {
                writer: "ledger".into(),
                service: "journal".into(),
                index,
                sent_us,
                end_us: sent_us + MS,
                outcome,
            };
            r.add(row.end_us, Body::Write(row));
        }
    })
}

fn read_back(missing: Vec<u32>, changed: Vec<u32>, unread: Vec<u32>) -> Record {
    written().with(|r| {
        let found = ReadBack {
            writer: "ledger".into(),
            service: "journal".into(),
            planned: 20,
            sent: 20,
            kept: 10 - (missing.len() + changed.len() + unread.len()) as u32,
            missing,
            changed,
            unread,
            untried: Vec::new(),
        };
        r.add(END - MS, Body::ReadBack(found));
    })
}

#[test]
fn a_write_without_an_answer_is_no_promise() {
    let all = json!({"durability": {"service": "journal", "at_least": 10}});
    let observed = pass(&read_back(vec![], vec![], vec![]), all);
    assert!(observed.contains("0 of 10"), "{observed}");
}

#[test]
fn what_is_gone_changed_or_out_of_reach_is_lost() {
    let all = json!({"durability": {"service": "journal"}});
    let record = read_back(vec![9], vec![3], vec![4]);
    let observed = fail(&record, all.clone());
    assert!(observed.contains("3 of 10"), "{observed}");
    let evidence = one(&record, all).assertions[0].evidence.join("\n");
    for part in [
        "#10 (ledger-9, acknowledged at t = 1.901 s): missing",
        "#4 ",
        "#5 ",
    ] {
        assert!(evidence.contains(part), "{evidence}");
    }
    let some = json!({"durability": {"service": "journal", "lost": 3}});
    pass(&read_back(vec![9], vec![3], vec![4]), some);
}

/// Nobody knows of a record that was not read whether it is there.
#[test]
fn what_was_not_read_in_time_says_nothing() {
    let all = json!({"durability": {"service": "journal", "lost": 9}});
    let record = written().with(|r| {
        let found = ReadBack {
            writer: "ledger".into(),
            service: "journal".into(),
            planned: 20,
            sent: 20,
            kept: 9,
            missing: Vec::new(),
            changed: Vec::new(),
            unread: Vec::new(),
            untried: vec![9],
        };
        r.add(END - MS, Body::ReadBack(found));
    });
    invalid(&record, all);
}

#[test]
fn too_few_writes_say_nothing() {
    let many = json!({"durability": {"service": "journal", "at_least": 11}});
    invalid(&read_back(vec![], vec![], vec![]), many);
    let phase = json!({"durability": {"service": "journal", "during": "outage"}});
    invalid(&read_back(vec![], vec![], vec![]), phase);
    let other = json!({"durability": {"service": "other"}});
    invalid(&read_back(vec![], vec![], vec![]), other);
}

#[test]
fn a_writer_that_never_read_back_says_nothing() {
    invalid(&written(), json!({"durability": {"service": "journal"}}));
}
