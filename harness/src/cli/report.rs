//! `ridethrough report`

use std::path::Path;

use thiserror::Error;

use super::exit::Exit;
use super::main::complain;
use crate::conduct::ConductError;
use crate::outcome::{Outcome, judge_readable, write_page};
use crate::plan::plan;
use crate::playbook::{PlaybookErrors, load_playbook};
use crate::record::{RecordError, record_of};
use crate::report::Summary;

/// Why a page is not written.
#[derive(Debug, Error)]
pub(super) enum PageError {
    /// The folder's playbook cannot be read.
    #[error("{0}")]
    Playbook(#[from] PlaybookErrors),
    /// Its record cannot.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The page cannot be written.
    #[error(transparent)]
    Written(#[from] ConductError),
}

/// Writes the report of a run again. What is left of a damaged record is shown,
/// and marked so.
pub(super) fn report(run: &Path, out: Option<&Path>, color: bool) -> Exit {
    let page = out.map_or_else(|| run.join("report.html"), Path::to_path_buf);
    match rewrite(run, &page, None) {
        Ok(()) => {
            println!("{}", page.display());
            Exit::Passed
        }
        Err(PageError::Playbook(errors)) => {
            eprint!("{}", errors.render(color));
            Exit::Usage
        }
        Err(error) => {
            complain(&error.to_string());
            Exit::Usage
        }
    }
}

/// Writes the page of a run that is in its folder, with the command that repeats it
/// where the folder does not say all. What other runs say of it, controls and
/// repetitions, is in no record but in the summary.
pub(super) fn rewrite(run: &Path, page: &Path, repeat: Option<&str>) -> Result<(), PageError> {
    let plan = load_playbook(&run.join("playbook.yaml")).and_then(|loaded| plan(&loaded))?;
    let mut outcome = judge_readable(&record_of(run), &plan, run.to_path_buf())?;
    recall(run, &mut outcome);
    let own = || again(run, &outcome);
    let repeat = repeat.map_or_else(own, String::from);
    Ok(write_page(&outcome, &plan, &repeat, page)?)
}

/// What other runs said of this one, from the summary as it was written, if it can
/// be read.
pub(super) fn recall(run: &Path, outcome: &mut Outcome) {
    let text = std::fs::read_to_string(run.join("summary.json"));
    let told = text.map(|text| serde_json::from_str::<Summary>(&text));
    if let Ok(Ok(told)) = told {
        outcome.summary.again = told.again;
        outcome.summary.controls = told.controls;
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
