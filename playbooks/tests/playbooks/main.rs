//! Every shipped playbook, and every control of it, as test cases of their own.
//!
//! A playbook must pass; a control must fail, on the assertion that it names.
//! All run in `virtual`, twice, and must give the same record. Those marked
//! `live: true` run in `embedded` as well, controls and all, and are held
//! against their own run there; under `CI=true` every playbook is. A chosen few
//! run in `docker`. `RIDETHROUGH_WORLDS=virtual,embedded,docker` runs all cases
//! in these worlds. Whether this machine can is decided when the cases are
//! listed.

mod case;
mod foreign;
mod kinds;
mod others;
mod pace;
mod parity;
mod planted;
mod real_run;
mod repeat;
mod streams;
mod worlds;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use ridethrough::playbook::{WorldKind, load_playbook};
use ridethrough_playbooks::{Shipped, shipped};
use ridethrough_targets::world::embedded;

use case::Case;
use real_run::RealRun;
use worlds::{Missing, Worlds};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs in real time are idle most of the time: more of them than cores go side
/// by side. (Two of these wait for runs that others have begun.)
const SIDE_BY_SIDE: usize = 13;

fn main() -> ExitCode {
    if let Some(code) = embedded::run_child_if_asked(&ridethrough::builtin::builtin) {
        return code;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (playbooks, worlds) = match (shipped(root), Worlds::asked()) {
        (Ok(playbooks), Ok(worlds)) => (playbooks, worlds),
        (Err(error), _) => {
            eprintln!("{}: {error}", root.display());
            return ExitCode::FAILURE;
        }
        (_, Err(error)) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let missing = Missing::found();
    let mut trials: Vec<Trial> = playbooks
        .iter()
        .flat_map(|playbook| trials(playbook, worlds, &missing))
        .collect();
    trials.extend(kinds::trials(root, worlds, &missing));
    // The long ones first: what is short fills the gaps.
    trials.sort_by_key(|trial| trial.name().contains("virtual"));
    trials.push(Trial::test("playbooks::planted::order", || {
        planted::order_is_found().map_err(Failed::from)
    }));
    trials.push(Trial::test("playbooks::planted::restlessness", || {
        planted::restlessness_is_found().map_err(Failed::from)
    }));
    trials.push(Trial::test("playbooks::others::unsure", || {
        others::an_unsure_model_is_judged_by_structure().map_err(Failed::from)
    }));
    trials.push(Trial::test("playbooks::others::failing", || {
        others::a_pass_that_fails_is_invalid().map_err(Failed::from)
    }));
    trials.push(Trial::test("playbooks::streams::one_client_more", || {
        streams::one_client_more_changes_no_draw().map_err(Failed::from)
    }));
    trials.extend(missing.trials(worlds));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The cases of a playbook and of its controls.
fn trials(playbook: &Shipped, worlds: Worlds, missing: &Missing) -> Vec<Trial> {
    let place = format!("{}::{}", playbook.theme, playbook.name);
    let loaded = match load_playbook(&playbook.path) {
        Ok(loaded) => loaded,
        Err(errors) => {
            let text = errors.render(false);
            let test = move || Err(Failed::from(text));
            return vec![Trial::test(format!("playbooks::{place}"), test)];
        }
    };
    let own = Case {
        playbook: loaded.clone(),
        control: None,
    };
    let mut cases = vec![(place.clone(), own.clone())];
    cases.extend(loaded.playbook.controls.iter().map(|control| {
        let case = Case {
            playbook: loaded.clone(),
            control: Some(control.clone()),
        };
        let name = control.name.replace(' ', "_");
        (format!("{place}::control::{name}"), case)
    }));
    if foreign::is(&loaded) {
        return match worlds.embedded {
            Some(false) => Vec::new(),
            _ => foreign::trials(&loaded, cases, missing.embedded.as_deref()),
        };
    }
    let mut trials = Vec::new();
    if worlds.simulated {
        trials.extend(cases.iter().cloned().map(|(name, case)| {
            Trial::test(format!("playbooks::virtual::{name}"), move || {
                repeat::twice(&case).map_err(Failed::from)
            })
        }));
    }
    let contained = cases.iter().take(worlds.in_docker(&place)).cloned();
    trials.extend(contained.map(|(name, case)| {
        let test = move || RealRun::of(case, WorldKind::Docker).judged();
        let name = format!("playbooks::docker::{name}");
        needs(name, test, missing.docker.as_deref())
    }));
    if worlds.embedded != Some(false) {
        let live = worlds.embedded.unwrap_or(loaded.playbook.live);
        trials.extend(embedded(&place, cases, live, missing.embedded.as_deref()));
    }
    trials
}

/// Cases in world `embedded`, and the first of them held against its own run on
/// virtual time.
fn embedded(
    place: &str,
    cases: Vec<(String, Case)>,
    live: bool,
    missing: Option<&str>,
) -> Vec<Trial> {
    let runs: Vec<_> = cases
        .into_iter()
        .map(|(name, case)| (name, Arc::new(RealRun::of(case, WorldKind::Embedded))))
        .collect();
    let first = Arc::clone(&runs[0].1);
    let mut trials = Vec::new();
    if live {
        trials.extend(runs.into_iter().map(|(name, run)| {
            let name = format!("playbooks::embedded::{name}");
            needs(name, move || run.judged(), missing)
        }));
    }
    if live || strict() {
        let name = format!("playbooks::parity::{place}");
        trials.push(needs(name, move || first.agrees(), missing));
    }
    trials
}

/// A case that this machine may not be able to run.
fn needs(
    name: String,
    test: impl FnOnce() -> Result<(), String> + Send + 'static,
    missing: Option<&str>,
) -> Trial {
    let trial = Trial::test(name, move || test().map_err(Failed::from));
    match missing {
        Some(reason) => trial.with_kind(reason).with_ignored_flag(!strict()),
        None => trial,
    }
}

/// Under `CI=true` nothing may be passed over.
fn strict() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}
