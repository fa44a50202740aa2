//! `ridethrough run`

use std::io::Write;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use ridethrough_targets::undo::state_dir;

use super::args::{RunArgs, WorldArg};
use super::exit::Exit;
use super::fallback::{Fallback, unused, virtual_id};
use super::interrupt::{Signals, interrupt};
use super::main::complain;
use super::progress::Progress;
use crate::conduct::{Conduct, ConductError, conduct, fetch};
use crate::engine::EngineError;
use crate::guarded::leftovers;
use crate::judge::Verdict;
use crate::metrics::Meters;
use crate::outcome::{Outcome, junit};
use crate::plan::{Plan, attached, plan, plan_file_in};
use crate::playbook::{Loaded, PlaybookErrors, WorldKind, faults};

/// Events that may wait for the progress line.
const WATCHED: usize = 4_096;

/// One run that was asked for.
struct Asked {
    plan: Plan,
    /// The command that repeats it.
    repeat: String,
    /// For a control: its name and the kind of assertion that must fail.
    control: Option<(String, String)>,
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
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("no runtime: {error}"));
            return Exit::World;
        }
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

enum Refusal {
    Playbook(PlaybookErrors),
    Usage(String),
}

impl Refusal {
    fn tell(&self, color: bool) {
        match self {
            Self::Playbook(errors) => eprint!("{}", errors.render(color)),
            Self::Usage(message) => complain(message),
        }
    }
}

impl From<PlaybookErrors> for Refusal {
    fn from(errors: PlaybookErrors) -> Self {
        Self::Playbook(errors)
    }
}

/// Everything is read and checked before anything starts, and everything that
/// is wrong is told at once.
fn collect(args: &RunArgs) -> Result<Vec<Asked>, Vec<Refusal>> {
    let mut asked = Vec::new();
    let mut refusals = Vec::new();
    let mut fallback = Fallback::default();
    if let Some(out) = &args.out
        && out.join("record.jsonl").exists()
    {
        let message = format!("{} already holds a run; name another folder", out.display());
        refusals.push(Refusal::Usage(message));
    }
    for path in &args.playbooks {
        match planned(args, path, &mut fallback) {
            Err(refusal) => refusals.push(refusal),
            Ok((loaded, own)) => {
                for one in ask(args, path, &loaded, own) {
                    match one {
                        Ok(one) => asked.push(one),
                        Err(refusal) => refusals.push(refusal),
                    }
                }
            }
        }
    }
    if refusals.is_empty() {
        Ok(asked)
    } else {
        Err(refusals)
    }
}

/// The runs that are asked of one playbook.
fn ask(args: &RunArgs, path: &Path, loaded: &Loaded, own: Plan) -> Vec<Result<Asked, Refusal>> {
    let mut all = vec![match &args.control {
        Some(name) => ask_control(args, path, loaded, name),
        None => Ok(Asked {
            plan: seeded(own, args.seed),
            repeat: repeat(args, path, loaded.playbook.seed, None),
            control: None,
        }),
    }];
    if args.controls {
        let controls = loaded.playbook.controls.iter();
        all.extend(controls.map(|control| ask_control(args, path, loaded, &control.name)));
    }
    all
}

/// A plan whose playbook names the world it will run in.
fn planned(
    args: &RunArgs,
    path: &Path,
    fallback: &mut Fallback,
) -> Result<(Loaded, Plan), Refusal> {
    let asked = args.world.map(WorldKind::from);
    let (mut loaded, mut plan) = plan_file_in(path, asked)?;
    if loaded.playbook.world.is_none() {
        (loaded, plan) = plan_file_in(path, Some(fallback.world()))?;
    }
    if args.pcap && loaded.playbook.world == Some(WorldKind::Virtual) {
        let message = "a virtual world has no frames to capture; use --world embedded";
        return Err(Refusal::Usage(message.into()));
    }
    Ok((loaded, plan))
}

