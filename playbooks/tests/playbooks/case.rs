//! One run and what it must come to.

use std::path::Path;
use std::sync::Arc;

use ridethrough::builtin::builtin;
use ridethrough::conduct::{Conduct, Outcome, conduct_with};
use ridethrough::judge::Verdict;
use ridethrough::plan::{Plan, plan};
use ridethrough::playbook::{Control, Loaded, WorldKind};
use ridethrough_targets::service::Registry;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::pace;

/// What a verdict says of a load that could not keep to its schedule.
const LATE: &str = "behind its schedule";

/// A playbook or one of its controls.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) playbook: Loaded,
    pub(crate) control: Option<Control>,
}

/// A run that is over, and its folder.
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    folder: TempDir,
}

impl Case {
    /// Runs it in a world; the error is what a person needs to see.
    pub(crate) fn run(&self, world: WorldKind) -> Result<Run, String> {
        self.run_with(world, Arc::new(builtin))
    }

    /// As [`run`](Self::run), with other built-in services (virtual worlds).
    pub(crate) fn run_with(
        &self,
        world: WorldKind,
        registry: Arc<Registry>,
    ) -> Result<Run, String> {
        self.carry_out(world, registry, None)
    }

    /// As [`run`](Self::run), where the injectors of this kind of fault do
    /// nothing.
    pub(crate) fn run_disarmed(&self, world: WorldKind, kind: &str) -> Result<Run, String> {
        let disarm = Some(kind.to_string());
        self.carry_out(world, Arc::new(builtin), disarm)
    }

    fn carry_out(
        &self,
        world: WorldKind,
        registry: Arc<Registry>,
        disarm: Option<String>,
    ) -> Result<Run, String> {
        let pace = match world {
            WorldKind::Virtual => pace::virtual_time(),
            WorldKind::Docker => pace::containers(),
            _ => pace::real_time(),
        };
        let run = self.carry_out_once(world, Arc::clone(&registry), disarm.clone())?;
        drop(pace);
        if world == WorldKind::Virtual || !run.was_late() {
            return Ok(run);
        }
        // The machine had other work, so the run says nothing; once more, without it.
        let _pace = pace::alone();
        self.carry_out_once(world, registry, disarm)
    }

    fn carry_out_once(
        &self,
        world: WorldKind,
        registry: Arc<Registry>,
        disarm: Option<String>,
    ) -> Result<Run, String> {
        let folder = tempfile::Builder::new()
            .prefix("ridethrough-")
            .tempdir()
            .map_err(|error| error.to_string())?;
        let how = Conduct {
            world,
            id: match world {
                WorldKind::Virtual => "test".into(),
                // Runs beside each other keep their journals in one place.
                _ => folder_name(folder.path()),
            },
            out: folder.path().to_path_buf(),
            pcap: false,
            watcher: None,
            stop: CancellationToken::new(),
            repeat: String::new(),
            disarm,
            podium: None,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let outcome = runtime
            .block_on(conduct_with(self.plan(world)?, how, registry))
            .map_err(|error| error.to_string())?;
        Ok(Run { outcome, folder })
    }

    fn plan(&self, world: WorldKind) -> Result<Plan, String> {
        let mut loaded = match &self.control {
            Some(control) => self
                .playbook
                .with_control(control)
                .map_err(|e| e.render(false))?,
            None => self.playbook.clone(),
        };
        loaded.playbook.world = Some(world);
        plan(&loaded).map_err(|e| e.render(false))
    }

    /// A playbook must pass; a control must fail, on the assertion it names.
    pub(crate) fn judge(&self, run: &Run) -> Result<(), String> {
        let judgement = &run.outcome.judgement;
        let Some(control) = &self.control else {
            return match judgement.verdict {
                Verdict::Pass => Ok(()),
                _ => Err("it must pass".into()),
            };
        };
        let broken = judgement
            .assertions
            .iter()
            .any(|a| a.kind == control.fails.as_str() && a.verdict == Verdict::Fail);
        if judgement.verdict == Verdict::Fail && broken {
            Ok(())
        } else {
            Err(format!("it must fail on `{}`", control.fails))
        }
    }
}

impl Run {
    /// Its load could not keep to its schedule.
    fn was_late(&self) -> bool {
        let invalid = &self.outcome.judgement.invalid;
        invalid.iter().any(|why| why.contains(LATE))
    }

    /// Where its record and reports are.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its record, byte for byte.
    pub(crate) fn record(&self) -> Result<Vec<u8>, String> {
        let path = self.path().join("record.jsonl");
        std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// What a person needs to see of a run that went wrong; its folder is kept.
    pub(crate) fn complaint(self, problem: &str) -> String {
        let out = self.folder.keep();
        let board = Outcome {
            out,
            ..self.outcome
        }
        .board(false);
        format!("{problem}\n{board}")
    }
}

fn folder_name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
