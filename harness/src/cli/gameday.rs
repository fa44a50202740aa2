//! `ridethrough gameday`

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use ridethrough_targets::undo::state_dir;
use ridethrough_targets::units::Span;

use super::bundle::seal;
use super::exit::Exit;
use super::fallback::{Fallback, unused, virtual_id};
use super::interrupt::{Signals, interrupt};
use super::main::complain;
use super::runtime::start_runtime;
use crate::bundle::Key;
use crate::conduct::{Conduct, conduct, fetch};
use crate::engine::{EngineError, Podium, PodiumRules};
use crate::gameday::{Desk, DeskParts, Front, Role, Tokens, Told, open, routes};
use crate::guarded::leftovers;
use crate::judge::sentence;
use crate::outcome::Outcome;
use crate::plan::{Plan, plan_file_in};
use crate::playbook::{PlaybookErrors, WorldKind};

mod args;
mod board;

pub(super) use args::{EXAMPLES, GamedayArgs};
use board::Board;

/// Events that may wait for the page: more than a busy second brings.
const WATCHED: usize = 65_536;
/// In a virtual world each hold releases itself after this.
const BY_ITSELF: Span = Span::from_secs(5);
/// The longest that a fault may be told to wait.
const LONGEST_HOLD: Span = Span::from_secs(4 * 3600);

