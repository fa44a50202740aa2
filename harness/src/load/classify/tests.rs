use proptest::prelude::*;

use super::super::fate::Group;
use super::super::oracle::Oracle;
use super::super::testing::{Step, broken, delta_from, dialects, fate_of, full_tail, play, tokens};
use super::*;

fn oracle() -> Oracle {
    Oracle::from_key(b"a request")
}

#[test]
fn every_broken_stream_has_its_fate() {
    let cases = broken();
    assert_eq!(cases.len(), 15);
    for case in cases {
        let (fate, detail) = fate_of(&oracle(), 40, case.script, Dialect::OPENAI);
        assert_eq!(fate, case.fate, "{}: {detail}", case.name);
        assert!(detail.contains(case.says), "{}: {detail}", case.name);
    }
}

#[test]
fn good_streams_are_whole_in_their_own_dialect() {
    for (name, dialect, script) in dialects() {
        for known in [dialect, Dialect::default()] {
            let (fate, detail) = fate_of(&oracle(), 40, script, known);
            assert_eq!((fate, detail.as_str()), (Fate::Completed, ""), "{name}");
        }
    }
}

#[test]
fn a_dialect_does_not_excuse_a_broken_stream() {
    // Streams whose break is not one of the end marks are caught in every dialect.
    for (name, dialect, _) in dialects() {
        for case in broken() {
            if matches!(case.name, "stall" | "no finish") {
                continue;
            }
            let (fate, detail) = fate_of(&oracle(), 40, case.script, dialect);
            assert_ne!(
                fate.group(40),
                Group::Whole,
                "{name}, {}: {detail}",
                case.name
            );
        }
    }
}

#[test]
fn another_replica_in_the_middle_is_a_resume() {
    let o = oracle();
    let mut steps = tokens(&o, 0..18);
    steps.extend((18..40).map(|n| Step::Body(delta_from("gpu-2", &o.token(n)))));
    let finished = play(&o, 40, &full_tail(steps, 40));
    assert_eq!(
        finished.served_by,
        [("gpu-1".to_owned(), 0), ("gpu-2".to_owned(), 18)]
    );
    let verdict = classify(&finished.seen, Dialect::OPENAI);
    assert_eq!(verdict, (Fate::Resumed, String::new()));
}

fn answered(status: u16, retry_after: bool) -> Observations {
    let mut seen = Observations::new(40, true);
    seen.status = Some(status);
    seen.retry_after = retry_after;
    seen
}

#[test]
fn only_a_polite_refusal_is_shed() {
    let fate = |status, retry_after| classify(&answered(status, retry_after), Dialect::OPENAI).0;
    assert_eq!(fate(503, true), Fate::Shed);
    assert_eq!(fate(429, true), Fate::Shed);
    for (status, retry_after) in [
        (503, false),
        (429, false),
        (500, true),
        (502, false),
        (404, true),
    ] {
        let fate = fate(status, retry_after);
        assert_eq!(fate, Fate::Unknown);
        assert_eq!(fate.group(0), Group::Lost);
    }
}

#[test]
fn a_wrong_count_is_no_good_end() {
    let mut seen = answered(200, false);
    (seen.tokens, seen.done, seen.finish) = (40, true, Some("length".into()));
    seen.usage = Some(41);
    assert_eq!(classify(&seen, Dialect::OPENAI).0, Fate::Unknown);
    assert_eq!(classify(&seen, Dialect::default()).0, Fate::Completed);
    seen.usage = Some(40);
    assert_eq!(classify(&seen, Dialect::OPENAI).0, Fate::Completed);
    seen.attempts = 2;
    assert_eq!(classify(&seen, Dialect::OPENAI).0, Fate::Retried);
}

fn termination() -> impl Strategy<Value = Termination> {
    use Termination::*;
    prop::sample::select(vec![
        Clean,
        EofBeforeHeaders,
        EofInBody,
        Reset,
        Refused,
        Unreachable,
        TcpTimeout,
        ClientTimeout,
        RunEnded,
        Garbage,
    ])
}

fn defect() -> impl Strategy<Value = Defect> {
    prop_oneof![
        Just(Defect::Corrupted("text".into())),
        any::<u32>().prop_map(Defect::Restarted),
        any::<u32>().prop_map(Defect::Duplicated),
        (0..u32::MAX, 1u32..9).prop_map(|(n, by)| Defect::Gap(n, n.saturating_add(by))),
    ]
}

prop_compose! {
    fn observations()(
        (asked, tokens, stream, attempts) in (0u32..50, 0u32..50, any::<bool>(), 1u32..4),
        (termination, status, retry_after) in (
            termination(),
            prop::option::of(prop_oneof![Just(200u16), 100u16..600]),
            any::<bool>(),
        ),
        (error, broken, rest) in (
            prop::option::of(Just("e".to_owned())),
            prop::option::of(Just("b".to_owned())),
            prop::option::of(Just("r".to_owned())),
        ),
        (done, finish, usage) in (
            any::<bool>(),
            prop::option::of(Just("stop".to_owned())),
            prop::option::of(0u32..50),
        ),
        (defect, replicas) in (prop::option::of(defect()), 0usize..3),
    ) -> Observations {
        Observations {
            asked, stream, attempts, termination, transport: String::new(), status, retry_after,
            error, broken, done, finish, usage, tokens, defect, basis: Basis::Tokens, rest, replicas,
        }
    }
}

fn dialect() -> impl Strategy<Value = Dialect> {
    (
        any::<Option<bool>>(),
        any::<Option<bool>>(),
        any::<Option<bool>>(),
    )
        .prop_map(|(done, finish, usage)| Dialect {
            done,
            finish,
            usage,
            counts: usage,
        })
}

proptest! {
    /// Anything that can be seen has a fate; a bad one says why; and a good one
    /// is never given to an answer that is not all there.
    #[test]
    fn every_observation_has_a_fate(seen in observations(), dialect in dialect()) {
        let (fate, detail) = classify(&seen, dialect);
        let whole = fate.group(seen.tokens) == Group::Whole;
        prop_assert_eq!(whole, detail.is_empty());
        if whole {
            prop_assert_eq!(seen.termination, Termination::Clean);
            prop_assert_eq!(seen.status, Some(200));
            prop_assert!(seen.error.is_none() && seen.broken.is_none());
            prop_assert!(seen.defect.is_none() && seen.rest.is_none());
            prop_assert!(seen.tokens >= seen.asked);
        }
    }

    /// The transport is asked first, whatever else was seen.
    #[test]
    fn transport_comes_first(seen in observations(), dialect in dialect()) {
        if seen.termination == Termination::RunEnded {
            prop_assert_eq!(classify(&seen, dialect).0, Fate::Hung);
        }
        if seen.termination == Termination::Reset {
            prop_assert_eq!(classify(&seen, dialect).0, Fate::Reset);
        }
    }
}
