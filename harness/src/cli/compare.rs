//! `ridethrough compare`

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::main::{complain, print};
use crate::compare::{compare, side_by_side};
use crate::history::History;
use crate::report::Summary;

pub(super) const EXAMPLES: &str = "\
Examples:
  ridethrough compare runs/0197… runs/0198…
  ridethrough compare 12 17                      # numbers of `ridethrough history`
  ridethrough compare 12 17 --threshold 5 --json

What counts as worse: a verdict, a promise that broke or is gone, any larger share
of torn, lost or corrupted requests, and a margin that shrank or a latency that
grew by more than the threshold (and by more than 1 ms).";

/// What `ridethrough compare` takes.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The earlier run: its folder, its id, or its number in the history.
    a: String,
    /// The later run.
    b: String,
    /// A change of more than so many percent counts.
    #[arg(long, value_name = "PERCENT", default_value_t = 10.0)]
    threshold: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The history that numbers and ids are of.
    #[arg(long, value_name = "FILE", default_value = "runs/history.sqlite")]
    history: PathBuf,
}

pub(super) fn compare_runs(args: &CompareArgs) -> Exit {
    if !(args.threshold.is_finite() && args.threshold >= 0.0) {
        complain("--threshold is a share in percent, 0 or more");
        return Exit::Usage;
    }
    let read = |run: &String| summary_of(run, &args.history);
    let (a, b) = match (read(&args.a), read(&args.b)) {
        (Ok(a), Ok(b)) => (a, b),
        (a, b) => {
            for error in [a.err(), b.err()].into_iter().flatten() {
                complain(&error);
            }
            return Exit::Usage;
        }
    };
    let comparison = compare(&a, &b, args.threshold / 100.0);
    if args.json {
        print(&serde_json::to_string_pretty(&comparison).unwrap_or_default());
    } else {
        print(&side_by_side(&comparison));
    }
    if comparison.worse.is_empty() {
        Exit::Passed
    } else {
        Exit::Failed
    }
}

/// The summary of a run: from its folder, from `runs/`, or from the history,
/// which has those whose folders are gone.
fn summary_of(run: &str, history: &Path) -> Result<Summary, String> {
    let beside = history.parent().unwrap_or(Path::new("")).join(run);
    for folder in [PathBuf::from(run), beside] {
        let path = folder.join("summary.json");
        if path.is_file() {
            let text = std::fs::read_to_string(&path);
            let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
            return parse(&text).map_err(|error| format!("{}: {error}", path.display()));
        }
    }
    if Path::new(run).is_dir() {
        return Err(format!(
            "{run} holds no summary.json; it is no run that was judged"
        ));
    }
    if !history.exists() {
        let path = history.display();
        return Err(format!(
            "no run {run:?}: no such folder, and no history {path}"
        ));
    }
    let found = History::open(history).and_then(|history| history.summary(run));
    match found.map_err(|error| error.to_string())? {
        Some(text) => parse(&text).map_err(|error| format!("run {run}: {error}")),
        None => Err(format!(
            "no run {run:?}, neither a folder nor in {}",
            history.display()
        )),
    }
}

fn parse(text: &str) -> Result<Summary, String> {
    serde_json::from_str(text).map_err(|error| format!("no summary of a run: {error}"))
}
