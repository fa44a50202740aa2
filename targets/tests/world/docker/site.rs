//! A small site of containers.

use std::sync::Arc;

use libtest_mimic::Failed;
use ridethrough_targets::world::embedded::EmbeddedConfig;
use ridethrough_targets::world::{World, WorldEvent, docker};
use tokio::sync::mpsc::UnboundedReceiver;

pub(crate) use crate::embedded::site::{config, trial};

/// A site with the named nodes, in a folder of its own.
pub(crate) struct Site {
    pub(crate) world: Arc<dyn World>,
    pub(crate) events: UnboundedReceiver<WorldEvent>,
    pub(crate) folder: tempfile::TempDir,
}

impl Site {
    pub(crate) async fn open(names: &[&str]) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let config: EmbeddedConfig = config(std::env::current_exe()?, folder.path(), names);
        let world = docker::open(config).await?;
        let events = world.events().ok_or("the events were taken before")?;
        Ok(Self {
            world,
            events,
            folder,
        })
    }

    pub(crate) fn log(&self, node: &str) -> String {
        let path = self.folder.path().join(format!("logs/{node}.log"));
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// Ends the world; nothing of it may be left in the engine.
    pub(crate) async fn close(self) -> Result<(), Failed> {
        self.world.close().await?;
        let run = self.folder.path().file_name().unwrap_or_default();
        let run = run.to_string_lossy();
        match docker::remains()?.into_iter().find(|it| it.run == run) {
            Some(left) => Err(format!("left in the engine: {left:?}").into()),
            None => Ok(()),
        }
    }
}
