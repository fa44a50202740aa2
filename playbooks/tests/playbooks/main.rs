//! Every shipped playbook, and every control of it, as a test case of its own.
//!
//! A playbook must pass; a control must fail, on the assertion that it names.
//! Whether this machine can run them is decided when the cases are listed.

mod case;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use ridethrough::playbook::load_playbook;
use ridethrough_playbooks::{Shipped, shipped};
use ridethrough_targets::world::embedded;

use case::{Case, Expected};

/// Runs are idle most of the time: more of them than cores go side by side.
const SIDE_BY_SIDE: usize = 7;

fn main() -> ExitCode {
    if let Some(code) = embedded::run_child_if_asked(&ridethrough::builtin::builtin) {
        return code;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let playbooks = match shipped(root) {
        Ok(playbooks) => playbooks,
        Err(error) => {
            eprintln!("{}: {error}", root.display());
            return ExitCode::FAILURE;
        }
    };
    let missing = embedded::available().err().map(|error| error.to_string());
    let mut trials: Vec<Trial> = playbooks
        .iter()
        .flat_map(|playbook| trials(playbook, missing.as_deref()))
        .collect();
    trials.push(capabilities(missing));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The case of a playbook and those of its controls.
fn trials(playbook: &Shipped, missing: Option<&str>) -> Vec<Trial> {
    let prefix = format!("playbooks::{}::{}", playbook.theme, playbook.name);
    let loaded = match load_playbook(&playbook.path) {
        Ok(loaded) => loaded,
        Err(errors) => {
            let text = errors.render(false);
            return vec![Trial::test(prefix, move || Err(Failed::from(text)))];
        }
    };
    let mut cases = vec![(
        prefix.clone(),
        Case {
            playbook: loaded.clone(),
            control: None,
            expected: Expected::Pass,
        },
    )];
    for control in &loaded.playbook.controls {
        let case = Case {
            playbook: loaded.clone(),
            control: Some(control.clone()),
            expected: Expected::Fail(control.fails.clone()),
        };
        cases.push((
            format!("{prefix}::control::{}", control.name.replace(' ', "_")),
            case,
        ));
    }
    cases
        .into_iter()
        .map(|(name, case)| {
            let trial = Trial::test(name, move || case.run().map_err(Failed::from));
            match missing {
                Some(reason) => trial.with_kind(reason).with_ignored_flag(!strict()),
                None => trial,
            }
        })
        .collect()
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
