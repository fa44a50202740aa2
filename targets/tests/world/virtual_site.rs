//! A small site on virtual time.

use std::future::Future;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use ridethrough_targets::clock::Clock;
use ridethrough_targets::world::r#virtual::{
    EventBounds, NeighbourTimes, VirtualConfig, VirtualWorld,
};
use ridethrough_targets::world::{World, WorldEvent};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::site::{hosts, registry};

/// A site with the named nodes, in a folder of its own.
pub(crate) struct VirtualSite {
    pub(crate) world: Arc<VirtualWorld>,
    pub(crate) events: UnboundedReceiver<WorldEvent>,
    pub(crate) folder: tempfile::TempDir,
    _logging: tracing::subscriber::DefaultGuard,
}

impl VirtualSite {
    pub(crate) fn open<'a>(
        names: &[&str],
        neighbours: impl IntoIterator<Item = (&'a str, NeighbourTimes)>,
    ) -> Result<Self, Failed> {
        Self::bounded(names, neighbours, EventBounds::default())
    }

    pub(crate) fn bounded<'a>(
        names: &[&str],
        neighbours: impl IntoIterator<Item = (&'a str, NeighbourTimes)>,
        bounds: EventBounds,
    ) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("logs"))?;
        let own = |(name, times): (&str, NeighbourTimes)| (name.to_string(), times);
        let world = VirtualWorld::open(VirtualConfig {
            registry: Arc::new(registry),
            run_dir: folder.path().to_path_buf(),
            clock: Clock::start(),
            seed: 7,
            hosts: hosts(names),
            neighbours: neighbours.into_iter().map(own).collect(),
            bounds,
        });
        let events = world.events().ok_or("the events were taken before")?;
        Ok(Self {
            _logging: tracing::subscriber::set_default(world.log_subscriber()),
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

/// A trial on virtual time; needs nothing of the machine.
pub(crate) fn virtual_trial<F, T>(name: &str, test: F) -> Trial
where
    F: FnOnce() -> T + Send + 'static,
    T: Future<Output = Result<(), Failed>>,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()?;
        runtime.block_on(test())
    })
}
