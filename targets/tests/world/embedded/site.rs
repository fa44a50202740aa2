//! A small site on this machine.

use std::future::Future;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::clock::Clock;
use ridethrough_targets::world::embedded::{EmbeddedConfig, EmbeddedWorld};
use ridethrough_targets::world::{World, WorldEvent};
use tokio::sync::mpsc::UnboundedReceiver;

pub(crate) use crate::site::{builtin, hosts, node, shell, with_volume};

/// A site with the named nodes, in a folder of its own.
pub(crate) struct Site {
    pub(crate) world: EmbeddedWorld,
    pub(crate) events: UnboundedReceiver<WorldEvent>,
    pub(crate) folder: tempfile::TempDir,
}

impl Site {
    pub(crate) async fn open(names: &[&str]) -> Result<Self, Failed> {
        Self::new(names, false).await
    }

    /// The same with a capture of every frame.
    pub(crate) async fn captured(names: &[&str]) -> Result<Self, Failed> {
        Self::new(names, true).await
    }

    async fn new(names: &[&str], pcap: bool) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let config = EmbeddedConfig {
            pcap,
            ..config(std::env::current_exe()?, folder.path(), names)
        };
        let world = EmbeddedWorld::open(config).await?;
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
}

pub(crate) fn config(exe: PathBuf, folder: &Path, names: &[&str]) -> EmbeddedConfig {
    EmbeddedConfig {
        exe,
        run_dir: folder.to_path_buf(),
        clock: Clock::start(),
        seed: 7,
        hosts: hosts(names),
        undo: None,
        pcap: false,
    }
}

/// A trial that runs on a runtime of its own, bounded.
pub(crate) fn trial<F, T>(name: &str, test: F) -> Trial
where
    F: FnOnce() -> T + Send + 'static,
    T: Future<Output = Result<(), Failed>>,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let limit = std::time::Duration::from_secs(60);
        runtime.block_on(async { tokio::time::timeout(limit, test()).await })?
    })
}
