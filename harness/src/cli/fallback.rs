//! Where a run goes that was not told where to go.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use ridethrough_targets::world::{WorldError, embedded};

use crate::plan::Plan;
use crate::playbook::WorldKind;

/// The world of playbooks that name none: found out once, and only if asked.
#[derive(Default)]
pub(super) struct Fallback {
    world: Option<WorldKind>,
}

impl Fallback {
    /// Embedded, or virtual where this machine cannot, with a line that says
    /// why.
    pub(super) fn world(&mut self) -> WorldKind {
        *self.world.get_or_insert_with(|| {
            let (world, why) = choose(embedded::available());
            if let Some(why) = why {
                eprintln!("{why}");
            }
            world
        })
    }
}

fn choose(embedded: Result<(), WorldError>) -> (WorldKind, Option<String>) {
    match embedded {
        Ok(()) => (WorldKind::Embedded, None),
        Err(error) => {
            let why = format!("running in world `virtual`, in process: {error}");
            (WorldKind::Virtual, Some(why))
        }
    }
}

/// The id of a virtual run, which is the same whenever the run is.
pub(super) fn virtual_id(plan: &Plan) -> String {
    let digest = Sha256::new()
        .chain_update(env!("CARGO_PKG_VERSION"))
        .chain_update(plan.seed.to_be_bytes())
        .chain_update(&plan.hash)
        .finalize();
    let hex: String = digest.iter().take(6).map(|b| format!("{b:02x}")).collect();
    format!("virtual-{hex}")
}

/// The folder itself, or the first of `-2`, `-3` ... that holds no run.
pub(super) fn unused(folder: PathBuf) -> PathBuf {
    let name = folder.display().to_string();
    let numbered = (2_u32..).map(|n| PathBuf::from(format!("{name}-{n}")));
    std::iter::once(folder.clone())
        .chain(numbered)
        .find(|folder| !folder.exists())
        .unwrap_or(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_the_means_runs_in_virtual_and_says_why() {
        assert_eq!(choose(Ok(())), (WorldKind::Embedded, None));
        let (world, why) = choose(Err(WorldError::Missing {
            what: "no user namespaces".into(),
            remedy: "run as root".into(),
        }));
        assert_eq!(world, WorldKind::Virtual);
        let line = "running in world `virtual`, in process: no user namespaces; run as root";
        assert_eq!(why.as_deref(), Some(line));
    }

    #[test]
    fn a_folder_that_is_taken_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("virtual-1");
        assert_eq!(unused(run.clone()), run);
        std::fs::create_dir(&run).unwrap();
        let second = folder.path().join("virtual-1-2");
        assert_eq!(unused(run.clone()), second);
        std::fs::create_dir(&second).unwrap();
        assert_eq!(unused(run), folder.path().join("virtual-1-3"));
    }
}
