//! Where a run goes that was not told where to go.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use ridethrough_targets::world::embedded;

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
        *self
            .world
            .get_or_insert_with(|| match embedded::available() {
                Ok(()) => WorldKind::Embedded,
                Err(error) => {
                    eprintln!("running in world `virtual`, in process: {error}");
                    WorldKind::Virtual
                }
            })
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
    use super::unused;

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
