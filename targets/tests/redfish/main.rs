//! The Redfish service and the metrics page against programs that others wrote.
#![deny(unsafe_code)]

#[path = "../shared/cases.rs"]
mod cases;
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
    let lack = || format!("no {program} here: {}", install(program));
    cases::case(name, Peer::find(program).ok_or_else(lack), run)
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
