//! The program as a user meets it: words in, exit codes and run folders out.
//!
//! What this machine cannot do is decided when the cases are listed.

mod bundle;
mod devtools;
mod docker;
mod emulate;
mod gameday;
mod guard;
mod history;
mod live;
mod metrics;
mod nightly;
mod report;
mod run;
mod simulated;
mod words;

#[path = "../support/synthetic.rs"]
mod synthetic;

use std::process::ExitCode;
use std::sync::{PoisonError, RwLock};

use libtest_mimic::{Arguments, Failed, Trial};

use ridethrough_targets::world::{docker as engine, embedded};

/// Runs are idle most of the time: more of them than cores go side by side.
const SIDE_BY_SIDE: usize = 8;

/// Read by cases beside others, written by one that must be alone.
static BESIDE_OTHERS: RwLock<()> = RwLock::new(());

type Body = fn() -> Result<(), String>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
    let mut trials = Vec::new();
    for (name, body) in words::CASES {
        trials.push(trial(name, *body, None));
    }
    for (name, body) in emulate::CASES {
        trials.push(trial(name, *body, None));
    }
    for (name, body) in report::CASES {
        trials.push(trial(name, *body, None));
    }
    for case in report::IN_BROWSER {
        trials.push(trial(case.name, case.body, missing_program(case.needs)));
    }
    for (name, body) in nightly::CASES.iter().chain(history::CASES) {
        trials.push(trial(name, *body, None));
    }
    for (name, body) in bundle::CASES.iter().chain(gameday::CASES) {
        trials.push(trial(name, *body, None));
    }
    for case in bundle::WITH_OPENTELEMETRY {
        let missing = missing_program(case.needs).or_else(bundle::without_opentelemetry);
        trials.push(trial(case.name, case.body, missing));
    }
    for (name, body) in simulated::CASES {
        trials.push(trial(name, *body, None));
    }
    let world = embedded::available().err().map(|error| error.to_string());
    for case in live::CASES.iter().chain(metrics::CASES) {
        let missing = world.clone().or_else(|| missing_program(case.needs));
        trials.push(trial(case.name, case.body, missing));
    }
    for case in gameday::IN_A_WORLD {
        let missing = world.clone().or_else(|| missing_program(case.needs));
        trials.push(trial(case.name, case.body, missing));
    }
    for case in guard::CASES {
        trials.push(trial(case.name, case.body, world.clone()));
    }
    let bounds = embedded::bounds_memory()
        .err()
        .map(|error| error.to_string());
    for case in guard::ON_THE_HOST {
        let missing = world.clone().or_else(|| bounds.clone());
        trials.push(trial(case.name, case.body, missing));
    }
    for case in docker::WITHOUT_ENGINE {
        trials.push(trial(case.name, case.body, world.clone()));
    }
    let root = (!embedded::as_root()).then(|| "not root; run it as root".to_string());
    for case in docker::AS_NOBODY {
        trials.push(trial(case.name, case.body, root.clone()));
    }
    let engine = engine::available().err().map(|error| error.to_string());
    for case in docker::WITH_ENGINE {
        let missing = engine.clone().or_else(|| missing_program(case.needs));
        trials.push(trial(case.name, case.body, missing));
    }
    for case in emulate::WITH_PEERS {
        trials.push(trial(case.name, case.body, missing_program(case.needs)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, body: Body, missing: Option<String>) -> Trial {
    let trial = Trial::test(name, move || held(body).map_err(Failed::from));
    match missing {
        Some(reason) => trial.with_kind(reason).with_ignored_flag(!strict()),
        None => trial,
    }
}

/// Runs a case beside others. Where the machine was too busy for a load to keep to
/// its schedule, a run says nothing, and the case is tried once more, alone.
fn held(body: Body) -> Result<(), String> {
    let beside = BESIDE_OTHERS.read().unwrap_or_else(PoisonError::into_inner);
    let said = body();
    drop(beside);
    let late = |said: &String| {
        let words: Vec<&str> = said.split_whitespace().collect();
        words.join(" ").contains("behind its schedule")
    };
    match said {
        Err(said) if late(&said) => {
            let _alone = BESIDE_OTHERS
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            body()
        }
        said => said,
    }
}

/// Under `CI=true` nothing may be passed over.
fn strict() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// The first program that is not there, with the package that has it.
fn missing_program(needs: &[(&str, &str)]) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |program: &str| std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    needs
        .iter()
        .find(|(program, _)| !found(program))
        .map(|(program, package)| format!("no {program}; apt-get install {package}"))
}
