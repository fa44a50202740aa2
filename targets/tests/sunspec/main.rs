//! The SunSpec server against pysunspec2, SunSpec's own client.
//!
//! Whether it is installed is decided when the cases are listed: without it a
//! case is ignored and its name says what to install; under `CI=true` it fails
//! instead, so that no pipeline goes green for want of a peer.
#![deny(unsafe_code)]

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
    if let Some(peer) = client::find() {
        return Trial::test(name, move || block_on(run, peer));
    }
    let lack = format!("no pysunspec2 here: {}", client::INSTALL);
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let name = format!("{name} [{lack}]");
    Trial::test(name, move || Err(lack.into())).with_ignored_flag(!in_ci)
}

fn block_on<F>(run: fn(Peer) -> F, peer: Peer) -> Result<(), Failed>
where
    F: Future<Output = Result<(), Failed>>,
{
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run(peer))
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