pub(super) fn gameday(args: &GamedayArgs, color: bool) -> Exit {
    let plan = match planned(args) {
        Ok(plan) => plan,
        Err(errors) => {
            eprint!("{}", errors.render(color));
            return Exit::Usage;
        }
    };
    if let Some(problem) = problem(args, &plan) {
        complain(&problem);
        return Exit::Usage;
    }
    let tokens = match Tokens::new(given(args), args.listen.ip()) {
        Ok(tokens) => tokens,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let listener = match TcpListener::bind(args.listen) {
        Ok(listener) => listener,
        Err(error) => {
            complain(&format!(
                "the page cannot be served on {}: {error}",
                args.listen
            ));
            return Exit::Usage;
        }
    };
    let runtime = match start_runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    if let Some(line) = leftovers(&state_dir()) {
        eprintln!("{line}");
    }
    runtime.block_on(hold(args, plan, tokens, listener, color))
}

/// The tokens that were given, by word or by environment.
fn given(args: &GamedayArgs) -> [Option<String>; 3] {
    let or = |given: &Option<String>, name: &str| {
        let environment = || std::env::var(name).ok().filter(|token| !token.is_empty());
        given.clone().or_else(environment)
    };
    [
        or(&args.token_watch, "RIDETHROUGH_TOKEN_WATCH"),
        or(&args.token_scribe, "RIDETHROUGH_TOKEN_SCRIBE"),
        or(&args.token_conductor, "RIDETHROUGH_TOKEN_CONDUCTOR"),
    ]
}

/// The plan, in the world that it will run in.
fn planned(args: &GamedayArgs) -> Result<Plan, PlaybookErrors> {
    let asked = args.world.map(WorldKind::from);
    let (loaded, mut plan) = plan_file_in(&args.playbook, asked)?;
    if loaded.playbook.world.is_none() {
        let world = Fallback::default().world();
        (_, plan) = plan_file_in(&args.playbook, Some(world))?;
    }
    if let Some(seed) = args.seed {
        plan.reseed(seed);
    }
    Ok(plan)
}

/// What cannot be done as asked.
fn problem(args: &GamedayArgs, plan: &Plan) -> Option<String> {
    let held = args.hold_all || plan.faults.iter().any(|fault| fault.hold.is_some());
    if held && !plan.playbook.writers.is_empty() {
        let message =
            "writers read back at a fixed time, so no fault can be held; run it with `run`";
        return Some(message.into());
    }
    if args.hold_limit > LONGEST_HOLD || args.hold_limit == Span::default() {
        return Some(format!(
            "--hold-limit is above 0s and at most {LONGEST_HOLD}"
        ));
    }
    // A key that cannot be read is found out before the run, not after it.
    if let Some(Err(error)) = args.key.as_deref().map(Key::read) {
        return Some(error.to_string());
    }
    let out = args.out.as_ref()?;
    let taken = out.join("record.jsonl").exists();
    taken.then(|| format!("{} already holds a run; name another folder", out.display()))
}

async fn hold(
    args: &GamedayArgs,
    plan: Plan,
    tokens: Tokens,
    listener: TcpListener,
    color: bool,
) -> Exit {
    let world = plan.playbook.world.unwrap_or(WorldKind::Embedded);
    let podium = Podium::new(PodiumRules {
        hold_all: args.hold_all,
        limit: args.hold_limit,
        by_itself: (world == WorldKind::Virtual).then_some(BY_ITSELF),
    });
    let stop = CancellationToken::new();
    let desk = Desk::new(DeskParts {
        plan: &plan,
        podium: Arc::clone(&podium),
        stop: stop.clone(),
        tokens,
        blind: args.blind,
    });
    let (watcher, events) = mpsc::channel(WATCHED);
    let (for_board, of_board) = mpsc::channel(WATCHED / 16);
    let hub = Arc::clone(&desk.hub);
    let beside = async move { hub.listen(events, for_board).await };
    let front = match open(listener, routes(Arc::clone(&desk)), beside) {
        Ok(front) => front,
        Err(error) => {
            complain(&format!("the page cannot be served: {error}"));
            return Exit::World;
        }
    };
    let urls = urls(&desk, front.address);
    for line in &urls {
        eprintln!("{line}");
    }
    tokio::spawn(interrupt(Signals::listen(), stop.clone()));
    let board = tokio::spawn(Board::new(&plan, args.blind).follow(of_board));
    let ran = run(args, plan, world, watcher, podium, stop).await;
    let _ = board.await;
    finish(ran, args, &desk, front, color).await
}

/// The run itself, as `run` has it.
async fn run(
    args: &GamedayArgs,
    plan: Plan,
    world: WorldKind,
    watcher: mpsc::Sender<crate::record::Event>,
    podium: Arc<Podium>,
    stop: CancellationToken,
) -> Result<Outcome, String> {
    let id = match world {
        WorldKind::Virtual => virtual_id(&plan),
        _ => uuid::Uuid::now_v7().to_string(),
    };
    let out = match &args.out {
        Some(out) => out.clone(),
        None => unused(PathBuf::from("runs").join(&id)),
    };
    if world == WorldKind::Docker {
        let fetched = fetch(&plan, &|line: &str| eprintln!("{line}")).await;
        fetched.map_err(|error| EngineError::World(error).to_string())?;
    }
    let seed = plan.seed;
    let how = Conduct {
        world,
        id,
        out,
        pcap: false,
        watcher: Some(watcher),
        stop,
        repeat: format!(
            "ridethrough gameday {} --seed {seed}",
            args.playbook.display()
        ),
        disarm: None,
        podium: Some(podium),
    };
    conduct(plan, how).await.map_err(|error| error.to_string())
}

async fn finish(
    ran: Result<Outcome, String>,
    args: &GamedayArgs,
    desk: &Desk,
    front: Front,
    color: bool,
) -> Exit {
    let exit = match ran {
        Ok(outcome) => {
            desk.tell(Told {
                verdict: outcome.judgement.verdict,
                sentence: sentence(&outcome.judgement),
            });
            print!("{}", outcome.board(color));
            match seal(
                &outcome.out,
                &outcome.out.join("bundle.tar"),
                args.key.as_deref(),
            ) {
                Ok(said) => println!("{said}"),
                Err(error) => complain(&format!("the run is there, but no bundle of it: {error}")),
            }
            Exit::from_code(outcome.judgement.exit)
        }
        Err(error) => {
            complain(&error);
            Exit::World
        }
    };
    front.close().await;
    exit
}

/// Where each role finds its page. This is the only place that shows tokens.
fn urls(desk: &Desk, address: SocketAddr) -> Vec<String> {
    let roles = [Role::Watch, Role::Scribe, Role::Conductor];
    let line = |role: Role| {
        let token = desk.tokens.of(role);
        let token = token.map_or(String::new(), |token| format!("?token={token}"));
        format!("{:>9}  http://{address}/{token}", role.name())
    };
    roles.map(line).into()
}
