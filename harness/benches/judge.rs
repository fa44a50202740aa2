//! How long people wait for a verdict on an old run, and for the list of them:
//! a record of a million tokens is read and judged as `ridethrough judge` does
//! it, plain and compressed, and a history of a hundred runs is listed with all
//! its trends as `ridethrough history` does it.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_types, reason = "what is measured is real time")]

#[path = "synthetic/mod.rs"]
mod synthetic;

use std::error::Error;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;

use ridethrough::history::{History, Kept, groups, warnings};
use ridethrough::judge::{Verdict, sentence};
use ridethrough::outcome::judge_record;
use ridethrough::plan::{Plan, plan_file};
use ridethrough::record::PACKED;
use ridethrough::report::Told;
use synthetic::{PLAYBOOK, write};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Answers of 40 to 120 tokens: a million of them.
const REQUESTS: u32 = 12_500;
const ROUNDS: usize = 9;
const RUNS: i32 = 100;

fn main() -> ExitCode {
    match measure() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let playbook = folder.path().join("playbook.yaml");
    std::fs::write(&playbook, PLAYBOOK)?;
    let (_, plan) = plan_file(&playbook).map_err(|errors| errors.render(false))?;
    let record = folder.path().join("record.jsonl");
    let tokens = write(&record, REQUESTS)?;
    let packed = folder.path().join(PACKED);
    pack(&record, &packed)?;
    println!("{tokens} tokens, medians of {ROUNDS} rounds, milliseconds");
    let mut good = true;
    for (name, record) in [
        ("judge a record", &record),
        ("judge it compressed", &packed),
    ] {
        let times = rounds(|| judged(record, &plan, folder.path()))?;
        good &= row(name, &times, 1_000.0);
    }
    let history = filled(&plan, &record, folder.path())?;
    let times = rounds(|| listed(&history))?;
    good &= row("list a history of 100 runs", &times, 100.0);
    Ok(good)
}

fn pack(plain: &Path, packed: &Path) -> Result<()> {
    let mut packer = GzEncoder::new(File::create(packed)?, Compression::default());
    io::copy(&mut File::open(plain)?, &mut packer)?;
    packer.finish()?;
    Ok(())
}

fn judged(record: &Path, plan: &Plan, out: &Path) -> Result<()> {
    let outcome = judge_record(record, plan, out.to_path_buf())?;
    match outcome.judgement.verdict {
        Verdict::Pass => Ok(()),
        _ => Err(outcome.board(false).into()),
    }
}

/// A history in which every margin moves a little.
fn filled(plan: &Plan, record: &Path, folder: &Path) -> Result<PathBuf> {
    let outcome = judge_record(record, plan, folder.to_path_buf())?;
    let mut told: Told = outcome.told("ridethrough run playbook.yaml");
    told.sentence = sentence(&outcome.judgement);
    let path = folder.join("history.sqlite");
    let mut history = History::open_or_make(&path)?;
    for run in 0..RUNS {
        for judged in &mut told.summary.assertions {
            if let Some(margin) = &mut judged.margin {
                margin.value -= f64::from(run % 7);
            }
        }
        history.add(&Kept {
            told: &told,
            file: Path::new("playbook.yaml"),
            folder,
            added: "2026-01-02T03:04:05Z".into(),
        })?;
    }
    Ok(path)
}

fn listed(path: &Path) -> Result<()> {
    let history = History::open(path)?;
    let runs = history.last(RUNS as usize, None)?;
    let groups = groups(&history.last_of_each(RUNS as usize, None)?);
    let _told = warnings(&groups);
    let all = groups.iter().flat_map(|group| &group.promises);
    let known = all.filter(|series| series.trend.is_some_and(|t| t.points == 100));
    match (runs.len(), known.count()) {
        (100, 9..) => Ok(()),
        other => Err(format!("not what was put in: {other:?}").into()),
    }
}

fn rounds(mut once: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        once()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn row(name: &str, times: &[f64], bar: f64) -> bool {
    let (median, worst) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    let good = median < bar;
    let word = if good { "ok" } else { "over" };
    println!("{name:<28} median {median:>8.1}  worst {worst:>8.1}  bar {bar:>6}  {word}");
    good
}
