//! What a world promises, tried on each.

#[cfg(linux_worlds)]
mod docker;
#[cfg(linux_worlds)]
mod embedded;
mod impairments;
#[cfg(linux_worlds)]
mod impatience;
mod simulated;
mod site;
mod table;
mod virtual_site;
mod volumes;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use ridethrough_targets::world::embedded::run_child_if_asked;

fn main() -> ExitCode {
    if let Some(code) = run_child_if_asked(&site::registry) {
        return code;
    }
    #[cfg(linux_worlds)]
    if let Some(code) = embedded::run_if_asked() {
        return code;
    }
    let mut args = Arguments::from_args();
    // What is watched for seconds is idle most of the time.
    args.test_threads.get_or_insert(8);
    let mut trials = Vec::new();
    #[cfg(linux_worlds)]
    trials.extend(embedded::trials());
    #[cfg(linux_worlds)]
    trials.extend(docker::trials());
    trials.extend(table::trials());
    trials.extend(simulated::trials());
    trials.extend(volumes::trials());
    libtest_mimic::run(&args, trials).exit_code()
}
