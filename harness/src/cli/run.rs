//! `ridethrough run`

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use ridethrough_targets::undo::state_dir;

use super::again::{Repeated, repetitions};
use super::args::{RunArgs, WorldArg};
use super::exit::Exit;
use super::fallback::{Fallback, unused, virtual_id};
use super::interrupt::{Signals, interrupt};
use super::main::complain;
use super::progress::Progress;
use super::telling::Telling;
use crate::conduct::{Conduct, ConductError, Outcome, conduct, fetch, write_told};
use crate::engine::EngineError;
use crate::guarded::leftovers;
use crate::judge::{Steadiness, Verdict};
use crate::plan::{Plan, assertion_name, attached, plan, plan_file_in};
use crate::playbook::{Loaded, PlaybookErrors, WorldKind, faults};
use crate::record::record_of;
use crate::report::{Expectation, Spot, Told};

/// Events that may wait for the progress line.
const WATCHED: usize = 4_096;

/// One run that was asked for.
struct Asked {
    plan: Plan,
    /// The command that repeats it.
    repeat: String,
    /// The control that it is.
    control: Option<String>,
    /// What it must come to, where that is not simply a pass.
    expected: Option<Expectation>,
    /// Where its promises are written.
    places: Vec<Spot>,
}

impl Asked {
    /// The run as reports tell it, now that it is judged.
    fn told(&self, outcome: &Outcome) -> Told {
        Told {
            control: self.control.clone(),
            expected: self.expected.clone(),
            places: self.places.clone(),
            ..outcome.told(&self.repeat)
        }
    }

    fn title(&self) -> String {
        match &self.control {
            Some(control) => format!("{}: {control}", self.plan.playbook.name),
            None => self.plan.playbook.name.clone(),
        }
    }
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
        && record_of(out).exists()
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
        Some(name) => ask_control(args, path, loaded, name, args.expect.clone()),
        None => Ok(Asked {
            plan: seeded(own, args.seed),
            repeat: repeat(args, path, loaded.playbook.seed, None),
            control: None,
            expected: args.expect.clone(),
            places: places(path, loaded),
        }),
    }];
    if args.controls {
        let controls = loaded.playbook.controls.iter();
        // A control that was asked for by name shows its own verdict; among
        // `--controls` it is good when it fails as it must.
        let must = |fails: &str| Some(Expectation::fails(fails));
        all.extend(controls.map(|c| ask_control(args, path, loaded, &c.name, must(&c.fails))));
    }
    let checked = all.into_iter().map(|one| one.and_then(can_come_to));
    checked.collect()
}

/// Nothing can fail on a promise that is not made.
fn can_come_to(asked: Asked) -> Result<Asked, Refusal> {
    let Some(kind) = asked.expected.as_ref().and_then(|e| e.kind.as_deref()) else {
        return Ok(asked);
    };
    let all = asked.plan.assertions.iter();
    let names: BTreeSet<&str> = all.map(|a| assertion_name(&a.assertion)).collect();
    if names.contains(kind) {
        return Ok(asked);
    }
    let (title, names) = (asked.title(), Vec::from_iter(names).join(", "));
    let message = format!("{title} promises no `{kind}`; it promises {names}");
    Err(Refusal::Usage(message))
}

fn places(path: &Path, loaded: &Loaded) -> Vec<Spot> {
    let spot = |line| Spot {
        file: path.to_path_buf(),
        line,
    };
    loaded.promise_lines().into_iter().map(spot).collect()
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

fn ask_control(
    args: &RunArgs,
    path: &Path,
    loaded: &Loaded,
    name: &str,
    expected: Option<Expectation>,
) -> Result<Asked, Refusal> {
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
        control: Some(control.name.clone()),
        expected,
        places: places(path, loaded),
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
        .map(|name| format!(" --control '{}'", name.replace('\'', r"'\''")))
        .unwrap_or_default();
    let expect = args.expect.as_ref();
    let expect = expect.map_or(String::new(), |e| format!(" --expect {e}"));
    format!(
        "ridethrough run {} --seed {seed}{world}{control}{expect}",
        path.display()
    )
}

async fn run_all(asked: Vec<Asked>, args: &RunArgs, color: bool) -> Exit {
    let stop = CancellationToken::new();
    tokio::spawn(interrupt(Signals::listen(), stop.clone()));
    let several = asked.len() > 1;
    let mut exit = Exit::Passed;
    let mut telling = Telling::new(&args.tell, args.json);
    for one in asked {
        if stop.is_cancelled() {
            exit = exit.worst(Exit::Interrupted);
            break;
        }
        let (title, repeat) = (one.title(), one.repeat.clone());
        match run_one(one, args, several, color, &stop).await {
            Ok(told) => {
                if args.json {
                    show_json(&told);
                }
                exit = exit.worst(exit_of(&told));
                telling.run(told);
            }
            Err(error) => {
                complain(&error.to_string());
                telling.not_run(&title, &error.to_string(), &repeat);
                exit = exit.worst(Exit::World);
            }
        }
    }
    match telling.finish() {
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
    stop: &CancellationToken,
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
        let outcome = carry_out(&asked, asked.plan.clone(), id, out.clone(), args, stop).await?;
        if !args.json {
            print(&outcome.board(color));
        }
        asked.told(&outcome)
    };
    told.summary.again = run_again(&asked, &told, &out, args, stop).await;
    if let Some(again) = &told.summary.again {
        eprintln!("{}", again.sentence());
    }
    write_told(&out, &told)?;
    Ok(told)
}

/// Runs a playbook again that did not pass, where that was asked for. What
/// cannot be run again says nothing.
async fn run_again(
    asked: &Asked,
    first: &Told,
    out: &Path,
    args: &RunArgs,
    stop: &CancellationToken,
) -> Option<Steadiness> {
    let (verdict, seed) = (first.summary.verdict, asked.plan.seed);
    if verdict == Verdict::Pass || asked.expected.is_some() {
        return None;
    }
    let mut repeated = Repeated::default();
    for one in repetitions(seed, args.again) {
        if stop.is_cancelled() {
            break;
        }
        let mut plan = asked.plan.clone();
        plan.reseed(one.seed);
        let id = match plan.playbook.world {
            Some(WorldKind::Virtual) => virtual_id(&plan),
            _ => uuid::Uuid::now_v7().to_string(),
        };
        let folder = out.join("again").join(&one.folder);
        match carry_out(asked, plan, id, folder.clone(), args, stop).await {
            Ok(_) if stop.is_cancelled() => break,
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
    stop: &CancellationToken,
) -> Result<Outcome, ConductError> {
    let (watcher, events) = mpsc::channel(WATCHED);
    let total = plan.total.duration();
    let progress = tokio::spawn(Progress::new(&plan.playbook.name, total).follow(events));
    let how = Conduct {
        world: plan.playbook.world.unwrap_or(WorldKind::Embedded),
        id,
        out,
        pcap: args.pcap,
        watcher: Some(watcher),
        stop: stop.clone(),
        repeat: asked.repeat.clone(),
        disarm: disarmed(),
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
