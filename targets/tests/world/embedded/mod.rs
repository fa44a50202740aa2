//! Nodes on this machine.

mod basics;
mod death;
mod enclosed;
mod fabric;
mod guardian;
mod identity;
mod mini;
mod nobody;
pub(crate) mod site;
mod table;
mod volumes;

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::world::Capability;
use ridethrough_targets::world::embedded::capabilities;

pub(crate) use mini::run_if_asked;

/// The longest first.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = table::trials();
    trials.extend(basics::trials());
    trials.extend(identity::trials());
    trials.extend(enclosed::trials());
    trials.extend(fabric::trials());
    trials.extend(nobody::trials());
    trials.extend(death::trials());
    trials.extend(volumes::trials());
    trials.extend(guardian::trials());
    available(trials, &capabilities())
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
