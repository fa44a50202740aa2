//! `ridethrough judge`

use std::path::Path;

use super::exit::Exit;
use super::main::complain;
use super::report::{again, recall};
use crate::outcome::{judge_record, write_page};
use crate::plan::plan;
use crate::playbook::load_playbook;
use crate::record::record_of;

/// Judges an old record, by its own promises or by others. By its own, its report
/// is written again: other promises are a question, and leave the folder alone.
pub(super) fn judge(run: &Path, playbook: Option<&Path>, json: bool, color: bool) -> Exit {
    let own = run.join("playbook.yaml");
    let plan = match load_playbook(playbook.unwrap_or(&own)).and_then(|loaded| plan(&loaded)) {
        Ok(plan) => plan,
        Err(errors) => {
            eprint!("{}", errors.render(color));
            return Exit::Usage;
        }
    };
    let mut outcome = match judge_record(&record_of(run), &plan, run.to_path_buf()) {
        Ok(outcome) => outcome,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    if playbook.is_none() {
        recall(run, &mut outcome);
        let page = run.join("report.html");
        if let Err(error) = write_page(&outcome, &plan, &again(run, &outcome), &page) {
            complain(&error.to_string());
        }
    }
    if json {
        println!(
            "{}",
            serde_json::to_string_pretty(&outcome.summary).unwrap_or_default()
        );
    } else {
        print!("{}", outcome.board(color));
    }
    Exit::from_code(outcome.judgement.exit)
}
