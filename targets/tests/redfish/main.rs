//! The Redfish service and the metrics page against programs that others wrote.
//!
//! Whether a program is installed is decided when the cases are listed: without
//! it a case is ignored and its name says what to install; under `CI=true` it
//! fails instead, so that no pipeline goes green for want of a peer.
#![deny(unsafe_code)]

mod curl;
#[path = "../../src/supervisor/redfish/tests/fixture.rs"]
#[allow(dead_code)]
mod fixture;
mod peer;
mod promtool;
mod site;
mod utilities;
mod validators;

use std::future::Future;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use ridethrough_targets as targets;

use crate::peer::Peer;

/// What brings a program.
fn install(program: &str) -> String {
    match program {
        "curl" => "apt-get install curl".into(),
        "promtool" => "apt-get install prometheus".into(),
        _ => format!("pip install {}", validators::PACKAGES),
    }
}

/// A case that needs one program.
fn case<F>(name: &str, program: &'static str, run: fn(Peer) -> F) -> Trial
where
    F: Future<Output = Result<(), Failed>> + 'static,
{
    if let Some(peer) = Peer::find(program) {
        return Trial::test(name, move || block_on(run, peer));
    }
    let lack = format!("no {program} here: {}", install(program));
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
    // They wait for peers most of the time.
    arguments.test_threads.get_or_insert(6);
    let cases = vec![
        case(
            "curl logs in, switches an outlet and logs out",
            "curl",
            curl::session,
        ),
        case("curl reads over TLS", "curl", curl::tls),
        case(
            "curl hears of an outlet on an open stream",
            "curl",
            curl::stream,
        ),
        case(
            "curl is told when a head or a body is too large",
            "curl",
            curl::bounds,
        ),
        case(
            "promtool finds nothing wrong with the metrics",
            "promtool",
            promtool::check,
        ),
        case(
            "DMTF's utilities reset a machine and read the rest",
            "rf_power_reset.py",
            utilities::use_site,
        ),
        case(
            "DMTF's service validator finds nothing wrong",
            "rf_service_validator",
            validators::service,
        ),
        case(
            "DMTF's protocol validator finds nothing wrong",
            "rf_protocol_validator",
            validators::protocol,
        ),
    ];
    libtest_mimic::run(&arguments, cases).exit_code()
}
