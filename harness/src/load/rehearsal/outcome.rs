//! What a fault-free pass came to.

use serde::{Deserialize, Serialize};

use ridethrough_targets::clock::Micros;

use super::super::classify::classify;
use super::super::dialect::{Dialect, Learner};
use super::super::fate::{Fate, Group};
use super::super::observe::Observations;
use super::super::row::Termination;
use super::super::schedule::Planned;
use super::PASSES;
use crate::playbook::LoadSpec;

/// The answer to a prompt when nothing was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedAnswer {
    /// Its text.
    pub text: String,
    /// Pieces that it came in.
    pub pieces: u32,
    /// `finish_reason`.
    pub finish: Option<String>,
    /// `usage.completion_tokens`.
    pub usage: Option<u32>,
}

/// A prompt whose two answers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differing {
    /// Its place.
    pub prompt: u32,
    /// The first character that differs, or that only one of them has.
    pub character: u32,
}

/// What the fault-free pass of a load came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// The load.
    pub load: String,
    /// Prompts that were asked, each twice.
    pub prompts: u32,
    /// How long it took.
    pub took_us: Micros,
    /// Requests that were open at one time, at most.
    pub in_flight_max: u32,
    /// The first answer to each prompt.
    pub answers: Vec<RecordedAnswer>,
    /// Prompts that were answered in two ways.
    pub differing: Vec<Differing>,
    /// How its answers end.
    pub dialect: Option<Dialect>,
    /// What went wrong, in words with what to do; the answers are then none.
    pub problem: Option<String>,
}

/// One answer of the pass.
pub(in super::super) struct Heard {
    pub(in super::super) prompt: u32,
    pub(in super::super) pass: usize,
    pub(in super::super) seen: Observations,
    pub(in super::super) text: String,
}

/// Compares what was heard. `known` is how answers of the stack end, where that
/// need not be learned.
pub(in super::super) fn outcome(
    spec: &LoadSpec,
    prompts: &[Planned],
    known: Option<Dialect>,
    mut heard: Vec<Heard>,
) -> Rehearsed {
    heard.sort_by_key(|one| (one.pass, one.prompt));
    let wanted = prompts.len() * PASSES as usize;
    let mut learner = Learner::new(known, wanted as u32);
    for one in &heard {
        learner.learn(&one.seen);
    }
    let mut rehearsed = Rehearsed {
        load: spec.name.clone(),
        prompts: prompts.len() as u32,
        dialect: learner.pinned(),
        ..Rehearsed::default()
    };
    rehearsed.problem = failed(&heard, known.unwrap_or_default(), wanted).or_else(|| {
        let what = "the answers did not all end alike: some have a finish_reason, a usage count \
                    or [DONE] that others lack; ask one stack only, or judge by `oracle: reference`";
        learner.mixed().then(|| what.to_string())
    });
    if rehearsed.problem.is_none() {
        let (first, second) = heard.split_at(prompts.len());
        let pairs = first.iter().zip(second);
        rehearsed.differing = pairs.filter_map(|(a, b)| differing(a, b)).collect();
        rehearsed.answers = first
            .iter()
            .zip(second)
            .map(|(a, b)| recorded(a, b))
            .collect();
    }
    rehearsed
}

/// What is wrong, the first time that something is.
fn failed(heard: &[Heard], dialect: Dialect, wanted: usize) -> Option<String> {
    let fates = heard.iter().map(|one| (one, classify(&one.seen, dialect)));
    let bad: Vec<_> = fates
        .filter(|(one, (fate, _))| fate.group(one.seen.tokens) != Group::Whole)
        .collect();
    let Some((first, (fate, detail))) = bad.first() else {
        let missing = wanted.saturating_sub(heard.len());
        let what = "got no answer in the time of the pass; give it more with `oracle: {recorded: \
                    {within: …}}`, or record fewer `prompts`";
        return (missing > 0).then(|| format!("{missing} of {wanted} requests {what}"));
    };
    Some(format!(
        "{} of {wanted} requests failed, the first so: {detail}; {}",
        bad.len() + wanted.saturating_sub(heard.len()),
        remedy(&first.seen, *fate)
    ))
}

fn remedy(seen: &Observations, fate: Fate) -> &'static str {
    match (seen.status, seen.termination, fate) {
        (_, _, Fate::Shed) => "lower the rate of the load until the stack takes all of it",
        (Some(400..=499), ..) => {
            "see that the stack serves the `model` of the load and takes requests of its lengths"
        }
        (_, Termination::ClientTimeout, _) => {
            "give its `client` longer timeouts, the pass more time with `oracle: {recorded: \
             {within: …}}`, or lower its rate"
        }
        (Some(200), ..) if seen.tokens == 0 && seen.finish.is_some() => {
            "ask for longer answers with `output_tokens`: what a model only thinks is no text"
        }
        _ => "the stack must answer all of its load before anything breaks: see its logs",
    }
}

fn differing(a: &Heard, b: &Heard) -> Option<Differing> {
    let same = a.text.chars().zip(b.text.chars());
    let same = same.take_while(|(a, b)| a == b).count() as u32;
    let alike = a.text == b.text && a.seen.finish == b.seen.finish;
    (!alike).then_some(Differing {
        prompt: a.prompt,
        character: same,
    })
}

fn recorded(a: &Heard, b: &Heard) -> RecordedAnswer {
    RecordedAnswer {
        text: a.text.clone(),
        pieces: a.seen.tokens,
        finish: a.seen.finish.clone(),
        usage: a.seen.usage.filter(|_| a.seen.usage == b.seen.usage),
    }
}

impl Rehearsed {
    /// Whether its answers can be held against later ones, in words.
    pub fn verdict(&self) -> String {
        let all = self.prompts;
        match self.differing.iter().map(|d| d.character).min() {
            None => format!("{all} prompts answered alike twice"),
            Some(first) => format!(
                "{} of {all} prompts differed, the earliest at character {first}",
                self.differing.len()
            ),
        }
    }
}
