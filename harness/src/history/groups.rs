//! Runs that can be held against each other, and the margins of their promises.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::store::Entry;
use super::trend::Trend;

/// One margin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The run's number in the history.
    pub run: i64,
    /// Room left.
    pub margin: f64,
}

/// The margins of one promise, run after run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// The promise in words. Another limit is another promise.
    pub text: String,
    /// The margins' unit.
    pub unit: String,
    /// The oldest first.
    pub points: Vec<Point>,
    /// Where they are going.
    pub trend: Option<Trend>,
}

impl Series {
    /// The margins alone.
    pub fn values(&self) -> Vec<f64> {
        self.points.iter().map(|point| point.margin).collect()
    }
}

/// Runs of one playbook, or of one control of it, in one world.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// The playbook's name.
    pub playbook: String,
    /// The control.
    pub control: Option<String>,
    /// The world.
    pub world: String,
    /// Verdicts, the oldest first.
    pub verdicts: Vec<String>,
    /// Promises in the order of the last run, then those that are not made any
    /// more.
    pub promises: Vec<Series>,
}

impl Group {
    /// As people name it.
    pub fn title(&self) -> String {
        let control = self.control.as_ref().map(|name| format!(": {name}"));
        let (playbook, control) = (&self.playbook, control.unwrap_or_default());
        format!("{playbook}{control} ({} world)", self.world)
    }
}

/// Puts runs together, the oldest first, that can be held against each other. Of
/// an experiment that did not hold no margin counts.
pub fn groups(runs: &[Entry]) -> Vec<Group> {
    let mut all: IndexMap<(&str, Option<&str>, &str), Vec<&Entry>> = IndexMap::new();
    for run in runs {
        let key = (&*run.playbook, run.control.as_deref(), &*run.world);
        all.entry(key).or_default().push(run);
    }
    let group =
        |((playbook, control, world), runs): ((&str, Option<&str>, &str), Vec<&Entry>)| Group {
            playbook: playbook.into(),
            control: control.map(Into::into),
            world: world.into(),
            verdicts: runs.iter().map(|run| run.verdict.clone()).collect(),
            promises: series(&runs),
        };
    all.into_iter().map(group).collect()
}

fn series(runs: &[&Entry]) -> Vec<Series> {
    let mut all: IndexMap<(&str, usize, &str), Vec<Point>> = IndexMap::new();
    // The newest run gives the order.
    for run in runs.iter().rev().filter(|run| run.verdict != "invalid") {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for promise in &run.promises {
            let nth = seen.entry(&promise.text).or_default();
            *nth += 1;
            let (Some(margin), Some(unit)) = (promise.margin, &promise.unit) else {
                continue;
            };
            let key = (&*promise.text, *nth, &**unit);
            let run = run.id;
            all.entry(key).or_default().push(Point { run, margin });
        }
    }
    let one = |((text, _, unit), mut points): ((&str, usize, &str), Vec<Point>)| {
        points.reverse();
        let values: Vec<f64> = points.iter().map(|point| point.margin).collect();
        Series {
            text: text.into(),
            unit: unit.into(),
            trend: Trend::of(&values),
            points,
        }
    };
    all.into_iter().map(one).collect()
}
