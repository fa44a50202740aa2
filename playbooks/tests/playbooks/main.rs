//! Every shipped playbook, and every control of it, as test cases of their own.
//!
//! A playbook must pass; a control must fail, on the assertion that it names.
//! All run in `virtual`, twice, and must give the same record. Those marked
//! `live: true` run in `embedded` as well, controls and all, and are held
//! against their own run there; under `CI=true` every playbook is.
//! `RIDETHROUGH_WORLDS=virtual,embedded` runs all cases in these worlds. Whether
//! this machine can is decided when the cases are listed.

mod case;
mod embedded_run;
mod kinds;
mod others;
mod pace;
mod parity;
mod planted;
mod repeat;
mod streams;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use ridethrough::playbook::load_playbook;
use ridethrough_playbooks::{Shipped, shipped};
use ridethrough_targets::world::embedded;

use case::Case;
use embedded_run::EmbeddedRun;

/// Runs in real time are idle most of the time: more of them than cores go side
/// by side. (Two of these wait for runs that others have begun.)
const SIDE_BY_SIDE: usize = 11;

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
    let missing = embedded::available().err().map(|error| error.to_string());
    let mut trials: Vec<Trial> = playbooks
        .iter()
        .flat_map(|playbook| trials(playbook, worlds, missing.as_deref()))
        .collect();
    if worlds.simulated {
        let bounds = |kind: &str| match kind {
            "memory_pressure" => embedded::bounds_memory()
                .err()
                .map(|error| error.to_string()),
            _ => None,
        };
        trials.extend(kinds::trials(root, |kind| {
            missing.clone().or_else(|| bounds(kind))
        }));
    }
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
    trials.push(capabilities(missing));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The worlds that every case runs in, beyond what it must.
#[derive(Clone, Copy)]
struct Worlds {
    simulated: bool,
    /// `None`: those that are live.
    embedded: Option<bool>,
}

impl Worlds {
    fn asked() -> Result<Self, String> {
        let Ok(asked) = std::env::var("RIDETHROUGH_WORLDS") else {
            return Ok(Self {
                simulated: true,
                embedded: None,
            });
        };
        let names: Vec<&str> = asked.split(',').map(str::trim).collect();
        match names.iter().find(|n| !["virtual", "embedded"].contains(n)) {
            Some(name) => Err(format!(
                "RIDETHROUGH_WORLDS names world {name:?}; there are virtual, embedded"
            )),
            None => Ok(Self {
                simulated: names.contains(&"virtual"),
                embedded: Some(names.contains(&"embedded")),
            }),
        }
    }
}

/// The cases of a playbook and of its controls.
fn trials(playbook: &Shipped, worlds: Worlds, missing: Option<&str>) -> Vec<Trial> {
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
    let mut trials = Vec::new();
    if worlds.simulated {
        trials.extend(cases.iter().cloned().map(|(name, case)| {
            Trial::test(format!("playbooks::virtual::{name}"), move || {
                repeat::twice(&case).map_err(Failed::from)
            })
        }));
    }
    if worlds.embedded == Some(false) {
        return trials;
    }
    let live = worlds.embedded.unwrap_or(loaded.playbook.live);
    let real = Arc::new(EmbeddedRun::of(own));
    if live {
        let shared = Arc::clone(&real);
        trials.push(needs_embedded(
            format!("playbooks::embedded::{place}"),
            move || shared.judged(),
            missing,
        ));
        for (name, case) in cases.into_iter().skip(1) {
            trials.push(needs_embedded(
                format!("playbooks::embedded::{name}"),
                move || EmbeddedRun::of(case).judged(),
                missing,
            ));
        }
    }
    if live || strict() {
        trials.push(needs_embedded(
            format!("playbooks::parity::{place}"),
            move || real.agrees(),
            missing,
        ));
    }
    trials
}

fn needs_embedded(
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

/// Says what is missing, as a case of its own.
fn capabilities(missing: Option<String>) -> Trial {
    Trial::test("environment::capabilities", move || match missing {
        Some(reason) if strict() => Err(Failed::from(reason)),
        Some(reason) => {
            eprintln!("playbooks are not run in world `embedded`: {reason}");
            Ok(())
        }
        None => Ok(()),
    })
}
