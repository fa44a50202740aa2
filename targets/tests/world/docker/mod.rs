//! Nodes as containers of this machine's engine.

mod basics;
mod images;
mod site;
mod table;

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::world::docker;

/// The longest first.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = table::trials();
    trials.extend(basics::trials());
    trials.extend(images::trials());
    available(trials, docker::available().err().map(|e| e.to_string()))
}

/// Without an engine every trial is listed as ignored, with the reason; under
/// `CI=true` that is a failure, so that a job cannot turn green by leaving
/// things out.
fn available(trials: Vec<Trial>, missing: Option<String>) -> Vec<Trial> {
    let Some(reason) = missing else {
        return trials;
    };
    eprintln!("world `docker` is not tried: {reason}");
    let ignored = |trial: Trial| trial.with_kind(&reason).with_ignored_flag(true);
    let mut trials: Vec<Trial> = trials.into_iter().map(ignored).collect();
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        let complaint = move || Err(Failed::from(reason));
        trials.push(Trial::test("environment::docker", complaint));
    }
    trials
}
