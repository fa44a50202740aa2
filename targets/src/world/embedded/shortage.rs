//! Machines that run short of something, and services that start again.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use crate::undo::{Ticket, Undo};
use crate::units::Span;
use crate::world::{NodeSpec, Shortage, WorldError};

use super::cgroup::{self, Memory};
use super::live::lock;
use super::message::{Ask, Theft};
use super::open::system;
use super::world::EmbeddedWorld;

/// How long a node's init may take to start its services or to do as asked.
const LIMIT: Duration = Duration::from_secs(5);

/// How often processes are looked for that were born on the way into a group.
const LOOKS: usize = 5;

impl EmbeddedWorld {
    /// See [`World::restart`](crate::world::World::restart).
    pub(super) async fn restart_services(
        &self,
        node: &NodeSpec,
        boot: u32,
    ) -> Result<(), WorldError> {
        self.start_services(node, boot, None).await
    }

    /// See [`World::jump_clock`](crate::world::World::jump_clock).
    pub(super) async fn restart_ahead(
        &self,
        node: &NodeSpec,
        boot: u32,
        ahead: Span,
    ) -> Result<(), WorldError> {
        let live = self.live(&node.name)?;
        let Some(offset_ns) = live.given.offset_ns else {
            return Err(WorldError::Missing {
                what: "this kernel has no time namespaces, so no clock can jump".into(),
                remedy: "a kernel built with CONFIG_TIME_NS (5.6 or later)".into(),
            });
        };
        live.ask(Ask::Kill, LIMIT).await?;
        let ahead_ns = i64::try_from(ahead.micros()).unwrap_or(i64::MAX / 1_000) * 1_000;
        let offset_ns = offset_ns.saturating_add(ahead_ns);
        self.start_services(node, boot, Some(offset_ns)).await
    }

    /// With another clock, or the one that they had.
    async fn start_services(
        &self,
        node: &NodeSpec,
        boot: u32,
        clock_offset_ns: Option<i64>,
    ) -> Result<(), WorldError> {
        let live = self.live(&node.name)?;
        if let Some(offset_ns) = clock_offset_ns {
            *lock(&live.clock_ns) = Some(offset_ns);
        }
        let now_ns = *lock(&live.clock_ns);
        let (theirs, wires) = self.wires(node, boot, now_ns, &live.given.volumes)?;
        let fds: Vec<_> = theirs.iter().map(AsFd::as_fd).collect();
        let ask = Ask::Start {
            services: self.orders(node, &live.given.volumes)?,
            clock_offset_ns,
        };
        live.ask_with(ask, &fds, LIMIT).await?;
        live.rewire(wires);
        self.ground.join(node, &self.events).await
    }

    /// See [`World::deprive`](crate::world::World::deprive).
    pub(super) async fn make_short(
        &self,
        node: &str,
        shortage: &Shortage,
    ) -> Result<(), WorldError> {
        let ask = match *shortage {
            Shortage::Cpu { stolen, period } => Ask::Steal(Some(Theft {
                stolen_us: (period.micros() as f64 * stolen.get()) as u64,
                period_us: period.micros(),
            })),
            Shortage::Files { leave } => Ask::Files(Some(leave)),
            Shortage::Memory { leave_bytes } => {
                let bounded = self.ground.bound_memory(node, Some(leave_bytes)).await;
                return bounded.unwrap_or_else(|| self.bound_memory(node, leave_bytes));
            }
        };
        self.live(node)?.ask(ask, LIMIT).await.map(drop)
    }

    /// See [`World::supply`](crate::world::World::supply).
    pub(super) async fn end_short(
        &self,
        node: &str,
        shortage: &Shortage,
    ) -> Result<(), WorldError> {
        let ask = match shortage {
            Shortage::Cpu { .. } => Ask::Steal(None),
            Shortage::Files { .. } => Ask::Files(None),
            Shortage::Memory { .. } => match self.ground.bound_memory(node, None).await {
                Some(freed) => return freed,
                None => return self.free_memory(node).await,
            },
        };
        match self.live(node) {
            Ok(live) => live.ask(ask, LIMIT).await.map(drop),
            // What was taken from its last boot is gone with it.
            Err(WorldError::Failed(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Moves a node into a control group of its own.
    fn bound_memory(&self, node: &str, leave_bytes: u64) -> Result<(), WorldError> {
        let memory = Memory::find()?;
        let live = self.live(node)?;
        let journal = self
            .config
            .undo
            .as_ref()
            .ok_or_else(|| WorldError::Missing {
                what: "nothing would undo a control group".into(),
                remedy: "open the world with a journal".into(),
            })?;
        let init = live
            .pid()
            .ok_or_else(|| WorldError::Failed(format!("node `{node}` is down")))?;
        let group = memory.group(&self.run_name(), node);
        let record = Undo::Cgroup {
            path: group.clone(),
            home: memory.home().to_path_buf(),
        };
        let ticket = journal
            .record(record)
            .map_err(system("write the journal"))?;
        lock(&self.groups).insert(node.to_string(), ticket);
        memory
            .make(&group, leave_bytes)
            .map_err(system(format!("make {}", group.display())))?;
        journal.changed();
        let mut inside = Vec::new();
        for _ in 0..LOOKS {
            let all = cgroup::descendants(init);
            let new: Vec<i32> = all
                .into_iter()
                .filter(|pid| !inside.contains(pid))
                .collect();
            if new.is_empty() {
                break;
            }
            cgroup::enter(&group, &new).map_err(system(format!("enter {}", group.display())))?;
            inside.extend(new);
        }
        Ok(())
    }

    async fn free_memory(&self, node: &str) -> Result<(), WorldError> {
        let ticket: Option<Ticket> = lock(&self.groups).shift_remove(node);
        let (Some(journal), Some(ticket)) = (&self.config.undo, ticket) else {
            return Ok(());
        };
        // It waits for the kernel to let go of the group.
        let journal = Arc::clone(journal);
        let taken = tokio::task::spawn_blocking(move || journal.take_back(ticket));
        let taken = taken
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        let what = format!("remove the control group of `{node}`");
        taken.map(drop).map_err(system(what))
    }

    /// Tells this run's groups from those of others.
    fn run_name(&self) -> String {
        let journal = self.config.undo.as_ref().map(|journal| journal.path());
        let name = journal.and_then(|path| path.file_stem());
        name.map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}
