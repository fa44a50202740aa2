//! What runs have left in the engine, found by its label.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use crate::world::WorldError;

use super::apart::apart;
use super::engine::{Engine, is_absent, plain, said};

/// Carried by everything that is made in an engine; its value is the run.
pub const LABEL: &str = "ridethrough";

/// Carried beside it; its value is the path of the run's journal.
pub(super) const JOURNAL: &str = "ridethrough.journal";

/// How long the engine may take to remove a run's containers.
const LIMIT: Duration = Duration::from_secs(20);

/// How often it is looked whether they are gone.
const LOOK: Duration = Duration::from_millis(10);

/// The containers of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// The run.
    pub run: String,
    /// Its journal, which is locked while the run goes on.
    pub journal: Option<PathBuf>,
    /// Where their engine listens.
    pub engine: PathBuf,
    /// The names of its containers.
    pub containers: Vec<String>,
}

/// What is in this machine's engine of every run, those that go on included.
///
/// # Errors
/// When there is no engine, or it refuses.
pub fn remains() -> Result<Vec<Remains>, WorldError> {
    apart(|| async {
        let engine = Engine::find().await?;
        let mut runs: BTreeMap<String, Remains> = BTreeMap::new();
        for found in list(&engine, None).await? {
            let new = Remains {
                run: found.run.clone(),
                journal: found.journal,
                engine: engine.socket.clone(),
                containers: Vec::new(),
            };
            let remains = runs.entry(found.run).or_insert(new);
            remains.containers.push(found.container);
        }
        Ok(runs.into_values().collect())
    })
}

/// Removes every container of a run from the engine that listens at a socket;
/// returns how many there were.
///
/// # Errors
/// When one is still there.
pub fn remove_run(socket: &Path, run: &str) -> Result<usize, WorldError> {
    apart(|| async { remove(&Engine::at(socket).await?, run).await })
}

pub(super) async fn remove(engine: &Engine, run: &str) -> Result<usize, WorldError> {
    let found = list(engine, Some(run)).await?;
    let count = found.len();
    match timeout(LIMIT, remove_all(engine, run, found)).await {
        Ok(removed) => removed.map(|()| count),
        Err(_) => Err(WorldError::Failed(format!(
            "the engine still has containers of run {run} after {} s",
            LIMIT.as_secs()
        ))),
    }
}

/// Containers that remove themselves are listed until they are gone, and hold
/// what they have mounted.
async fn remove_all(engine: &Engine, run: &str, mut left: Vec<Found>) -> Result<(), WorldError> {
    while !left.is_empty() {
        let gone = join_all(left.iter().map(|it| drop_one(engine, &it.container))).await;
        gone.into_iter().collect::<Result<(), _>>()?;
        left = list(engine, Some(run)).await?;
        if !left.is_empty() {
            sleep(LOOK).await;
        }
    }
    Ok(())
}

async fn drop_one(engine: &Engine, container: &str) -> Result<(), WorldError> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true);
    let removed = engine
        .docker
        .remove_container(container, Some(options.build()))
        .await;
    match removed {
        Err(error) if is_absent(&error) => Ok(()),
        // It removes itself at this moment.
        Err(error) if plain(&error).contains("is already in progress") => Ok(()),
        removed => removed.map_err(said(format!("remove the container {container}"))),
    }
}

/// A container of a run.
struct Found {
    run: String,
    journal: Option<PathBuf>,
    container: String,
}

async fn list(engine: &Engine, run: Option<&str>) -> Result<Vec<Found>, WorldError> {
    let label = match run {
        Some(run) => format!("{LABEL}={run}"),
        None => LABEL.to_string(),
    };
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&[("label", vec![label])].into())
        .build();
    let containers = engine.docker.list_containers(Some(options)).await;
    let containers = containers.map_err(said("list containers"))?;
    let found = |container: bollard::models::ContainerSummary| {
        let labels = container.labels?;
        let name = container
            .names?
            .first()?
            .trim_start_matches('/')
            .to_string();
        Some(Found {
            run: labels.get(LABEL)?.clone(),
            journal: labels.get(JOURNAL).map(PathBuf::from),
            container: name,
        })
    };
    Ok(containers.into_iter().filter_map(found).collect())
}
