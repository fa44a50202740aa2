//! `ridethrough run`

use std::io::Write;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use ridethrough_targets::undo::state_dir;

use super::again::{Repeated, repetitions};
use super::args::RunArgs;
use super::asked::{Asked, collect};
use super::controls::Tried;
use super::exit::Exit;
use super::fallback::{unused, virtual_id};
use super::interrupt::{Signals, interrupt};
use super::keep::keep;
use super::main::complain;
use super::progress::Progress;
use super::runtime::start_runtime;
use super::telling::Telling;
use crate::conduct::{Conduct, ConductError, conduct, fetch};
use crate::engine::EngineError;
use crate::guarded::leftovers;
use crate::judge::{Steadiness, Verdict};
use crate::metrics::Meters;
use crate::outcome::{Outcome, write_told};
use crate::plan::Plan;
use crate::playbook::{WorldKind, faults};
use crate::report::Told;

/// Events that may wait for the progress line.
const WATCHED: usize = 4_096;

/// What goes along with every run.
struct Watch {
    /// Stops it.
    stop: CancellationToken,
    /// Shows it to Prometheus.
    meters: Option<Meters>,
}

pub(super) fn run(args: RunArgs, color: bool) -> Exit {
    let asked = match collect(&args) {
        Ok(asked) => asked,
        Err(refusals) => {
            for refusal in refusals {
                refusal.tell(color);
            }
            return Exit::Usage;
        }
    };
    if let Some(kind) = disarmed().filter(|kind| !is_kind(kind)) {
        complain(&format!("no kind of fault {kind:?} to disarm"));
        return Exit::Usage;
    }
    let runtime = match start_runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    if let Some(line) = leftovers(&state_dir()) {
        eprintln!("{line}");
    }
    runtime.block_on(run_all(asked, &args, color))
}

/// A kind of fault whose injectors are to do nothing, to try its witness: such a
/// run must be invalid. For the project's own tests, and not in `--help`.
fn disarmed() -> Option<String> {
    std::env::var("RIDETHROUGH_DISARM").ok()
}

fn is_kind(name: &str) -> bool {
    faults().iter().any(|kind| kind.name == name)
}

async fn run_all(asked: Vec<Asked>, args: &RunArgs, color: bool) -> Exit {
    let stop = CancellationToken::new();
    tokio::spawn(interrupt(Signals::listen(), stop.clone()));
    let several = asked.len() > 1;
    let meters = match args.metrics.map(Meters::open).transpose() {
        Ok(meters) => meters,
        Err(error) => {
            complain(&format!("the metrics cannot be served: {error}"));
            return Exit::Usage;
        }
    };
    if let Some(meters) = &meters {
        eprintln!("metrics at http://{}/metrics", meters.address());
    }
    let watch = Watch {
        stop: stop.clone(),
        meters,
    };
    let mut exit = Exit::Passed;
    let mut telling = Telling::new(&args.tell, args.json);
    let (mut tried, mut whole) = (None::<Tried>, true);
    for one in asked {
        if stop.is_cancelled() {
            exit = exit.worst(Exit::Interrupted);
            break;
        }
        let (title, repeat) = (one.title(), one.repeat.clone());
        let control = one.control.clone();
        if control.is_none() {
            whole &= tried.take().is_none_or(Tried::finish);
        }
        match run_one(one, args, several, color, &watch).await {
            Ok(told) => {
                if args.json {
                    show_json(&told);
                }
                exit = exit.worst(exit_of(&told));
                match (&control, &mut tried) {
                    (None, _) => tried = Some(Tried::new(&told)),
                    (Some(name), Some(tried)) => tried.control(name, &told),
                    // The playbook itself could not be run.
                    (Some(_), None) => {}
                }
                telling.run(told);
            }
            Err(error) => {
                complain(&error.to_string());
                telling.not_run(&title, &error.to_string(), &repeat);
                exit = exit.worst(Exit::World);
            }
        }
    }
    whole &= tried.is_none_or(Tried::finish);
    match telling.finish() && whole {
        true => exit,
        false => exit.worst(Exit::World),
    }
}

