//! Nodes on this machine: what a world promises, tried on the embedded one.

mod basics;
mod death;
mod fabric;
mod identity;
mod mini;
mod nobody;
mod simulated;
mod site;
mod table;
mod virtual_site;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use ridethrough_targets::world::embedded::{Capability, capabilities, run_child_if_asked};

fn main() -> ExitCode {
    if let Some(code) = run_child_if_asked(&site::registry) {
        return code;
    }
    if let Some(code) = mini::run_if_asked() {
        return code;
    }
    let mut args = Arguments::from_args();
    // What is watched for seconds is idle most of the time.
    args.test_threads.get_or_insert(8);
    let found = capabilities();
    // The longest first.
    let mut trials = table::trials();
    trials.extend(basics::trials());
    trials.extend(identity::trials());
    trials.extend(fabric::trials());
    trials.extend(nobody::trials());
    trials.extend(death::trials());
    let mut trials = available(trials, &found);
    trials.extend(table::virtual_trials());
    trials.extend(simulated::trials());
    libtest_mimic::run(&args, trials).exit_code()
}

/// Where the machine cannot, every trial is listed as ignored; under `CI=true`
/// that is a failure, so that a job cannot turn green by leaving things out.
fn available(trials: Vec<Trial>, found: &[Capability]) -> Vec<Trial> {
    let missing: Vec<String> = found
        .iter()
        .filter(|capability| capability.name == "embedded world" && !capability.found)
        .map(|capability| format!("{}; {}", capability.detail, capability.remedy))
        .collect();
    let Some(reason) = missing.first().cloned() else {
        return trials;
    };
    let here = std::env::var("CI").is_ok_and(|ci| ci == "true");
    eprintln!("ignored, because this machine has {reason}");
    let mut trials: Vec<Trial> = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(true))
        .collect();
    if here {
        trials.push(Trial::test("environment::embedded", move || {
            Err(Failed::from(reason))
        }));
    }
    trials
}
