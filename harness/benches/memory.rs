//! What judging a long run takes: a record of ten minutes at 200 requests a
//! second is written, read back and judged as `ridethrough judge` does it.
#![forbid(unsafe_code)]

#[path = "synthetic/mod.rs"]
mod synthetic;

use std::error::Error;
use std::process::ExitCode;

use ridethrough::judge::Verdict;
use ridethrough::outcome::judge_record;
use ridethrough::plan::plan_file;
use ridethrough_targets::clock::Clock;
use synthetic::{PLAYBOOK, write};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const REQUESTS: u32 = 120_000;
/// What the harness may take.
const BAR_MB: f64 = 300.0;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let playbook = folder.path().join("playbook.yaml");
    std::fs::write(&playbook, PLAYBOOK)?;
    let (_, plan) = plan_file(&playbook).map_err(|errors| errors.render(false))?;
    let record = folder.path().join("record.jsonl");
    let clock = Clock::start();
    let tokens = write(&record, REQUESTS)?;
    let (written_us, before) = (clock.now_us(), peak_mb()?);
    let outcome = judge_record(&record, &plan, folder.path().to_path_buf())?;
    let (judged_us, peak) = (clock.now_us() - written_us, peak_mb()?);
    let judgement = &outcome.judgement;
    if judgement.verdict != Verdict::Pass || judgement.facts.rows.len() != REQUESTS as usize {
        return Err(outcome.board(false).into());
    }
    let row = |what: &str, value: f64| println!("{what:<44} {value:>10.1}");
    println!("{REQUESTS} requests, {tokens} tokens, all promises judged");
    row(
        "the record, MB",
        megabytes(std::fs::metadata(&record)?.len()),
    );
    row("time to write it, s", written_us as f64 / 1e6);
    row("time to judge it, s", judged_us as f64 / 1e6);
    row("peak memory before it is judged, MB", before);
    row("peak memory, MB (bar 300)", peak);
    println!("{}", if peak < BAR_MB { "ok" } else { "over" });
    Ok(())
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The most memory this process ever had, as the kernel counts it.
fn peak_mb() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    let kibibytes: u64 = number.ok_or("no VmHWM")?.parse()?;
    Ok(megabytes(kibibytes * 1024))
}
