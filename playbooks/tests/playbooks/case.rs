//! One run and what it must come to.

use ridethrough::conduct::{Conduct, Outcome, conduct};
use ridethrough::judge::Verdict;
use ridethrough::plan::plan;
use ridethrough::playbook::{Control, Loaded, WorldKind};
use tokio_util::sync::CancellationToken;

/// What a run must come to.
pub(crate) enum Expected {
    /// Every promise held.
    Pass,
    /// An assertion of this kind failed.
    Fail(String),
}

/// A playbook or one of its controls.
pub(crate) struct Case {
    pub(crate) playbook: Loaded,
    pub(crate) control: Option<Control>,
    pub(crate) expected: Expected,
}

impl Case {
    /// Runs it; the error is what a person needs to see.
    pub(crate) fn run(self) -> Result<(), String> {
        let loaded = match &self.control {
            Some(control) => self
                .playbook
                .with_control(control)
                .map_err(|e| e.render(false))?,
            None => self.playbook.clone(),
        };
        let plan = plan(&loaded).map_err(|e| e.render(false))?;
        let folder = tempfile::Builder::new()
            .prefix("ridethrough-")
            .tempdir()
            .map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let how = Conduct {
            world: WorldKind::Embedded,
            id: "test".into(),
            out: folder.path().to_path_buf(),
            pcap: false,
            watcher: None,
            stop: CancellationToken::new(),
            repeat: String::new(),
        };
        let outcome = runtime
            .block_on(conduct(plan, how))
            .map_err(|error| error.to_string())?;
        match self.verdict(&outcome) {
            Ok(()) => Ok(()),
            Err(problem) => {
                let kept = folder.keep();
                let board = Outcome {
                    out: kept,
                    ..outcome
                }
                .board(false);
                Err(format!("{problem}\n{board}"))
            }
        }
    }

    fn verdict(&self, outcome: &Outcome) -> Result<(), String> {
        let judgement = &outcome.judgement;
        match &self.expected {
            Expected::Pass if judgement.verdict == Verdict::Pass => Ok(()),
            Expected::Pass => Err("it must pass".into()),
            Expected::Fail(kind) => {
                let broken = judgement
                    .assertions
                    .iter()
                    .any(|a| a.kind == kind.as_str() && a.verdict == Verdict::Fail);
                if judgement.verdict == Verdict::Fail && broken {
                    Ok(())
                } else {
                    Err(format!("it must fail on `{kind}`"))
                }
            }
        }
    }
}
