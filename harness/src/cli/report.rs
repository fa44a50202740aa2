//! `ridethrough report`

use std::path::Path;

use super::exit::Exit;
use super::main::complain;
use crate::outcome::{Outcome, judge_readable, write_page};
use crate::plan::plan;
use crate::playbook::load_playbook;

/// Writes the report of a run again. What is left of a damaged record is shown,
/// and marked so.
pub(super) fn report(run: &Path, out: Option<&Path>, color: bool) -> Exit {
    let own = run.join("playbook.yaml");
    let plan = match load_playbook(&own).and_then(|loaded| plan(&loaded)) {
        Ok(plan) => plan,
        Err(errors) => {
            eprint!("{}", errors.render(color));
            return Exit::Usage;
        }
    };
    let read = judge_readable(&run.join("record.jsonl"), &plan, run.to_path_buf());
    let outcome = match read {
        Ok(outcome) => outcome,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    let page = out.map_or_else(|| run.join("report.html"), Path::to_path_buf);
    match write_page(&outcome, &plan, &again(run, &outcome), &page) {
        Ok(()) => {
            println!("{}", page.display());
            Exit::Passed
        }
        Err(error) => {
            complain(&error.to_string());
            Exit::Usage
        }
    }
}

/// The command that repeats a run of which only the folder is known: its playbook
/// is there as resolved, with its seed and with what a control changed.
pub(super) fn again(run: &Path, outcome: &Outcome) -> String {
    let (seed, world) = (outcome.summary.seed, &outcome.summary.world);
    let playbook = run.join("playbook.yaml");
    format!(
        "ridethrough run {} --seed {seed} --world {world}",
        playbook.display()
    )
}
