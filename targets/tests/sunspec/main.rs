//! The SunSpec server against pysunspec2, SunSpec's own client.
#![deny(unsafe_code)]

#[path = "../shared/cases.rs"]
mod cases;
mod client;
#[path = "../../src/supervisor/redfish/tests/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "../redfish/peer.rs"]
#[allow(dead_code)]
mod peer;

use std::future::Future;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use ridethrough_targets as targets;

use crate::peer::Peer;

/// A case for the Python of pysunspec2's environment.
fn case<F>(name: &str, run: fn(Peer) -> F) -> Trial
where
    F: Future<Output = Result<(), Failed>> + 'static,
{
    let lack = || format!("no pysunspec2 here: {}", client::INSTALL);
    cases::case(name, client::find().ok_or_else(lack), run)
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They wait for their peer most of the time.
    arguments.test_threads.get_or_insert(4);
    let cases = vec![
        case("pysunspec2 scans the models and reads them", client::reads),
        case(
            "pysunspec2 sets a power and a heartbeat and reads them back",
            client::writes,
        ),
        case("pysunspec2 sees a set-point lapse", client::lapses),
        case(
            "pysunspec2 is told when a value is refused",
            client::refused,
        ),
    ];
    libtest_mimic::run(&arguments, cases).exit_code()
}
