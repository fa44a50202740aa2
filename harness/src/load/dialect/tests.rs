use super::super::oracle::Oracle;
use super::super::testing::{broken, dialects, play};
use super::*;

#[test]
fn each_dialect_is_learned_from_its_own_streams() {
    let oracle = Oracle::from_key(b"k");
    for (name, dialect, script) in dialects() {
        let mut learner = Learner::new(None, 3);
        for _ in 0..3 {
            assert_eq!(learner.pinned(), None, "{name}");
            learner.learn(&play(&oracle, 40, &script(&oracle, 40)).seen);
        }
        assert_eq!(learner.pinned(), Some(dialect), "{name}");
        assert!(!learner.mixed(), "{name}");
    }
}

#[test]
fn broken_streams_teach_nothing_but_a_missing_end_mark() {
    let oracle = Oracle::from_key(b"k");
    for case in broken() {
        let mut learner = Learner::new(None, 1);
        learner.learn(&play(&oracle, 40, &(case.script)(&oracle, 40)).seen);
        let whole = matches!(case.name, "stall" | "no finish");
        assert_eq!(learner.pinned().is_some(), whole, "{}", case.name);
    }
}

#[test]
fn what_is_pinned_stays() {
    let oracle = Oracle::from_key(b"k");
    let mut learner = Learner::new(Some(Dialect::OPENAI), 1);
    for (_, _, script) in dialects() {
        learner.learn(&play(&oracle, 40, &script(&oracle, 40)).seen);
    }
    assert_eq!(learner.dialect(), Dialect::OPENAI);
}

#[test]
fn two_dialects_at_once_are_noticed() {
    let oracle = Oracle::from_key(b"k");
    let mut learner = Learner::new(None, dialects().len() as u32);
    for (_, _, script) in dialects() {
        learner.learn(&play(&oracle, 40, &script(&oracle, 40)).seen);
    }
    assert!(learner.mixed());
    let nothing = Dialect {
        done: Some(false),
        finish: Some(false),
        usage: Some(false),
        counts: Some(false),
    };
    assert_eq!(learner.pinned(), Some(nothing));
}
