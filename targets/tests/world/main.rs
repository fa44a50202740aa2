//! Nodes on this machine: what a world promises, tried on the embedded one.

mod basics;
mod site;
mod table;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use ridethrough_targets::world::embedded::run_child_if_asked;

fn main() -> ExitCode {
    if let Some(code) = run_child_if_asked(&site::registry) {
        return code;
    }
    let args = Arguments::from_args();
    let mut trials = Vec::new();
    trials.extend(basics::trials());
    trials.extend(table::trials());
    libtest_mimic::run(&args, trials).exit_code()
}
