//! Every kind of fault that the catalogue has, in a small playbook of its own,
//! `tests/kinds/<kind>.yaml`: there the fault takes effect and all promises
//! hold; and where its injector does nothing, its witness says so.

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use ridethrough::judge::Verdict;
use ridethrough::playbook::{WorldKind, faults, load_playbook};

use crate::case::{Case, Run};
use crate::needs;
use crate::worlds::{KINDS_IN_DOCKER, Missing, Worlds};

/// A case for each kind, from the catalogue itself, and one for the folder.
/// A kind whose playbook names world `embedded` needs processes.
pub(crate) fn trials(root: &Path, worlds: Worlds, missing: &Missing) -> Vec<Trial> {
    let folder = root.join("tests/kinds");
    let kinds: Vec<String> = faults().into_iter().map(|kind| kind.name).collect();
    let mut trials = Vec::new();
    for kind in &kinds {
        let path = folder.join(format!("{kind}.yaml"));
        let mut case = |world, name: &str, missing: Option<&str>| {
            let (of, path) = (kind.clone(), path.clone());
            let name = format!("playbooks::{name}::kinds::{kind}");
            trials.push(needs(name, move || witnessed(&of, &path, world), missing));
        };
        if worlds.simulated {
            let bounds = match kind.as_str() {
                "memory_pressure" => &missing.bounds,
                _ => &missing.embedded,
            };
            match world(&path) {
                WorldKind::Virtual => case(WorldKind::Virtual, "virtual", None),
                _ => case(WorldKind::Embedded, "embedded", bounds.as_deref()),
            }
        }
        let chosen = KINDS_IN_DOCKER.contains(&kind.as_str());
        if worlds.docker.unwrap_or(chosen) {
            case(WorldKind::Docker, "docker", missing.docker.as_deref());
        }
    }
    if worlds.simulated {
        trials.push(Trial::test("playbooks::kinds::folder", move || {
            no_strays(&folder, &kinds).map_err(Failed::from)
        }));
    }
    trials
}

/// The world that a kind's playbook asks for.
fn world(path: &Path) -> WorldKind {
    let asked = load_playbook(path)
        .ok()
        .and_then(|loaded| loaded.playbook.world);
    asked.unwrap_or(WorldKind::Virtual)
}

/// The fault takes effect; disarmed, the run is invalid, for the want of its
/// witness and for nothing else.
fn witnessed(kind: &str, path: &Path, world: WorldKind) -> Result<(), String> {
    if !path.is_file() {
        let path = path.display();
        return Err(format!("no playbook for kind `{kind}`: write {path}"));
    }
    let playbook = load_playbook(path).map_err(|errors| errors.render(false))?;
    let case = Case {
        playbook,
        control: None,
    };
    let armed = case.run(world)?;
    if let Err(problem) = case.judge(&armed) {
        return Err(armed.complaint(&problem));
    }
    if !injected(&armed, kind) {
        return Err(armed.complaint(&format!("no fault of kind `{kind}` was injected")));
    }
    let disarmed = case.run_disarmed(world, kind)?;
    let reasons = &disarmed.outcome.judgement.invalid;
    let of_it = |reason: &String| reason.contains(&format!("{kind} of "));
    let missed = |reason: &String| of_it(reason) && reason.contains(" took effect: ");
    let problem = if disarmed.outcome.judgement.verdict != Verdict::Invalid {
        "nothing was injected, and the run is not invalid"
    } else if !reasons.iter().any(missed) {
        "nothing was injected, and no witness misses it"
    } else if !reasons.iter().all(of_it) {
        "nothing was injected, and more than that is invalid"
    } else {
        return Ok(());
    };
    Err(disarmed.complaint(problem))
}

fn injected(run: &Run, kind: &str) -> bool {
    let faults = &run.outcome.summary.faults;
    faults
        .iter()
        .any(|fault| fault.kind == kind && fault.effective)
}

/// No file of the folder is for a kind that is not there.
fn no_strays(folder: &Path, kinds: &[String]) -> Result<(), String> {
    let files = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    let playbooks = paths.filter(|path| path.extension().is_some_and(|e| e == "yaml"));
    let known = |path: &PathBuf| {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy());
        stem.is_some_and(|stem| kinds.iter().any(|kind| *kind == stem))
    };
    match playbooks.into_iter().find(|path| !known(path)) {
        Some(stray) => Err(format!("{} is for no kind of fault", stray.display())),
        None => Ok(()),
    }
}
