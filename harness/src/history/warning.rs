//! A word before a promise breaks.

use serde::Serialize;

use super::groups::{Group, Series};
use crate::report::amount;

/// Fewer runs than this show no trend that anybody should be woken for.
const ENOUGH: usize = 8;
/// How sure it must be that a margin shrinks.
const SURE: f64 = 0.95;

/// A margin that shrinks and will be gone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Warning {
    /// Whose: playbook, control and world.
    pub of: String,
    /// The promise in words.
    pub promise: String,
    /// Runs until nothing is left, at the likely pace.
    pub runs: u64,
    /// And at the earliest.
    pub earliest: u64,
    /// How sure it is that the margin shrinks, 0 to 1.
    pub sure: f64,
    /// All of it in words.
    pub text: String,
}

/// Margins that will be gone within as many runs as there were to learn from.
pub fn warnings(groups: &[Group]) -> Vec<Warning> {
    let of = |group: &Group| {
        let all = group.promises.iter();
        let all: Vec<Warning> = all.filter_map(|series| warning(group, series)).collect();
        all
    };
    groups.iter().flat_map(of).collect()
}

fn warning(group: &Group, series: &Series) -> Option<Warning> {
    let trend = series.trend.filter(|trend| trend.points >= ENOUGH)?;
    // What is broken already is no warning, but a verdict.
    let last = series.points.last()?.margin;
    let (likely, earliest) = trend.until_zero().filter(|_| last > 0.0)?;
    if trend.sure < SURE || likely > trend.points as f64 {
        return None;
    }
    // No sooner than the next run.
    let (runs, earliest) = (likely.ceil().max(1.0), earliest.ceil().max(1.0));
    let when = match (runs as u64, earliest as u64) {
        (1, _) => "with the next run".to_string(),
        (runs, soonest) if soonest < runs => {
            format!("in about {runs} runs (at the earliest {soonest})")
        }
        (runs, _) => format!("in about {runs} runs"),
    };
    let text = format!(
        "{}: the margin of `{}` shrinks by {} a run and is {} now; at this pace it is gone {when} \
         ({:.0}% sure that it shrinks, from {} runs)",
        group.title(),
        series.text,
        amount(-trend.slope, &series.unit).trim_start_matches('+'),
        amount(last, &series.unit).trim_start_matches('+'),
        (trend.sure * 100.0).floor().min(99.0),
        trend.points,
    );
    Some(Warning {
        of: group.title(),
        promise: series.text.clone(),
        runs: runs as u64,
        earliest: earliest as u64,
        sure: trend.sure,
        text,
    })
}
