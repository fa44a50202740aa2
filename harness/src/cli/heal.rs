//! `ridethrough heal` and `ridethrough stop`
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a guardian is another process, and lives in real time"
)]

use std::io;
use std::time::{Duration, Instant};

use ridethrough_targets::undo::{Left, Undone, goes_on, left_behind, state_dir};
use ridethrough_targets::world::WorldError;
use ridethrough_targets::world::docker::{self, Remains};

use super::exit::Exit;
use super::main::complain;

/// How long a guardian may take to end a run and undo it.
const GUARDIAN_LIMIT: Duration = Duration::from_secs(15);

/// Puts back what dead runs have left.
pub(super) fn heal(dry_run: bool) -> Exit {
    let Some(runs) = runs() else {
        return Exit::World;
    };
    let (alive, dead): (Vec<_>, Vec<_>) = runs.into_iter().partition(|left| left.alive);
    for left in &alive {
        println!("run {} goes on; `ridethrough stop` ends it", left.run);
    }
    let containers = of_dead_runs(&dead);
    if dead.is_empty() && containers.is_empty() {
        println!("no dead run has left anything on this host");
    }
    let mut exit = Exit::Passed;
    for left in dead {
        let done = match dry_run {
            true => left.outstanding().map(|all| {
                let lines = all.iter().map(|it| format!("would take back {it}"));
                lines.collect::<Vec<_>>()
            }),
            false => left.heal().map(|all| {
                let lines = all.iter().map(|(it, undone)| match undone {
                    Undone::TakenBack => format!("took back {it}"),
                    Undone::WasGone => format!("was gone: {it}"),
                });
                lines.collect()
            }),
        };
        match done {
            Ok(lines) if lines.is_empty() => println!("run {}: nothing was left", left.run),
            Ok(lines) => lines.iter().for_each(|l| println!("run {}: {l}", left.run)),
            Err(error) => {
                complain(&format!("run {}: {error}", left.run));
                exit = Exit::World;
            }
        }
    }
    for left in &containers {
        if let Err(error) = remove(left, dry_run) {
            complain(&format!("run {}: {error}", left.run));
            exit = Exit::World;
        }
    }
    exit
}

/// What is in the container engine of runs that are dead and whose journals do
/// not tell of it any more. Without an engine there is nothing.
fn of_dead_runs(told: &[Left]) -> Vec<Remains> {
    let remains = docker::remains().unwrap_or_default();
    let dead = remains.into_iter().filter(|left| {
        let goes_on = left.journal.as_deref().map(goes_on);
        // Who has no journal cannot be known to be dead.
        matches!(goes_on, Some(Ok(false))) && told.iter().all(|it| it.run != left.run)
    });
    dead.collect()
}

fn remove(left: &Remains, dry_run: bool) -> Result<(), WorldError> {
    let names = left.containers.join(", ");
    if dry_run {
        println!("run {}: would remove containers {names}", left.run);
        return Ok(());
    }
    docker::remove_run(&left.engine, &left.run)?;
    println!("run {}: removed containers {names}", left.run);
    Ok(())
}

/// Ends runs at once, by their guardians.
pub(super) fn stop(run: Option<&str>) -> Exit {
    let Some(runs) = runs() else {
        return Exit::World;
    };
    let mut asked: Vec<Left> = runs.into_iter().filter(|left| left.alive).collect();
    asked.retain(|left| run.is_none_or(|run| left.run == run));
    if asked.is_empty() {
        return match run {
            Some(run) => {
                complain(&format!("no run {run} goes on"));
                Exit::Usage
            }
            None => {
                println!("no run goes on");
                Exit::Passed
            }
        };
    }
    let mut exit = Exit::Passed;
    for left in &asked {
        match ended(left) {
            Ok(true) => println!("run {} is ended and undone", left.run),
            Ok(false) => {
                let text = "has no guardian; press Ctrl-C where it runs";
                complain(&format!("run {} {text}", left.run));
                exit = Exit::World;
            }
            Err(error) => {
                complain(&format!("run {}: {error}", left.run));
                exit = Exit::World;
            }
        }
    }
    exit
}

fn ended(left: &Left) -> io::Result<bool> {
    if !left.stop()? {
        return Ok(false);
    }
    let until = Instant::now() + GUARDIAN_LIMIT;
    while !left.is_gone()? {
        if Instant::now() > until {
            let text = "its guardian is still at work; try `ridethrough heal` later";
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(true)
}

fn runs() -> Option<Vec<Left>> {
    let state = state_dir();
    left_behind(&state)
        .inspect_err(|error| complain(&format!("{}: {error}", state.display())))
        .ok()
}