/// One run and, where it did not pass, its repetitions.
async fn run_one(
    asked: Asked,
    args: &RunArgs,
    several: bool,
    color: bool,
    watch: &Watch,
) -> Result<Told, ConductError> {
    let world = asked.plan.playbook.world.unwrap_or(WorldKind::Embedded);
    let id = match world {
        WorldKind::Virtual => virtual_id(&asked.plan),
        _ => uuid::Uuid::now_v7().to_string(),
    };
    let out = match (&args.out, several) {
        (Some(out), false) => out.clone(),
        (Some(out), true) => unused(out.join(&id)),
        (None, _) => unused(PathBuf::from("runs").join(&id)),
    };
    if world == WorldKind::Docker {
        let tell = |line: &str| eprintln!("{line}");
        let fetched = fetch(&asked.plan, &tell).await;
        fetched.map_err(EngineError::World)?;
    }
    // The outcome holds every request, so it ends here.
    let mut told = {
        let outcome = carry_out(&asked, asked.plan.clone(), id, out.clone(), args, watch).await?;
        if !args.json {
            print(&outcome.board(color));
        }
        asked.told(&outcome)
    };
    told.summary.again = run_again(&asked, &told, &out, args, watch).await;
    if let Some(again) = &told.summary.again {
        eprintln!("{}", again.sentence());
    }
    write_told(&out, &told)?;
    keep(
        &args.keep,
        args.out.as_deref(),
        &asked.file,
        &out,
        &mut told,
    );
    Ok(told)
}

/// Runs a playbook again that did not pass, where that was asked for. What
/// cannot be run again says nothing.
async fn run_again(
    asked: &Asked,
    first: &Told,
    out: &Path,
    args: &RunArgs,
    watch: &Watch,
) -> Option<Steadiness> {
    let (verdict, seed) = (first.summary.verdict, asked.plan.seed);
    if verdict == Verdict::Pass || asked.expected.is_some() {
        return None;
    }
    let mut repeated = Repeated::default();
    for one in repetitions(seed, args.again) {
        if watch.stop.is_cancelled() {
            break;
        }
        let mut plan = asked.plan.clone();
        plan.reseed(one.seed);
        let id = match plan.playbook.world {
            Some(WorldKind::Virtual) => virtual_id(&plan),
            _ => uuid::Uuid::now_v7().to_string(),
        };
        let folder = out.join("again").join(&one.folder);
        match carry_out(asked, plan, id, folder.clone(), args, watch).await {
            Ok(_) if watch.stop.is_cancelled() => break,
            Ok(outcome) => repeated.take(seed, one.seed, outcome.summary.verdict, &folder),
            Err(error) => complain(&format!("again with seed {}: {error}", one.seed)),
        }
    }
    repeated.steadiness(verdict)
}

async fn carry_out(
    asked: &Asked,
    plan: Plan,
    id: String,
    out: PathBuf,
    args: &RunArgs,
    watch: &Watch,
) -> Result<Outcome, ConductError> {
    let (watcher, events) = mpsc::channel(WATCHED);
    let watcher = match &watch.meters {
        Some(meters) => meters.before(watcher),
        None => watcher,
    };
    let total = plan.total.duration();
    let progress = tokio::spawn(Progress::new(&plan.playbook.name, total).follow(events));
    let how = Conduct {
        world: plan.playbook.world.unwrap_or(WorldKind::Embedded),
        id,
        out,
        pcap: args.pcap,
        watcher: Some(watcher),
        stop: watch.stop.clone(),
        repeat: asked.repeat.clone(),
        disarm: disarmed(),
        podium: None,
    };
    let outcome = conduct(plan, how).await;
    let _ = progress.await;
    outcome
}

/// The run's own code, or whether it came to what it must.
fn exit_of(told: &Told) -> Exit {
    let own = Exit::from_code(told.summary.exit);
    let Some(expected) = &told.expected else {
        return own;
    };
    if own == Exit::Interrupted {
        return own;
    }
    match expected.met(&told.summary) {
        Ok(()) => Exit::Passed,
        Err(came) => {
            let (title, must) = (told.title(), expected.words());
            complain(&format!("{title} {must}, but {came}"));
            Exit::Failed
        }
    }
}

fn show_json(told: &Told) {
    print(&(serde_json::to_string(&told.summary).unwrap_or_default() + "\n"));
}

fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
