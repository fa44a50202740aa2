//! All in one process: the agents on one thread, the clients on another, and
//! the programs of others, where they are installed, in their own processes:
//! `cargo bench -p ridethrough-targets --bench protocols`, with `SNMPSIM` the
//! path of a `snmpsim-command-responder` (run as root: it wants a user to run
//! as, and is given root).

#[path = "../../../tests/nut/linux/daemon.rs"]
mod daemon;
#[path = "../../../src/supervisor/redfish/tests/fixture.rs"]
#[allow(dead_code)]
mod fixture;
mod http;
mod modbus;
mod nut;
#[path = "../../../tests/nut/linux/peer.rs"]
#[allow(dead_code, unused_imports)]
mod peer;
mod site;
mod snmp;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use ridethrough_targets as targets;

use self::site::Site;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How long each rate is measured.
const SPAN: Duration = Duration::from_secs(2);
/// Every rate is the median of so many.
const ROUNDS: usize = 5;
/// Changes of which the slowest hundredth is looked at.
const CHANGES: usize = 1_000;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let measured = runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(measure()));
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<()> {
    let sink = snmp::Sink::bind().await?;
    let site = Site::start(sink.port()?)?;
    nut::rates(&site).await?;
    snmp::rates(&site).await?;
    table::delay_head();
    nut::readers(&site).await?;
    snmp::readers(&site).await?;
    modbus::readers(&site).await?;
    http::readers(&site).await?;
    snmp::traps(&site, &sink).await?;
    http::events(&site).await
}
