//! Rude clients at every protocol's server, over loopback: those that say
//! nothing, half of something or something without end, and those that ask and
//! do not listen. Another client is served all the while, and the memory of all
//! of it stays bounded.
#![deny(unsafe_code)]

#[path = "../../src/supervisor/redfish/tests/fixture.rs"]
#[allow(dead_code)]
mod fixture;
mod rude;
mod site;
mod streams;
mod udp;

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use ridethrough_targets as targets;

use crate::site::Site;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a good client bears while others are rude.
const PROMPT: Duration = Duration::from_secs(2);
/// By how much the process may grow, clients included.
const MAX_GROWTH_KB: u64 = 64 << 10;

fn case<F>(name: &'static str, run: fn(Site) -> F) -> Trial
where
    F: Future<Output = Result<(), Failed>> + 'static,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let site = Site::start()?;
        let before = resident_kb();
        runtime.block_on(run(site))?;
        let grown = resident_kb().saturating_sub(before);
        println!("{name}: the process grew by {grown} kB");
        check(
            grown < MAX_GROWTH_KB,
            format!("it grew by {grown} kB, from {before} kB"),
        )
    })
}

fn check(holds: bool, saw: impl Into<String>) -> Result<(), Failed> {
    if holds {
        Ok(())
    } else {
        Err(saw.into().into())
    }
}

/// The process's memory; 0 where the system does not tell.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|kb| kb.parse().ok()).unwrap_or_default()
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each looks at the memory of the whole process.
    arguments.test_threads = Some(1);
    let cases = vec![
        case("a thousand silent clients stall nobody", rude::silent),
        case("clients that say half of it stall nobody", rude::half),
        case("clients that never end stall nobody", rude::endless),
        case("clients that do not listen stall nobody", rude::deaf),
        case("a flood of datagrams passes", udp::flood),
        case("streams that nobody reads stay short", streams::unread),
    ];
    libtest_mimic::run(&arguments, cases).exit_code()
}
