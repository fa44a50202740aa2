//! The entry into this binary's child verbs.

use std::process::ExitCode;

use crate::service::Registry;
use crate::undo;

use super::{ahead, check, enclosure, hog, machine, service, site};

/// The first argument that turns this binary into a child of a world.
pub const MARKER: &str = "__ridethrough";

/// The variable that holds the run folder in the environment of every process
/// of a world, whoever has started it.
pub const RUN_MARK: &str = "RIDETHROUGH_RUN";

/// Runs a child verb if this process was started for one. Call it first thing
/// in `main`, before there are threads, and return the exit code if there is
/// one.
pub fn run_child_if_asked(registry: &Registry) -> Option<ExitCode> {
    let mut args = std::env::args().skip(1);
    if args.next()? != MARKER {
        return None;
    }
    Some(match args.next().as_deref() {
        Some("warden") => site::warden_main(),
        Some("service") => service::main(registry),
        Some("enclosure") => enclosure::main(args),
        Some("check") => check::main(args),
        Some("clock") => ahead::main(),
        Some("machine") => machine::main(args.next()),
        Some("hog") => hog::main(args.next()),
        Some("guardian") => undo::guardian_main(),
        verb => {
            eprintln!("{MARKER} is for this program's own use (asked for {verb:?})");
            ExitCode::from(2)
        }
    })
}
