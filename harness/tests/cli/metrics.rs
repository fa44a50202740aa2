//! `run --metrics`: a run that goes on, read as Prometheus reads it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "processes live in real time"
)]

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use super::live::Live;
use super::run::{data, exits, folder, holds, output, program, said, start_until, summary};

pub(crate) const CASES: &[Live] = &[Live {
    name: "live::its_numbers_can_be_read_while_it_runs",
    body: read_while_it_runs,
    needs: &[("curl", "curl"), ("promtool", "prometheus")],
}];

fn read_while_it_runs() -> Result<(), String> {
    let folder = folder()?;
    let free = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr());
    let address = free.map_err(|error| error.to_string())?.to_string();
    let mut command = program();
    command.arg("run").arg(data("short.yaml"));
    command.args(["--world", "embedded", "--metrics", &address, "--out"]);
    command.arg(folder.path().join("run"));
    command.env("RIDETHROUGH_STATE", folder.path().join("state"));
    let mut child = start_until(&mut command, "metrics at http://")?;
    let page = folder.path().join("page");
    let begun = Instant::now();
    let seen = loop {
        let mut curl = Command::new("curl");
        curl.args(["-sf", &format!("http://{address}/metrics"), "-o"]);
        if output(curl.arg(&page))?.status.success() {
            let text = std::fs::read_to_string(&page).map_err(|error| error.to_string())?;
            if total(&text, "ridethrough_run_requests_total{") >= 10.0 {
                break Ok(text);
            }
        }
        if begun.elapsed() > Duration::from_secs(40) {
            break Err("no requests were counted".to_string());
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let status = child.wait().map_err(|error| error.to_string())?;
    let text = seen?;
    // With the reasons: a run that was late is tried again.
    let told = || summary(&folder.path().join("run")).map_or_else(|e| e, |told| told.to_string());
    holds(status.code() == Some(0), || format!("{status}: {}", told()))?;
    holds(total(&text, "ridethrough_run_tokens_total") > 0.0, || {
        text.clone()
    })?;
    let mut check = Command::new("sh");
    check
        .args(["-c", "promtool check metrics <\"$0\""])
        .arg(&page);
    let checked = output(&mut check)?;
    holds(checked.status.success(), || said(&checked))?;
    // Who reads no longer finds anybody there.
    let mut curl = Command::new("curl");
    let gone = output(curl.args(["-s", &format!("http://{address}/metrics")]))?;
    exits(&gone, 7)
}

/// What all series of a name add up to.
fn total(text: &str, name: &str) -> f64 {
    let lines = text.lines().filter(|line| line.starts_with(name));
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum()
}
