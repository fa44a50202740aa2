//! Streams that tests play: the good dialects, and the broken ones.

mod server;

use std::time::Duration;

use super::answer::{Answer, Finished};
use super::classify::{Verdict, classify};
use super::dialect::Dialect;
use super::expected::Expected;
use super::fate::Fate;
use super::oracle::Oracle;
use super::row::Termination;

pub(super) use server::{Memory, Play, Plays, listen};

/// What a scripted server does after its response's head.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Sends a part of the body, as one chunk.
    Body(String),
    /// Says nothing for a while.
    Pause(Duration),
    /// Ends the body as HTTP wants it.
    End,
    /// Closes the connection inside the body.
    Fin,
    /// Resets the connection.
    Rst,
}

/// Makes the steps for an answer of `asked` tokens.
pub(super) type Script = fn(&Oracle, u32) -> Vec<Step>;

pub(super) const DONE: &str = "data: [DONE]\n\n";
pub(super) const ERROR: &str =
    "data: {\"error\":{\"message\":\"engine died\",\"type\":\"internal\",\"code\":500}}\n\n";

pub(super) fn delta(text: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"system_fingerprint\":\"gpu-1\",\
         \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

pub(super) fn delta_from(replica: &str, text: &str) -> String {
    delta(text).replace("gpu-1", replica)
}

pub(super) fn role() -> String {
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null},\
     \"finish_reason\":null}]}\n\n"
        .into()
}

pub(super) fn finish(reason: &str) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"{reason}\"}}]}}\n\n"
    )
}

pub(super) fn usage(count: u32) -> String {
    format!(
        "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":9,\"completion_tokens\":{count}}}}}\n\n"
    )
}

/// Deltas of the tokens `indices`, one chunk each.
pub(super) fn tokens(oracle: &Oracle, indices: impl IntoIterator<Item = u32>) -> Vec<Step> {
    indices
        .into_iter()
        .map(|n| Step::Body(delta(&oracle.token(n))))
        .collect()
}

/// A role chunk, tokens, then other parts of the body, then an end.
fn with(tokens: Vec<Step>, tail: &[String], end: Step) -> Vec<Step> {
    let mut steps = vec![Step::Body(role())];
    steps.extend(tokens);
    steps.extend(tail.iter().cloned().map(Step::Body));
    steps.push(end);
    steps
}

/// As the standard has it.
pub(super) fn good(o: &Oracle, n: u32) -> Vec<Step> {
    full_tail(tokens(o, 0..n), n)
}

/// These tokens, and then everything that a good answer of `n` ends with.
pub(super) fn full_tail(tokens: Vec<Step>, n: u32) -> Vec<Step> {
    with(
        tokens,
        &[finish("length"), usage(n), DONE.into()],
        Step::End,
    )
}

/// A stream that broke, by its name.
pub(super) struct Broken {
    pub(super) name: &'static str,
    pub(super) script: Script,
    pub(super) fate: Fate,
    /// Part of the detail.
    pub(super) says: &'static str,
}

fn cut(o: &Oracle, tail: &[String], end: Step) -> Vec<Step> {
    with(tokens(o, 0..18), tail, end)
}

/// All ways in which stacks were seen to break a stream of 40 tokens after 18.
pub(super) fn broken() -> Vec<Broken> {
    let mut all = cut_short();
    all.extend(wrong_inside());
    all
}

fn case(name: &'static str, fate: Fate, says: &'static str, script: Script) -> Broken {
    Broken {
        name,
        script,
        fate,
        says,
    }
}

/// Streams that end too early.
fn cut_short() -> Vec<Broken> {
    use Fate::{Reset, Truncated};
    vec![
        case(
            "clean end",
            Truncated,
            "without finish_reason (18 of 40",
            |o, _| cut(o, &[], Step::End),
        ),
        case(
            "closed in the body",
            Truncated,
            "closed inside the body",
            |o, _| cut(o, &[], Step::Fin),
        ),
        case("reset", Reset, "reset", |o, _| cut(o, &[], Step::Rst)),
        case(
            "error, then done",
            Truncated,
            "then [DONE]: engine died",
            |o, _| cut(o, &[ERROR.into(), DONE.into()], Step::End),
        ),
        case("error event", Truncated, "engine died", |o, _| {
            cut(o, &[format!("event: error\n{ERROR}")], Step::End)
        }),
        case("done early", Truncated, "without finish_reason", |o, _| {
            cut(o, &[DONE.into()], Step::End)
        }),
        case(
            "finish early",
            Truncated,
            "ended early, finish_reason length",
            |o, _| cut(o, &[finish("length"), usage(18), DONE.into()], Step::End),
        ),
    ]
}

/// Streams that go on to an end, and are not what they should be.
fn wrong_inside() -> Vec<Broken> {
    use Fate::{Completed, Duplicated, Gap, Restarted, Truncated};
    vec![
        case("twice", Duplicated, "token 17 came twice", |o, n| {
            full_tail(tokens(o, (0..18).chain(17..n)), n)
        }),
        case("missing", Gap, "token 18 is missing", |o, n| {
            full_tail(tokens(o, (0..18).chain(19..n)), n)
        }),
        case(
            "restart",
            Restarted,
            "began again from token 0 after 18",
            |o, n| full_tail(tokens(o, (0..18).chain(0..n)), n),
        ),
        case("stall", Completed, "", |o, n| {
            let mut steps = tokens(o, 0..18);
            // A busy machine reads what came before it late, and the silence is shorter.
            steps.push(Step::Pause(Duration::from_millis(900)));
            steps.extend(tokens(o, 18..n));
            full_tail(steps, n)
        }),
        case(
            "no finish",
            Truncated,
            "without finish_reason (40 of 40",
            |o, n| with(tokens(o, 0..n), &[usage(n), DONE.into()], Step::End),
        ),
        case("cut json", Truncated, "an unreadable event", |o, n| {
            let mut steps = tokens(o, 0..18);
            let whole = delta(&o.token(18));
            let (half, _) = whole.split_at(whole.len() / 2);
            steps.push(Step::Body(format!("{half}\n\n")));
            steps.extend(tokens(o, 19..n));
            full_tail(steps, n)
        }),
        case(
            "done only",
            Truncated,
            "without finish_reason (0 of 40",
            |_, _| vec![Step::Body(DONE.into()), Step::End],
        ),
        case("error only", Truncated, "engine died (0 of 40", |_, _| {
            vec![Step::Body(ERROR.into()), Step::End]
        }),
    ]
}

