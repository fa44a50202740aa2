//! The SNMP agent against net-snmp's programs and against NUT's `snmp-ups`.
#![deny(unsafe_code)]

#[path = "../shared/cases.rs"]
mod cases;
mod nut;
#[path = "../nut/linux/peer.rs"]
mod peer;
mod read;
mod site;
mod traps;
mod v3;
mod write;

use std::future::Future;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::peer::Peer;

/// A case that needs one program.
fn case<F>(name: &str, program: &'static str, run: fn(Peer) -> F) -> Trial
where
    F: Future<Output = Result<(), Failed>> + 'static,
{
    let package = match program {
        "snmp-ups" => "nut-snmp",
        "snmptrapd" => "snmptrapd",
        _ => "snmp",
    };
    let lack = || format!("no {program} here: apt-get install {package}");
    cases::case(name, Peer::find(program).ok_or_else(lack), run)
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They wait for peers most of the time.
    arguments.test_threads.get_or_insert(6);
    let cases = vec![
        case("snmpget reads UPS-MIB in v1 and v2c", "snmpget", read::get),
        case("snmpget is told what is missing", "snmpget", read::missing),
        case(
            "snmpget with a wrong community hears nothing",
            "snmpget",
            read::stranger,
        ),
        case(
            "snmpget selects a device by community",
            "snmpget",
            read::selects,
        ),
        case(
            "snmpget sees stale, lost and slow telemetry",
            "snmpget",
            read::telemetry,
        ),
        case("snmpwalk walks in order", "snmpwalk", read::walk),
        case(
            "snmpbulkwalk sees what snmpwalk sees",
            "snmpbulkwalk",
            read::bulk,
        ),
        case("snmpset sets and orders", "snmpset", write::sets),
        case("snmpset is refused", "snmpset", write::refused),
        case("snmpset counts down", "snmpset", write::counts_down),
        case("snmptrapd hears traps in v2c", "snmptrapd", traps::v2c),
        case("snmptrapd hears traps in v1", "snmptrapd", traps::v1),
        case("snmptrapd hears traps in v3", "snmptrapd", traps::v3),
        case(
            "snmptrapd answers informs in v2c",
            "snmptrapd",
            traps::v2c_inform,
        ),
        case(
            "snmptrapd answers informs in v3",
            "snmptrapd",
            traps::v3_inform,
        ),
        case("snmpget in v3 at every level", "snmpget", v3::levels),
        case("snmpget in v3 is refused", "snmpget", v3::refused),
        case("snmpbulkwalk in v3", "snmpbulkwalk", v3::bulk),
        case("snmpset in v3", "snmpset", v3::sets),
        case("snmp-ups by UPS-MIB", "snmp-ups", nut::ietf),
        case("snmp-ups by PowerNet-MIB", "snmp-ups", nut::apcc),
    ];
    libtest_mimic::run(&arguments, cases).exit_code()
}
