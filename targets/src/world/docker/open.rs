//! Opening a docker world.

use std::path::Path;
use std::sync::Arc;

use crate::fabric::wire;
use crate::undo::Undo;
use crate::world::embedded::ground::Ground;
use crate::world::embedded::open::{Given, Place, system};
use crate::world::embedded::{self, EmbeddedConfig, EmbeddedWorld};
use crate::world::{World, WorldError};

use super::engine::Engine;
use super::ground::{Containers, Own};
use super::guests::Guests;
use super::image;
use super::project::{self, Project};

/// Opens a world without nodes.
///
/// # Errors
/// [`WorldError::Missing`] where there is no engine that can be used, with what
/// to do; [`WorldError::Failed`] when the engine refuses.
pub async fn open(config: EmbeddedConfig) -> Result<Arc<dyn World>, WorldError> {
    let engine = Engine::find().await?;
    let image = image::own(&engine, &config.exe).await?;
    let place = Place::make(&config)?;
    let own = containers(&engine, image, &place, &config).await?;
    let world = EmbeddedWorld::assemble(config, place, given(Box::new(own)))?;
    Ok(Arc::new(world))
}

/// Opens a world whose nodes are the containers of a Compose project that runs,
/// and our own beside them; `entry` is the one that our own share a network with.
///
/// # Errors
/// As [`open`], and where the project is not as it was when the run was planned.
pub async fn open_attached(
    config: EmbeddedConfig,
    name: &str,
    entry: &str,
) -> Result<Arc<dyn World>, WorldError> {
    let engine = Engine::find().await?;
    if !embedded::as_root() {
        return Err(WorldError::Missing {
            what: "the cables of a project's containers belong to root".into(),
            remedy: "run as root".into(),
        });
    }
    let Some(journal) = config.undo.clone() else {
        return Err(WorldError::Failed(
            "nothing would put the project back".into(),
        ));
    };
    let project = project::find(&engine, name).await?;
    unchanged(&project, &config)?;
    let segments = segments(&project, entry);
    let image = image::own(&engine, &config.exe).await?;
    let place = Place::make(&config)?;
    let own = containers(&engine, image, &place, &config).await?;
    let port = |number: usize| format!("rt{}u{number}", std::process::id());
    let uplinks = segments.iter().enumerate();
    let uplinks = uplinks.map(|(n, it)| (port(n), project.networks[it].bridge.clone()));
    let uplinks: Vec<_> = uplinks.collect();
    let guests = Guests::new(own, engine, journal, &project, segments, uplinks.clone())?;
    let world = EmbeddedWorld::assemble(config, place, given(Box::new(guests)))?;
    for (number, (port, bridge)) in uplinks.iter().enumerate() {
        let device = wire::uplink(port, bridge);
        let device = device.map_err(system(format!("reach the bridge {bridge}")))?;
        world
            .with_switch(|switch| {
                switch.add_uplink(port, number);
                switch.light(port, device)
            })?
            .map_err(system(format!("reach the bridge {bridge}")))?;
    }
    Ok(Arc::new(world))
}

/// The networks of a project, first that of the entry.
fn segments(project: &Project, entry: &str) -> Vec<String> {
    let entry = project.members.iter().find(|member| member.node == entry);
    let home = entry.and_then(|member| member.interfaces.first());
    let home = home.map(|interface| interface.network.clone());
    let others = project
        .networks
        .keys()
        .filter(|it| Some(*it) != home.as_ref());
    home.iter().chain(others).cloned().collect()
}

/// What was planned is what is there.
fn unchanged(project: &Project, config: &EmbeddedConfig) -> Result<(), WorldError> {
    for member in &project.members {
        let planned = config.hosts.get(&member.node);
        let there = member.interfaces.iter().any(|it| Some(&it.ip) == planned);
        if !there {
            return Err(WorldError::Failed(format!(
                "project `{}` has changed since this run was planned: `{}` is new or has another \
                 address; run it again",
                project.name, member.node
            )));
        }
    }
    Ok(())
}

fn given(ground: Box<dyn Ground>) -> Given {
    Given {
        ground,
        ext4: false,
        time_ns: Path::new("/proc/self/ns/time").exists(),
        notes: Vec::new(),
    }
}

/// The run's own containers, of which the journal is told first.
async fn containers(
    engine: &Engine,
    image: String,
    place: &Place,
    config: &EmbeddedConfig,
) -> Result<Containers, WorldError> {
    let run = run_of(config);
    if let Some(journal) = &config.undo {
        let recorded = journal.record(Undo::Containers {
            engine: engine.socket.clone(),
            run: run.clone(),
        });
        recorded.map_err(system("write the journal"))?;
        journal.changed();
    }
    let group = engine.group().await?;
    let own = Own { run, image, group };
    Ok(Containers::new(engine.clone(), own, &place.folder, config))
}

/// Tells this run's containers from those of others: the name of its journal, or
/// of its folder.
fn run_of(config: &EmbeddedConfig) -> String {
    let journal = config.undo.as_ref().map(|journal| journal.path());
    let name = journal
        .and_then(|path| path.file_stem())
        .or_else(|| config.run_dir.file_name());
    let name = name.map(|name| name.to_string_lossy().into_owned());
    // What an engine takes as a name.
    let fit = |c: char| match c {
        c if c.is_ascii_alphanumeric() || "_.-".contains(c) => c,
        _ => '-',
    };
    name.unwrap_or_default().chars().map(fit).collect()
}
