//! The emulated power side against Debian's own NUT programs.

#[path = "../../shared/cases.rs"]
mod cases;
mod clients;
mod daemon;
mod driver;
mod peer;
mod site;
mod upsd;
mod upsmon;

use std::future::Future;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use self::peer::Peer;

/// A case that needs one program of NUT.
fn case<F>(name: &str, program: &'static str, run: fn(Peer) -> F) -> Trial
where
    F: Future<Output = Result<(), Failed>> + 'static,
{
    let peer = match Peer::find(program) {
        Some(_) if program == "upsmon" && upsmon::in_use() => {
            Err("an upsmon watches this machine: run on another".to_string())
        }
        Some(peer) => Ok(peer),
        None if program == "upsd" => Err("no upsd here: apt-get install nut-server".to_string()),
        None => Err(format!("no {program} here: apt-get install nut-client")),
    };
    cases::case(name, peer, run)
}

pub(crate) fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They wait for peers most of the time.
    arguments.test_threads.get_or_insert(6);
    let cases = vec![
        case("upsc lists the devices", "upsc", clients::upsc_lists),
        case("upsc reads a device", "upsc", clients::upsc_reads),
        case(
            "upsc is told that data are stale",
            "upsc",
            clients::upsc_stale,
        ),
        case(
            "upscmd lists and runs commands",
            "upscmd",
            clients::upscmd_runs,
        ),
        case(
            "upscmd is refused what nothing does",
            "upscmd",
            clients::upscmd_refused,
        ),
        case(
            "upsrw sets a threshold of the device",
            "upsrw",
            clients::upsrw_sets,
        ),
        case(
            "upsmon as primary orders the shutdown",
            "upsmon",
            upsmon::primary,
        ),
        case(
            "upsmon as secondary obeys the supervisor",
            "upsmon",
            upsmon::secondary,
        ),
        case(
            "upsmon as primary waits for its secondary",
            "upsmon",
            upsmon::host_sync,
        ),
        case(
            "upsmon gives up on a secondary that stays",
            "upsmon",
            upsmon::stuck_secondary,
        ),
        case(
            "our client reads and sets what upsd has",
            "upsd",
            upsd::client,
        ),
        case(
            "our supervisor and watcher hear upsd",
            "upsd",
            upsd::supervisor,
        ),
        case(
            "upsd serves our drivers and pushes what they push",
            "upsd",
            driver::reads,
        ),
        case(
            "upsd is told by our drivers that data are stale, or nothing",
            "upsd",
            driver::fails,
        ),
        case(
            "upscmd and upsrw reach our drivers through upsd",
            "upsd",
            driver::orders,
        ),
    ];
    libtest_mimic::run(&arguments, cases).exit_code()
}
