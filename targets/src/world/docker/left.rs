//! What runs have left in the engine, found by its label.

use std::collections::BTreeMap;
use std::path::Path;

use bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use futures_util::future::join_all;

use crate::world::WorldError;

use super::engine::{Engine, is_absent, plain, said};

/// Carried by everything that is made in an engine; its value is the run.
pub const LABEL: &str = "ridethrough";

/// The containers of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// The run.
    pub run: String,
    /// The names of its containers.
    pub containers: Vec<String>,
}

/// What is in this machine's engine of every run, those that go on included.
///
/// # Errors
/// When there is no engine, or it refuses.
pub async fn remains() -> Result<Vec<Remains>, WorldError> {
    let engine = Engine::find().await?;
    let mut runs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (run, container) in list(&engine, None).await? {
        runs.entry(run).or_default().push(container);
    }
    let remains = |(run, containers)| Remains { run, containers };
    Ok(runs.into_iter().map(remains).collect())
}

/// Removes every container of a run from the engine that listens at a socket;
/// returns how many there were.
///
/// # Errors
/// When one is still there.
pub async fn remove_run(socket: &Path, run: &str) -> Result<usize, WorldError> {
    remove(&Engine::at(socket).await?, run).await
}

pub(super) async fn remove(engine: &Engine, run: &str) -> Result<usize, WorldError> {
    let found = list(engine, Some(run)).await?;
    let gone = join_all(found.iter().map(|(_, container)| drop_one(engine, container))).await;
    gone.into_iter().collect::<Result<(), _>>()?;
    Ok(found.len())
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

/// Runs and names of containers.
async fn list(engine: &Engine, run: Option<&str>) -> Result<Vec<(String, String)>, WorldError> {
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
    let named = |container: bollard::models::ContainerSummary| {
        let run = container.labels?.get(LABEL)?.clone();
        let name = container.names?.first()?.trim_start_matches('/').to_string();
        Some((run, name))
    };
    Ok(containers.into_iter().filter_map(named).collect())
}
