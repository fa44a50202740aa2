//! Opening a docker world.

use std::path::Path;
use std::sync::Arc;

use crate::undo::Undo;
use crate::world::embedded::open::{Given, Place, system};
use crate::world::embedded::{EmbeddedConfig, EmbeddedWorld};
use crate::world::{World, WorldError};

use super::engine::Engine;
use super::ground::{Containers, Own};
use super::image;

/// Opens a world without nodes.
///
/// # Errors
/// [`WorldError::Missing`] where there is no engine that can be used, with what
/// to do; [`WorldError::Failed`] when the engine refuses.
pub async fn open(config: EmbeddedConfig) -> Result<Arc<dyn World>, WorldError> {
    let engine = Engine::find().await?;
    let image = image::own(&engine, &config.exe).await?;
    let place = Place::make(&config)?;
    let run = run_of(&config);
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
    let ground = Containers::new(engine, own, &place.folder, &config);
    let given = Given {
        ground: Box::new(ground),
        ext4: false,
        time_ns: Path::new("/proc/self/ns/time").exists(),
        notes: Vec::new(),
    };
    Ok(Arc::new(EmbeddedWorld::assemble(config, place, given)?))
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