fn ask_control(args: &RunArgs, path: &Path, loaded: &Loaded, name: &str) -> Result<Asked, Refusal> {
    let controls = &loaded.playbook.controls;
    let Some(control) = controls.iter().find(|c| c.name == name) else {
        let names: Vec<_> = controls.iter().map(|c| c.name.as_str()).collect();
        let message = format!(
            "{} has no control {name:?}; it has {}",
            path.display(),
            if names.is_empty() {
                "none".to_string()
            } else {
                names.join(", ")
            }
        );
        return Err(Refusal::Usage(message));
    };
    let changed = attached(loaded.with_control(control)?)?;
    Ok(Asked {
        plan: seeded(plan(&changed)?, args.seed),
        repeat: repeat(args, path, loaded.playbook.seed, Some(name)),
        control: Some((control.name.clone(), control.fails.clone())),
    })
}

fn seeded(mut plan: Plan, seed: Option<u64>) -> Plan {
    if let Some(seed) = seed {
        plan.reseed(seed);
    }
    plan
}

fn repeat(args: &RunArgs, path: &Path, own_seed: u64, control: Option<&str>) -> String {
    let seed = args.seed.unwrap_or(own_seed);
    let world = match args.world {
        Some(WorldArg::Virtual) => " --world virtual",
        Some(WorldArg::Embedded) => " --world embedded",
        Some(WorldArg::Docker) => " --world docker",
        None => "",
    };
    let control = control
        .map(|name| format!(" --control '{name}'"))
        .unwrap_or_default();
    format!(
        "ridethrough run {} --seed {seed}{world}{control}",
        path.display()
    )
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
    let mut exit = Exit::Passed;
    let mut suites = Vec::new();
    for one in asked {
        if stop.is_cancelled() {
            exit = exit.worst(Exit::Interrupted);
            break;
        }
        let control = one.control.clone();
        let repeat = one.repeat.clone();
        match run_one(one, args, several, (&stop, meters.as_ref())).await {
            Ok(outcome) => {
                show(&outcome, args.json, color);
                exit = exit.worst(exit_of(&outcome, control.as_ref(), args));
                suites.push(outcome.suite(&repeat));
            }
            Err(error) => {
                complain(&error.to_string());
                exit = exit.worst(Exit::World);
            }
        }
    }
    if let Some(path) = &args.junit {
        let written = junit(suites)
            .map_err(|error| error.to_string())
            .and_then(|xml| {
                std::fs::write(path, xml).map_err(|error| format!("{}: {error}", path.display()))
            });
        if let Err(error) = written {
            complain(&error);
            exit = exit.worst(Exit::World);
        }
    }
    exit
}

async fn run_one(
    asked: Asked,
    args: &RunArgs,
    several: bool,
    (stop, meters): (&CancellationToken, Option<&Meters>),
) -> Result<Outcome, ConductError> {
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
    let (watcher, events) = mpsc::channel(WATCHED);
    let watcher = match meters {
        Some(meters) => meters.before(watcher),
        None => watcher,
    };
    let total = asked.plan.total.duration();
    let progress = tokio::spawn(Progress::new(&asked.plan.playbook.name, total).follow(events));
    let how = Conduct {
        world,
        id,
        out,
        pcap: args.pcap,
        watcher: Some(watcher),
        stop: stop.clone(),
        repeat: asked.repeat,
        disarm: disarmed(),
        podium: None,
    };
    let outcome = conduct(asked.plan, how).await;
    let _ = progress.await;
    outcome
}

/// A control that was asked for by name shows its own verdict; among
/// `--controls` it passes when it fails as it must.
fn exit_of(outcome: &Outcome, control: Option<&(String, String)>, args: &RunArgs) -> Exit {
    let own = Exit::from_code(outcome.judgement.exit);
    let Some((name, fails)) = control.filter(|_| args.controls) else {
        return own;
    };
    if own == Exit::Interrupted {
        return own;
    }
    let broken = outcome
        .judgement
        .assertions
        .iter()
        .any(|judged| judged.kind == fails.as_str() && judged.verdict == Verdict::Fail);
    if outcome.judgement.verdict == Verdict::Fail && broken {
        return Exit::Passed;
    }
    complain(&format!(
        "control {name:?} did not fail on `{fails}` as it must"
    ));
    Exit::Failed
}

fn show(outcome: &Outcome, json: bool, color: bool) {
    let text = if json {
        serde_json::to_string(&outcome.summary).unwrap_or_default() + "\n"
    } else {
        outcome.board(color)
    };
    let _ = std::io::stdout().write_all(text.as_bytes());
}
