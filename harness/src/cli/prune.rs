//! `ridethrough prune`: how long runs are kept.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::main::complain;
use crate::history::{Pruned, Retention, prune};

pub(super) const EXAMPLES: &str = "\
Examples:
  ridethrough prune --keep 100 --dry-run
  ridethrough prune --keep-days 30
  ridethrough prune --keep 100 --plain 10
  ridethrough prune nightly --keep-days 14 --failing-too";

/// What `ridethrough prune` takes.
#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// The folder of run folders.
    #[arg(default_value = "runs")]
    folder: PathBuf,
    /// Keep so many runs, the newest.
    #[arg(long, value_name = "N", required_unless_present = "keep_days")]
    keep: Option<u32>,
    /// Keep the runs of so many days.
    #[arg(long, value_name = "D")]
    keep_days: Option<u32>,
    /// Leave the records of so many runs, the newest, as they are; those of the
    /// others are compressed, and can still be judged.
    #[arg(long, value_name = "N", default_value_t = 20)]
    plain: u32,
    /// Remove the last failing run of a playbook and world too.
    #[arg(long)]
    failing_too: bool,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn prune_runs(args: &PruneArgs) -> Exit {
    let retention = Retention {
        keep: args.keep.map(|n| n as usize),
        days: args.keep_days,
        plain: args.plain as usize,
        failing_too: args.failing_too,
        dry_run: args.dry_run,
    };
    match prune(&args.folder, retention, jiff::Timestamp::now()) {
        Ok(done) => tell(&done, args.dry_run),
        Err(error) => {
            complain(&format!("{}: {error}", args.folder.display()));
            Exit::Usage
        }
    }
}

fn tell(done: &Pruned, dry_run: bool) -> Exit {
    let did = |would: &'static str, did: &'static str| if dry_run { would } else { did };
    for folder in &done.removed {
        println!("{} {}", did("would remove", "removed"), folder.display());
    }
    for folder in &done.compressed {
        let word = did("would compress", "compressed");
        println!("{word} the record of {}", folder.display());
    }
    for folder in &done.failing {
        println!("kept {}, the last that failed", folder.display());
    }
    for (folder, why) in &done.left {
        println!("left {} alone: {why}", folder.display());
    }
    println!(
        "{} {}, {} {}, {} left; {} {}",
        runs(done.removed.len()),
        did("to remove", "removed"),
        runs(done.compressed.len()),
        did("to compress", "compressed"),
        runs(done.kept),
        bytes(done.freed),
        did("would be free", "are free")
    );
    for (folder, error) in &done.failed {
        complain(&format!("{}: {error}", folder.display()));
    }
    if done.failed.is_empty() {
        Exit::Passed
    } else {
        Exit::World
    }
}

fn runs(count: usize) -> String {
    match count {
        1 => "1 run".into(),
        n => format!("{n} runs"),
    }
}

fn bytes(count: u64) -> String {
    let count = count as f64;
    match count {
        n if n < 1e3 => format!("{n} bytes"),
        n if n < 1e6 => format!("{:.1} kB", n / 1e3),
        n if n < 1e9 => format!("{:.1} MB", n / 1e6),
        n => format!("{:.1} GB", n / 1e9),
    }
}
