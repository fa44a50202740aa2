//! Answers of a model that is not ours, recorded and then broken in every way.

use indexmap::IndexMap;

use super::super::super::oracle::Oracle;
use super::super::super::rehearsal::{Heard, outcome};
use super::super::super::schedule::prompts;
use super::super::super::testing::{delta, foreign, full_tail, play_foreign};
use super::*;
use crate::load::Rehearsed;
use crate::playbook::{OracleSpec, RecordedSpec};

const PROMPTS: u32 = 3;

fn recorded_spec() -> LoadSpec {
    let mut spec = spec("chat");
    spec.oracle = Some(OracleSpec::Recorded(RecordedSpec {
        prompts: PROMPTS,
        within: Span::from_secs(30),
    }));
    spec
}

/// A load of as many requests as there are plays, after a pass in which the
/// second answers were told by `second`.
async fn after_a_pass(plays: Vec<Play>, second: testing::Script) -> Said {
    let spec = recorded_spec();
    let mut config = config(spec.clone(), 80, plays.len());
    config.dialect = None;
    let planned = prompts(&spec, 1);
    let mut heard = Vec::new();
    for (pass, script) in [(0, foreign::GOOD), (1, second)] {
        for one in &planned {
            let prepared = super::super::super::prompt::prepare("chat", "", "reference", one, true);
            let finished = play_foreign(&prepared.oracle, 40, script);
            heard.push(Heard {
                prompt: one.prompt.expect("a recorded prompt"),
                pass,
                text: finished.text.clone().unwrap_or_default(),
                seen: finished.seen,
            });
        }
    }
    let rehearsed: Rehearsed = outcome(&spec, &planned, None, heard);
    assert_eq!(rehearsed.problem, None);
    config.rehearsed = IndexMap::from([("chat".to_string(), rehearsed)]);
    run(Arc::new(Memory(Plays::each(plays))), config).await
}

/// How a model that is not ours can break, and what is to be made of it.
fn ways() -> Vec<(&'static str, testing::Script, Fate, &'static str)> {
    vec![
        ("good", foreign::GOOD, Fate::Completed, ""),
        ("other pieces", foreign::COALESCED, Fate::Completed, ""),
        (
            "restart",
            |o, n| full_tail(foreign::words(o, (0..18).chain(0..n)), n),
            Fate::Restarted,
            "began again from its first word after 90 characters",
        ),
        (
            "twice",
            |o, n| full_tail(foreign::words(o, (0..18).chain(17..n)), n),
            Fate::Duplicated,
            "on came twice",
        ),
        (
            "gap",
            |o, n| full_tail(foreign::words(o, (0..18).chain(20..n)), n),
            Fate::Gap,
            "10 characters are missing after",
        ),
        (
            "cross-talk",
            |o, n| {
                let other = Oracle::from_key(b"another request");
                let mut steps = foreign::words(o, 0..18);
                steps.extend(foreign::words(&other, 18..n));
                full_tail(steps, n)
            },
            Fate::Corrupted,
            "was never recorded",
        ),
        (
            "one foreign word",
            |o, n| {
                let mut steps = foreign::words(o, 0..18);
                steps.push(Step::Body(delta("well, ")));
                steps.extend(foreign::words(o, 18..n));
                full_tail(steps, n)
            },
            Fate::Corrupted,
            "text \"well,",
        ),
        (
            "short and content",
            |o, _| full_tail(foreign::words(o, 0..18), 18),
            Fate::Truncated,
            "ended early, finish_reason length (90 of 200 characters)",
        ),
        (
            "cut",
            |o, _| {
                let mut steps = foreign::words(o, 0..18);
                steps.push(Step::End);
                steps
            },
            Fate::Truncated,
            "ended without finish_reason (90 of 200 characters)",
        ),
        (
            "miscounted",
            |o, n| full_tail(foreign::words(o, 0..n), n + 1),
            Fate::Unknown,
            "usage says 41 tokens, recorded were 40",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_way_to_break_a_recorded_answer_has_its_fate() {
    let ways = ways();
    let plays = ways.iter().map(|way| Play::Stream(way.1)).collect();
    let said = after_a_pass(plays, foreign::GOOD).await;
    for (n, (name, _, fate, says)) in ways.iter().enumerate() {
        let row = said.row(&format!("chat-{n}"));
        assert_eq!(row.fate, *fate, "{name}: {}", row.detail);
        assert!(row.detail.contains(says), "{name}: {}", row.detail);
    }
}

/// The control of the test above: the same pass under which nothing is recorded,
/// since the model changed its mind, and what structure alone cannot see.
#[tokio::test(start_paused = true)]
async fn a_model_that_changes_its_mind_is_judged_by_structure() {
    let ways = ways();
    let plays = ways.iter().map(|way| Play::Stream(way.1)).collect();
    let said = after_a_pass(plays, foreign::MOODY).await;
    let fate = |name: &str| {
        let n = ways.iter().position(|way| way.0 == name).expect(name);
        said.row(&format!("chat-{n}")).fate
    };
    assert_eq!(fate("good"), Fate::Completed);
    assert_eq!(fate("cut"), Fate::Truncated);
    // Usage counts the pieces of this model.
    for miscounted in ["restart", "twice", "gap", "miscounted"] {
        assert_eq!(fate(miscounted), Fate::Unknown, "{miscounted}");
    }
    assert_eq!(fate("cross-talk"), Fate::Completed, "structure cannot know");
}

#[tokio::test(start_paused = true)]
async fn structure_sees_what_begins_again_after_a_silence() {
    let falters: testing::Script = |o, n| {
        let mut steps = foreign::words(o, 0..18);
        steps.push(Step::Pause(Duration::from_secs(1)));
        steps.extend(foreign::words(o, 0..n - 18));
        full_tail(steps, n)
    };
    let mut spec = spec("chat");
    spec.oracle = Some(OracleSpec::Structural);
    let plays = Plays::each([Play::Stream(foreign::GOOD), Play::Stream(falters)]);
    let said = in_memory(spec, &plays, 80, 2).await;
    assert_eq!(said.row("chat-0").fate, Fate::Completed);
    assert_eq!(said.row("chat-1").fate, Fate::Restarted);
}

/// The control of it all: held against the reference's tokens, a model of others
/// says nothing right.
#[tokio::test(start_paused = true)]
async fn the_reference_knows_no_other_model() {
    let plays = Plays::each([Play::Stream(foreign::GOOD)]);
    let said = in_memory(spec("chat"), &plays, 80, 1).await;
    assert_eq!(said.row("chat-0").fate, Fate::Corrupted);
}
