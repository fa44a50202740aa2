//! One run as a user means it: a world, the engine, a verdict, a run folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::clock::Clock;
use ridethrough_targets::plant::Plant;
use ridethrough_targets::service::Registry;
use ridethrough_targets::undo::Journal;
use ridethrough_targets::units::Span;
use ridethrough_targets::world::docker;
use ridethrough_targets::world::embedded::{self, EmbeddedConfig};
use ridethrough_targets::world::r#virtual::{EventBounds, VirtualConfig, VirtualWorld};
use ridethrough_targets::world::{World, WorldError};

use crate::builtin::builtin;
use crate::engine::{EngineError, Podium, RunRequest, run, way_out};
use crate::footprint::Footprint;
use crate::guarded::Guarded;
use crate::judge::{CLIENTS, Places, Watchman, patience};
pub use crate::outcome::Outcome;
use crate::outcome::{judge_record, write_reports};
use crate::plan::{Plan, needed};
use crate::playbook::{Assertion, StackSpec, WorldKind};
use crate::record::{Event, RunHeader, SCHEMA};
use crate::virtual_time::on_virtual_time;

/// How a run is to be carried out.
pub struct Conduct {
    /// Where its nodes run.
    pub world: WorldKind,
    /// Its id.
    pub id: String,
    /// Its folder; made if missing.
    pub out: PathBuf,
    /// Write every frame to `capture.pcapng`.
    pub pcap: bool,
    /// Sees events as they are written, as many as it has room for.
    pub watcher: Option<mpsc::Sender<Event>>,
    /// Stops the run.
    pub stop: CancellationToken,
    /// The command that repeats this run.
    pub repeat: String,
    /// Injectors of this kind of fault do nothing, while all else goes on: a
    /// run that is not invalid then has a witness that sees nothing.
    pub disarm: Option<String>,
    /// Where people have a say, on a game day.
    pub podium: Option<Arc<Podium>>,
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum ConductError {
    /// The world could not be built, or the stack did not come up in it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The run folder could not be written or read.
    #[error("{path}: {source}{}", way_out(source))]
    Folder {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The host could not be guarded, or not be put back.
    #[error("{what}: {source}; {remedy}")]
    Guard {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// The record cannot be read back.
    #[error("{0}")]
    Record(String),
}

/// Carries a plan out and judges it. The folder then holds `record.jsonl`,
/// `summary.json`, `junit.xml`, `report.html`, `playbook.yaml` and `logs/`.
pub async fn conduct(plan: Plan, how: Conduct) -> Result<Outcome, ConductError> {
    conduct_with(plan, how, Arc::new(builtin)).await
}

/// As [`conduct`], with other built-in services. Only a virtual world has them:
/// elsewhere services are processes, which find their own.
pub async fn conduct_with(
    plan: Plan,
    how: Conduct,
    registry: Arc<Registry>,
) -> Result<Outcome, ConductError> {
    if how.world != WorldKind::Virtual {
        return conduct_here(plan, how, registry).await;
    }
    let out = how.out.clone();
    let outcome = on_virtual_time(move || conduct_here(plan, how, registry)).await;
    outcome.map_err(|source| ConductError::Folder { path: out, source })?
}

async fn conduct_here(
    plan: Plan,
    how: Conduct,
    registry: Arc<Registry>,
) -> Result<Outcome, ConductError> {
    let clock = Clock::start();
    let header = header(&plan, &how);
    let before = Footprint::before(&how.out);
    let guarded = match how.world {
        WorldKind::Virtual => None,
        _ => Some(Guarded::start(&how.id, &plan, held(&plan, &how)).await?),
    };
    let journal = guarded.as_ref().map(Guarded::journal);
    let (world, _logging) = match prepare(&plan, &how, clock, registry, journal).await {
        Ok(opened) => opened,
        // Nothing started, so there is nothing to show. Once a world stands,
        // its logs are the evidence and stay.
        Err(error) => {
            if let Some(guarded) = guarded {
                guarded.over().await?;
            }
            before.undo();
            return Err(error);
        }
    };
    let record = how.out.join("record.jsonl");
    let request = RunRequest {
        plan: plan.clone(),
        world,
        record: record.clone(),
        header,
        watcher: how.watcher,
        stop: how.stop,
        disarm: how.disarm,
        podium: how.podium,
        watchman: watchman(&plan),
        unguarded: guarded.as_ref().map(Guarded::lost),
    };
    let ran = run(request).await;
    // Whatever became of the run, the host is put back.
    let healed = match guarded {
        Some(guarded) => guarded.over().await,
        None => Ok(()),
    };
    ran?;
    healed?;
    let outcome = judge_record(&record, &plan, how.out)
        .map_err(|error| ConductError::Record(error.to_string()))?;
    write_reports(&outcome, &plan, &how.repeat)?;
    Ok(outcome)
}

/// How long people may hold up a run in all.
fn held(plan: &Plan, how: &Conduct) -> Span {
    let podium = how.podium.as_ref();
    podium.map_or_else(Span::default, |podium| podium.longest(plan))
}

/// The run's folder and its world.
async fn prepare(
    plan: &Plan,
    how: &Conduct,
    clock: Clock,
    registry: Arc<Registry>,
    journal: Option<Arc<Journal>>,
) -> Result<(Arc<dyn World>, Logging), ConductError> {
    let folder = |path: &Path| {
        let path = path.to_path_buf();
        move |source| ConductError::Folder { path, source }
    };
    can(plan, how.world).map_err(EngineError::World)?;
    let logs = how.out.join("logs");
    std::fs::create_dir_all(&logs).map_err(folder(&logs))?;
    let resolved = how.out.join("playbook.yaml");
    std::fs::write(&resolved, &plan.yaml).map_err(folder(&resolved))?;
    open(plan, how, clock, registry, journal).await
}

/// Who ends a run early, where its playbook asks for it.
fn watchman(plan: &Plan) -> Option<Watchman> {
    let playbook = &plan.playbook;
    let nodes = playbook.stack.nodes.iter();
    let places = Places {
        racks: nodes
            .map(|(n, def)| (n.clone(), def.rack.clone()))
            .collect(),
        feeds: playbook.site.feeds.clone(),
    };
    let radius = playbook.blast_radius.as_ref();
    Watchman::new(&promises(plan), radius, places)
}

/// The promises of a plan, with their texts.
pub(crate) fn promises(plan: &Plan) -> Vec<(String, Assertion)> {
    let all = plan.assertions.iter();
    all.map(|a| (a.text.clone(), a.assertion.clone())).collect()
}

/// Whether this machine can do what the faults of a plan need.
fn can(plan: &Plan, world: WorldKind) -> Result<(), WorldError> {
    let pressed = plan
        .faults
        .iter()
        .any(|f| matches!(f.kind, FaultKind::MemoryPressure(_)));
    match world {
        WorldKind::Embedded => {
            programs(&plan.playbook.stack)?;
            if pressed {
                embedded::bounds_memory()
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}

/// Whether this machine has the programs that a stack runs.
///
/// # Errors
/// The first that is missing, with the way to get it.
pub fn programs(stack: &StackSpec) -> Result<(), WorldError> {
    let needed = needed(stack);
    let Some(missing) = needed.iter().find(|n| !embedded::has_program(&n.program)) else {
        return Ok(());
    };
    let (program, service) = (&missing.program, &missing.service);
    Err(WorldError::Missing {
        what: format!("no program `{program}`, which service `{service}` runs"),
        remedy: match &missing.install {
            Some(install) => format!("get it with `{install}`"),
            None => "install it, or say how with `needs:` in the stack".into(),
        },
    })
}

/// A virtual run is the same on any machine at any time: its record says
/// nothing of either, and its wall clock starts at the epoch.
fn header(plan: &Plan, how: &Conduct) -> RunHeader {
    let real = how.world != WorldKind::Virtual;
    let mut facts: IndexMap<String, Value> = IndexMap::from([
        ("playbook_sha256".to_string(), plan.hash.clone().into()),
        ("load_buses".to_string(), load_buses(plan)),
        (CLIENTS.to_string(), patience(&plan.playbook.load)),
    ]);
    if let Some(kind) = &how.disarm {
        facts.insert("disarmed".to_string(), kind.clone().into());
    }
    if real {
        let cpus = std::thread::available_parallelism().map_or(0, usize::from);
        facts.insert("cpus".to_string(), cpus.into());
        facts.insert("root".to_string(), embedded::as_root().into());
    }
    let started = match real {
        true => jiff::Timestamp::now(),
        false => jiff::Timestamp::UNIX_EPOCH,
    };
    RunHeader {
        schema: SCHEMA,
        run: how.id.clone(),
        playbook: plan.playbook.name.clone(),
        seed: plan.seed,
        world: world_name(how.world).to_string(),
        started: started.to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        facts,
    }
}

/// The load buses behind each UPS.
fn load_buses(plan: &Plan) -> Value {
    let site = &plan.playbook.site;
    match Plant::new(site, &plan.loads) {
        Ok(plant) => site
            .ups
            .keys()
            .map(|ups| (ups.clone(), plant.load_buses(ups)))
            .collect(),
        Err(_) => Value::Null,
    }
}

/// Pulls and builds the images of a plan, for world `docker`.
pub async fn fetch(plan: &Plan, tell: docker::Tell<'_>) -> Result<(), WorldError> {
    let services = plan.nodes.iter().flat_map(|node| &node.services);
    docker::fetch(services.map(|service| &service.program), tell).await
}

/// A world's name as users write it.
pub fn world_name(world: WorldKind) -> &'static str {
    match world {
        WorldKind::Virtual => "virtual",
        WorldKind::Embedded => "embedded",
        WorldKind::Docker => "docker",
    }
}

/// Keeps what services log going to their own logs.
type Logging = Option<tracing::subscriber::DefaultGuard>;

async fn open(
    plan: &Plan,
    how: &Conduct,
    clock: Clock,
    registry: Arc<Registry>,
    undo: Option<Arc<Journal>>,
) -> Result<(Arc<dyn World>, Logging), ConductError> {
    match how.world {
        WorldKind::Virtual => {
            let world = VirtualWorld::open(VirtualConfig {
                registry,
                run_dir: how.out.clone(),
                clock,
                seed: plan.seed,
                hosts: plan.hosts.clone(),
                neighbours: IndexMap::new(),
                bounds: EventBounds::default(),
            });
            let logging = tracing::subscriber::set_default(world.log_subscriber());
            Ok((world, Some(logging)))
        }
        WorldKind::Embedded | WorldKind::Docker => {
            let exe = std::env::current_exe().map_err(|source| WorldError::System {
                what: "find this program's own file".into(),
                source,
            });
            let config = EmbeddedConfig {
                exe: exe.map_err(EngineError::World)?,
                run_dir: how.out.clone(),
                clock,
                seed: plan.seed,
                hosts: plan.hosts.clone(),
                undo,
                pcap: how.pcap,
            };
            let world = match how.world {
                WorldKind::Docker => match fetch(plan, &|_| {}).await {
                    Ok(()) => match &plan.playbook.stack.compose {
                        Some(project) => {
                            docker::open_attached(config, project, &plan.entry.0).await
                        }
                        None => docker::open(config).await,
                    },
                    Err(error) => Err(error),
                },
                _ => embedded::open(config).await,
            };
            Ok((world.map_err(EngineError::World)?, None))
        }
    }
}
