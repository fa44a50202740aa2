//! Adding runs to the history. Whatever is wrong with it is a warning: a run is
//! never lost for its list.

use std::path::{Path, PathBuf};

use clap::Args;

use super::main::warn;
use crate::history::{History, HistoryError, Kept, groups, warnings};
use crate::report::Told;

/// Where runs are listed.
const DEFAULT: &str = "runs/history.sqlite";
/// So many runs are looked at for a margin that shrinks.
const LOOKED_AT: usize = 30;

/// Where runs are added up.
#[derive(Debug, Default, Args)]
pub(super) struct KeepArgs {
    /// Add the runs to this history (default: runs/history.sqlite, where the run
    /// folders are in runs/; with --out there is none unless it is named).
    #[arg(long, value_name = "FILE", conflicts_with = "no_history")]
    pub(super) history: Option<PathBuf>,
    /// Add the runs to no history.
    #[arg(long)]
    pub(super) no_history: bool,
}

impl KeepArgs {
    /// The history, if any: who names a folder for runs may not want a file
    /// beside it, and runs side by side would meet there.
    fn path(&self, out: Option<&Path>) -> Option<PathBuf> {
        match (&self.history, self.no_history, out) {
            (_, true, _) => None,
            (Some(path), ..) => Some(path.clone()),
            (None, false, None) => Some(DEFAULT.into()),
            (None, false, Some(_)) => None,
        }
    }
}

/// Adds a run, and tells of margins that shrink.
pub(super) fn keep(
    args: &KeepArgs,
    out: Option<&Path>,
    file: &Path,
    folder: &Path,
    told: &mut Told,
) {
    let Some(path) = args.path(out) else {
        return;
    };
    match add(&path, file, folder, told) {
        Ok(shrinking) => {
            for text in &shrinking {
                warn(text);
            }
            told.warnings = shrinking;
        }
        Err(error) => warn(&format!("this run is not in the history: {error}")),
    }
}

fn add(path: &Path, file: &Path, folder: &Path, told: &Told) -> Result<Vec<String>, HistoryError> {
    let mut history = History::open_or_make(path)?;
    history.add(&Kept {
        told,
        file,
        folder,
        added: jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string(),
    })?;
    if told.expected.is_some() {
        return Ok(Vec::new());
    }
    let summary = &told.summary;
    let mut runs = history.last_of_each(LOOKED_AT, Some(&summary.playbook))?;
    runs.retain(|run| run.world == summary.world && run.control == told.control);
    let shrinking = warnings(&groups(&runs));
    Ok(shrinking.into_iter().map(|warning| warning.text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_beside_the_runs_or_where_it_is_named() {
        let mut args = KeepArgs::default();
        let out = Some(Path::new("elsewhere"));
        assert_eq!(args.path(None), Some(DEFAULT.into()));
        assert_eq!(args.path(out), None);
        args.history = Some("nights.sqlite".into());
        assert_eq!(args.path(out), Some("nights.sqlite".into()));
        args = KeepArgs {
            history: None,
            no_history: true,
        };
        assert_eq!(args.path(None), None);
    }
}
