//! One run in real time, whose outcome several cases look at.

use std::sync::OnceLock;

use ridethrough::playbook::WorldKind;

use crate::case::{Case, Run};
use crate::parity::{Digest, compare};

/// A case that runs in a world once, when it is first asked for.
pub(crate) struct RealRun {
    case: Case,
    world: WorldKind,
    outcome: OnceLock<Result<Seen, String>>,
}

struct Seen {
    digest: Digest,
    /// What is wrong with its verdict, if anything is.
    complaint: Option<String>,
}

impl RealRun {
    pub(crate) fn of(case: Case, world: WorldKind) -> Self {
        Self {
            case,
            world,
            outcome: OnceLock::new(),
        }
    }

    fn seen(&self) -> Result<&Seen, String> {
        let seen = self.outcome.get_or_init(|| {
            let run = self.case.run(self.world)?;
            let digest = Digest::of(&run)?;
            let problem = self.case.judge(&run).err();
            let complaint = problem.map(|problem| Run::complaint(run, &problem));
            Ok(Seen { digest, complaint })
        });
        seen.as_ref().map_err(Clone::clone)
    }

    /// Its verdict is what it must be.
    pub(crate) fn judged(&self) -> Result<(), String> {
        match &self.seen()?.complaint {
            Some(complaint) => Err(complaint.clone()),
            None => Ok(()),
        }
    }

    /// It agrees with a run on virtual time.
    pub(crate) fn agrees(&self) -> Result<(), String> {
        let real = self.seen()?;
        let simulated = Digest::of(&self.case.run(WorldKind::Virtual)?)?;
        let (problems, table) = compare(&simulated, &real.digest);
        if problems.is_empty() {
            eprintln!("{}\n{table}", self.case.playbook.playbook.name);
            return Ok(());
        }
        let complaint = real.complaint.as_deref().unwrap_or_default();
        Err(format!("{}\n{table}\n{complaint}", problems.join("\n")))
    }
}
