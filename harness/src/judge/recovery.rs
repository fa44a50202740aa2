//! How soon after healing the last affected request is over.

use ridethrough_targets::clock::Micros;

use super::facts::RunFacts;
use super::finding::{Finding, ids};
use super::quantity::{count, room_ms, time};
use super::sample::{self, Sample};
use super::window::Window;
use crate::load::{Group, LedgerRow};
use crate::playbook::{Cohort, Metric, RecoveryAssert};

/// Slower than this times the baseline's 99th percentile is affected ...
const FACTOR: u64 = 3;
/// ... but nothing faster than this is (in microseconds): below it a reader
/// notices nothing, and a quiet baseline would make noise look like damage.
const FLOOR_US: Micros = 250_000;

pub(crate) fn judge(facts: &RunFacts, asked: &RecoveryAssert) -> Finding {
    let limit = format!("within {} of the last heal", asked.within);
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let during = window.words();
    let Some(heal) = window.last_heal_us(facts) else {
        return Finding::invalid(format!("no fault was healed{during}"), limit);
    };
    // A request that was sent after this heal and met another phase's fault
    // tells of that fault.
    let until = window.disturbed_us(facts, heal);
    let own = |r: &&LedgerRow| r.end_us > heal && (r.end_us <= until || r.sent_us <= heal);
    let later: Vec<&LedgerRow> = facts.rows.iter().filter(own).collect();
    if later.is_empty() {
        let why = format!("no request ended after the last heal{during}");
        return Finding::invalid(why, limit);
    }
    let slow = Slow::of(facts);
    let affected: Vec<&LedgerRow> = later.into_iter().filter(|r| slow.affects(r)).collect();
    let last = affected.iter().map(|r| r.end_us).max();
    let took = last.map_or(0, |end| end.saturating_sub(heal));
    let observed = match affected.len() {
        0 => "no affected request after the heal".into(),
        n => format!(
            "{}, {} after the heal affected (TTFT over {} or silence over {}, or not whole)",
            time(took),
            count(n, "request"),
            time(slow.ttft_us),
            time(slow.silence_us)
        ),
    };
    Finding::held(took <= asked.within.micros(), observed, limit)
        .margin(room_ms(asked.within.micros(), took), "ms")
        .evidence(ids(affected.into_iter()))
}

/// What counts as slow, from the requests before any fault.
struct Slow {
    ttft_us: Micros,
    silence_us: Micros,
}

impl Slow {
    fn of(facts: &RunFacts) -> Self {
        let before = |r: &&LedgerRow| {
            facts.cohorts.get(&r.id) == Some(&Cohort::Before) && r.group() == Group::Whole
        };
        let bound = |metric| {
            let sample = Sample::of(facts.rows.iter().filter(before), metric);
            let p99 = sample.at(0.99).unwrap_or(0);
            p99.saturating_mul(FACTOR).max(FLOOR_US)
        };
        Self {
            ttft_us: bound(Metric::Ttft),
            silence_us: bound(Metric::Silence),
        }
    }

    fn affects(&self, row: &LedgerRow) -> bool {
        row.group() != Group::Whole
            || sample::ttft_us(row).is_none_or(|us| us > self.ttft_us)
            || row.silence_max_us().is_some_and(|us| us > self.silence_us)
    }
}
