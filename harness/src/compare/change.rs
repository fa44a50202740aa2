//! What changed from one run to another.

use std::collections::BTreeMap;

use serde::Serialize;

use super::requests::{fates, latencies};
use crate::judge::{Judged, Margin, Verdict};
use crate::report::Summary;

/// Changes smaller than these are noise, whatever share of a value they are.
const NOISE_MS: f64 = 1.0;
const NOISE: f64 = 0.1;

/// Two runs, held against each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Version of this format.
    pub schema: u32,
    /// The earlier run.
    pub a: Side,
    /// The later run.
    pub b: Side,
    /// A change of more than this share of the earlier value counts.
    pub threshold: f64,
    /// Why the two can hardly be compared; empty where they can.
    pub notes: Vec<String>,
    /// The promises of both, in the order of the later run.
    pub promises: Vec<Promised>,
    /// Latencies of whole answers, in milliseconds.
    pub latency: Vec<Change>,
    /// What became of requests, in percent of all.
    pub fates: Vec<Change>,
    /// How late faults took effect, in milliseconds: it says how good the
    /// experiment was, not the stack, so it is never worse.
    pub skew: Vec<Change>,
    /// Everything that got worse, in words; empty where nothing did.
    pub worse: Vec<String>,
}

/// A run of the two.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Its id.
    pub run: String,
    /// Its playbook.
    pub playbook: String,
    /// Its world.
    pub world: String,
    /// Its seed.
    pub seed: u64,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its requests.
    pub requests: usize,
}

/// A promise in both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Promised {
    /// The promise in words.
    pub text: String,
    /// What it came to in the earlier run, where it was made.
    pub a: Option<Held>,
    /// And in the later one.
    pub b: Option<Held>,
    /// The change of its margin.
    pub change: Option<f64>,
    /// It got worse.
    pub worse: bool,
}

/// What a promise came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen.
    pub observed: String,
    /// Room left.
    pub margin: Option<Margin>,
}

/// A number in both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Of what: `ttft p99`, `torn`.
    pub name: String,
    /// In the earlier run.
    pub a: Option<f64>,
    /// In the later one.
    pub b: Option<f64>,
    /// It got worse.
    pub worse: bool,
}

/// Holds run `b` against the earlier run `a`. A change counts where it is more
/// than `threshold` of the earlier value, 0.1 being ten percent.
pub fn compare(a: &Summary, b: &Summary, threshold: f64) -> Comparison {
    let promises = promises(a, b, threshold);
    let latency = latencies(a, b, threshold);
    let fates = fates(a, b, threshold);
    let mut worse = Vec::new();
    if rank(b.verdict) > rank(a.verdict) {
        worse.push(format!("the verdict: {} to {}", a.verdict, b.verdict));
    }
    let broken = promises.iter().filter(|promise| promise.worse);
    worse.extend(broken.map(|promise| promise.text.clone()));
    let slower = latency.iter().chain(&fates).filter(|change| change.worse);
    worse.extend(slower.map(|change| change.name.clone()));
    Comparison {
        schema: 1,
        a: side(a),
        b: side(b),
        threshold,
        notes: notes(a, b),
        promises,
        latency,
        fates,
        skew: skew(a, b),
        worse,
    }
}

fn side(summary: &Summary) -> Side {
    Side {
        run: summary.run.clone(),
        playbook: summary.playbook.clone(),
        world: summary.world.clone(),
        seed: summary.seed,
        verdict: summary.verdict,
        requests: summary.requests.total,
    }
}

/// Knowing nothing is worse than a pass, and better than a broken promise.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Invalid => 1,
        Verdict::Fail => 2,
    }
}

fn notes(a: &Summary, b: &Summary) -> Vec<String> {
    let mut notes = Vec::new();
    let mut differ = |what: &str, a: &str, b: &str| {
        if a != b {
            notes.push(format!("{what}: {a} and {b}"));
        }
    };
    differ("two playbooks", &a.playbook, &b.playbook);
    differ("two worlds", &a.world, &b.world);
    differ("two seeds", &a.seed.to_string(), &b.seed.to_string());
    notes
}

/// A number's growth that is no noise. `least` is what any instrument may be off
/// by.
pub(super) fn grew(a: f64, b: f64, threshold: f64, least: f64) -> bool {
    b - a > least.max(a.abs() * threshold)
}

fn promises(a: &Summary, b: &Summary, threshold: f64) -> Vec<Promised> {
    let mut before = numbered(&a.assertions);
    let mut all: Vec<Promised> = Vec::new();
    for (key, later) in numbered(&b.assertions) {
        all.push(promised(key.0, before.remove(&key), Some(later), threshold));
    }
    // In the order of the text, which is as good as any.
    let gone = before.into_iter();
    all.extend(gone.map(|((text, _), earlier)| promised(text, Some(earlier), None, threshold)));
    let order = |p: &Promised| b.assertions.iter().position(|judged| judged.text == p.text);
    all.sort_by_key(|promise| order(promise).unwrap_or(usize::MAX));
    all
}

/// Promises by their text and their place among those of the same text.
fn numbered(all: &[Judged]) -> BTreeMap<(&str, usize), &Judged> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let number = |judged| {
        let judged: &Judged = judged;
        let nth = seen.entry(&judged.text).or_default();
        *nth += 1;
        ((&*judged.text, *nth), judged)
    };
    all.iter().map(number).collect()
}

fn promised(text: &str, a: Option<&Judged>, b: Option<&Judged>, threshold: f64) -> Promised {
    let margins = a
        .and_then(|a| a.margin.as_ref())
        .zip(b.and_then(|b| b.margin.as_ref()));
    let margins = margins.filter(|(a, b)| a.unit == b.unit);
    let shrank = margins.is_some_and(|(a, b)| {
        let least = if a.unit == "ms" { NOISE_MS } else { NOISE };
        a.value - b.value > least.max(a.value.abs() * threshold)
    });
    let worse = match (a, b) {
        (Some(a), Some(b)) => rank(b.verdict) > rank(a.verdict) || shrank,
        // What is not promised any more is not held any more.
        (Some(_), None) => true,
        (None, Some(b)) => b.verdict != Verdict::Pass,
        (None, None) => false,
    };
    let held = |judged: &Judged| Held {
        verdict: judged.verdict,
        observed: judged.observed.clone(),
        margin: judged.margin.clone(),
    };
    Promised {
        text: text.into(),
        a: a.map(held),
        b: b.map(held),
        change: margins.map(|(a, b)| ((b.value - a.value) * 1e3).round() / 1e3),
        worse,
    }
}

fn skew(a: &Summary, b: &Summary) -> Vec<Change> {
    let (a, b) = (a.skew_ms, b.skew_ms);
    let rows = [
        ("p50", a.p50, b.p50),
        ("p99", a.p99, b.p99),
        ("max", a.max, b.max),
    ];
    let change = |(name, a, b): (&str, Option<f64>, Option<f64>)| Change {
        name: format!("skew {name}"),
        a,
        b,
        worse: false,
    };
    rows.into_iter().map(change).collect()
}
