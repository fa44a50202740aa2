//! DMTF's own validators.

use std::path::Path;

use libtest_mimic::Failed;
use tempfile::tempdir;

use crate::peer::{Output, Peer, check};
use crate::site::Site;

/// Where they come from.
pub(crate) const PACKAGES: &str = "redfish_service_validator redfish_protocol_validator";

/// The protocol validator without its search for services by multicast: this
/// service has no SSDP, and a test sends nothing to the network it runs on.
const QUIET: &str = "
from redfish_protocol_validator import console_scripts, utils
utils.discover_ssdp = lambda *a, **k: {}
console_scripts.main()
";

/// Every resource against DMTF's schemas, which are those of the crate
/// `nv-redfish-schema`: nothing is fetched.
pub(crate) async fn service(validator: Peer) -> Result<(), Failed> {
    let site = Site::start(false).await?;
    let folder = tempdir()?;
    let arguments = [
        "--skipschema",
        "--schema_directory",
        nv_redfish_schema::REDFISH_CSDL_DIR,
        "--logdir",
        &folder.path().display().to_string(),
    ];
    let all = [&login(&site.root())[..], &arguments.map(String::from)].concat();
    let output = run(&validator, &all).await?;
    let counts = counts(&output.out).ok_or_else(|| said(&output))?;
    println!("service validator: pass, warn, fail, not tested: {counts:?}");
    check(
        output.good && counts[0] > 3_000 && counts[2] == 0,
        said(&output),
    )
}

/// Every rule of the protocol, over TLS.
pub(crate) async fn protocol(validator: Peer) -> Result<(), Failed> {
    let site = Site::start(true).await?;
    let folder = tempdir()?;
    let arguments = [
        "--no-cert-check",
        "--avoid-http-redirect",
        "--report-type",
        "tsv",
        "--report-dir",
        &folder.path().display().to_string(),
    ];
    let python = ["-c", QUIET].map(String::from);
    let all = [
        &python,
        &login(&site.root())[..],
        &arguments.map(String::from),
    ]
    .concat();
    let output = run(&validator.beside("python"), &all).await?;
    println!(
        "protocol validator: {}",
        output.out.lines().next().unwrap_or_default()
    );
    let failed = failures(folder.path())?;
    let saw = format!("{}\n{}", failed.join("\n"), said(&output));
    check(output.good && failed.is_empty(), saw)
}

fn login(root: &str) -> [String; 6] {
    let user = "supervisor";
    ["--rhost", root, "--user", user, "--password", user].map(String::from)
}

async fn run(peer: &Peer, arguments: &[String]) -> Result<Output, Failed> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    peer.run(&arguments).await
}

/// The numbers of the service validator's last table.
fn counts(out: &str) -> Option<Vec<u64>> {
    let row = out.lines().rev().filter_map(|line| {
        let cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|');
        cells.map(|cell| plain(cell).parse().ok()).collect()
    });
    row.into_iter().find(|counts: &Vec<u64>| counts.len() == 4)
}

/// A cell without spaces and colours.
fn plain(cell: &str) -> String {
    let mut plain = String::new();
    let mut colour = false;
    for c in cell.chars() {
        match c {
            '\u{1b}' => colour = true,
            'm' if colour => colour = false,
            c if !colour && !c.is_whitespace() => plain.push(c),
            _ => {}
        }
    }
    plain
}

/// The lines of the protocol validator's report that say `FAIL`.
fn failures(folder: &Path) -> Result<Vec<String>, Failed> {
    let mut failed = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tsv") {
            let report = std::fs::read_to_string(path)?;
            let lines = report.lines().filter(|line| line.contains("\tFAIL\t"));
            failed.extend(lines.map(str::to_string));
        }
    }
    Ok(failed)
}

/// What a program said, the end of it.
fn said(output: &Output) -> String {
    let lines: Vec<&str> = output.out.lines().chain(output.err.lines()).collect();
    let notable = |line: &&&str| line.contains("FAIL") || line.contains("Fail: ");
    let bad = lines
        .iter()
        .filter(notable)
        .filter(|l| !l.contains("Fail: 0"));
    let end = lines.iter().rev().take(20).rev();
    bad.chain(end).copied().collect::<Vec<_>>().join("\n")
}