/// Healthy streams of well-known kinds, each with its dialect.
pub(super) fn dialects() -> Vec<(&'static str, Dialect, Script)> {
    let has = |done, finish, usage| Dialect {
        done: Some(done),
        finish: Some(finish),
        usage: Some(usage),
        counts: Some(usage),
    };
    vec![
        ("standard", has(true, true, true), good),
        ("llama", has(true, true, true), |o, n| {
            let timings = usage(n).replace("\"usage\"", "\"timings\":{\"prompt_n\":1},\"usage\"");
            let tail = [finish("length"), timings, DONE.into()];
            with(tokens(o, 0..n), &tail, Step::End)
        }),
        ("vllm", has(true, true, true), |o, n| {
            // The last content comes with the finish reason; choices are null
            // beside the usage.
            let last = delta(&o.token(n - 1))
                .replace("\"finish_reason\":null", "\"finish_reason\":\"length\"");
            let usage = usage(n).replace("\"choices\":[]", "\"choices\":null");
            with(tokens(o, 0..n - 1), &[last, usage, DONE.into()], Step::End)
        }),
        ("rewriting proxy", has(true, true, true), |o, n| {
            let tail = [
                finish("stop"),
                usage(n),
                ": keep-alive\n\n".into(),
                DONE.into(),
            ];
            with(tokens(o, 0..n), &tail, Step::End)
        }),
        ("no done", has(false, true, false), |o, n| {
            with(tokens(o, 0..n), &[finish("stop")], Step::End)
        }),
        ("no finish", has(true, false, true), |o, n| {
            with(tokens(o, 0..n), &[usage(n), DONE.into()], Step::End)
        }),
        ("coalescing", has(true, true, true), |o, n| {
            let text: String = (0..n).map(|i| o.token(i)).collect();
            let pieces: Vec<String> = text
                .as_bytes()
                .chunks(7)
                .map(|piece| delta(&String::from_utf8_lossy(piece)))
                .collect();
            full_tail(pieces.into_iter().map(Step::Body).collect(), n)
        }),
    ]
}

/// Plays a script into an answer, without a network; each step is 1 ms.
pub(super) fn play(oracle: &Oracle, asked: u32, steps: &[Step]) -> Finished {
    held_against(oracle.clone().into(), asked, steps)
}

/// The same, of a model whose words nobody knows.
pub(super) fn play_foreign(oracle: &Oracle, asked: u32, script: Script) -> Finished {
    held_against(Expected::Structure, asked, &script(oracle, asked))
}

fn held_against(expected: Expected, asked: u32, steps: &[Step]) -> Finished {
    let mut answer = Answer::new(expected, asked, true);
    answer.head(200, false);
    let mut now = 1_000;
    let mut termination = Termination::RunEnded;
    for step in steps {
        now += 1_000;
        match step {
            Step::Body(text) => answer.feed(text.as_bytes(), now),
            Step::Pause(pause) => now += pause.as_micros() as u64,
            Step::End => termination = Termination::Clean,
            Step::Fin => termination = Termination::EofInBody,
            Step::Rst => termination = Termination::Reset,
        }
    }
    let mut finished = answer.finish(now);
    finished.seen.termination = termination;
    finished
}

/// The fate of a script.
pub(super) fn fate_of(oracle: &Oracle, asked: u32, script: Script, dialect: Dialect) -> Verdict {
    classify(&play(oracle, asked, &script(oracle, asked)).seen, dialect)
}

/// A model of others: as sure of its words as ours, and they are not ours.
pub(super) mod foreign {
    use super::{Oracle, Script, Step, delta, full_tail};

    /// Its word `n`.
    pub(in super::super) fn word(oracle: &Oracle, n: u32) -> String {
        format!("{} ", String::from_utf8_lossy(&oracle.hash(n)))
    }

    pub(in super::super) fn words(
        oracle: &Oracle,
        indices: impl IntoIterator<Item = u32>,
    ) -> Vec<Step> {
        let one = |n| Step::Body(delta(&word(oracle, n)));
        indices.into_iter().map(one).collect()
    }

    /// As it should be.
    pub(in super::super) const GOOD: Script = |o, n| full_tail(words(o, 0..n), n);

    /// It changes its mind at word 20.
    pub(in super::super) const MOODY: Script = |o, n| {
        let mut steps = words(o, 0..20);
        steps.push(Step::Body(delta("perhaps ")));
        steps.extend(words(o, 21..n));
        full_tail(steps, n)
    };

    /// The same words in other pieces.
    pub(in super::super) const COALESCED: Script = |o, n| {
        let text: String = (0..n).map(|i| word(o, i)).collect();
        let pieces = text.as_bytes().chunks(7);
        let one = |piece: &[u8]| Step::Body(delta(&String::from_utf8_lossy(piece)));
        full_tail(pieces.map(one).collect(), n)
    };
}
