//! Containers as what nodes stand on.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bollard::models::{ContainerMemoryStats, ContainerUpdateBody};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, StartContainerOptions, StatsOptionsBuilder,
    WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, accept4, bind, getsockopt, listen,
    socket, sockopt,
};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::service::Program;
use crate::world::embedded::EmbeddedConfig;
use crate::world::embedded::channel::AsyncChannel;
use crate::world::embedded::ground::{BOOT_LIMIT, Ground, no_boot};
use crate::world::embedded::kernel;
use crate::world::embedded::live::lock;
use crate::world::embedded::machine::ORDERS;
use crate::world::embedded::message::BootOrder;
use crate::world::embedded::open::system;
use crate::world::{NodeSpec, ServiceSpec, WorldError, WorldEvent};

use super::engine::{Engine, said};
use super::joined::{Joined, Watched, run_inside};
use super::left;
use super::spec::{Machine, machine};

/// A bound on memory that bounds nothing: engines do not take one back.
const UNBOUNDED: i64 = 1 << 60;

/// What all containers of a run have in common.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// The run, which is on their label.
    pub(super) run: String,
    /// What nodes are made from.
    pub(super) image: String,
    /// The control group that they are put into.
    pub(super) group: Option<String>,
}

/// The containers of one run.
#[derive(Debug)]
pub(super) struct Containers {
    engine: Engine,
    own: Own,
    /// Shared with every container, at the same path.
    folder: PathBuf,
    /// The run folder, which marks processes.
    mark: PathBuf,
    /// Tells whether the run goes on.
    journal: Option<PathBuf>,
    /// Counts boots.
    boots: AtomicU64,
    /// Each node's present or last boot.
    nodes: Mutex<BTreeMap<String, Standing>>,
}

/// A node's containers.
#[derive(Clone, Debug)]
struct Standing {
    /// The one that is the node.
    machine: String,
    init: Arc<OwnedFd>,
    /// Those of images, by service.
    joined: BTreeMap<String, String>,
}

impl Containers {
    /// In this folder, for a world of this configuration.
    pub(super) fn new(engine: Engine, own: Own, folder: &Path, config: &EmbeddedConfig) -> Self {
        let journal = config.undo.as_ref();
        Self {
            engine,
            own,
            folder: folder.to_path_buf(),
            mark: config.run_dir.clone(),
            journal: journal.map(|journal| journal.path().to_path_buf()),
            boots: AtomicU64::new(0),
            nodes: Mutex::default(),
        }
    }

    /// Starts a container whose init will ask for its order in a folder.
    async fn start(
        &self,
        order: &BootOrder,
        name: &str,
        orders: &Path,
        beside: Option<&str>,
    ) -> Result<(), WorldError> {
        let body = machine(&Machine {
            beside,
            own: &self.own,
            node: &order.node,
            shared: &self.folder,
            orders,
            mark: &self.mark,
            journal: self.journal.as_deref(),
        });
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let docker = &self.engine.docker;
        let made = docker.create_container(Some(options), body).await;
        made.map_err(said(format!("make the container of node `{}`", order.node)))?;
        let started = docker.start_container(name, None::<StartContainerOptions>);
        let what = format!("start the container of node `{}`", order.node);
        started.await.map_err(said(what))
    }

    /// Waits for a container's init to ask; or for its end.
    async fn asked(
        &self,
        node: &str,
        name: &str,
        listener: &AsyncFd<OwnedFd>,
    ) -> Result<OwnedFd, WorldError> {
        let options = WaitContainerOptionsBuilder::default()
            .condition("removed")
            .build();
        let mut ended = self.engine.docker.wait_container(name, Some(options));
        let failed = |why: &str| no_boot(node, why);
        tokio::select! {
            biased;
            asked = timeout(BOOT_LIMIT, accept(listener)) => match asked {
                Ok(asked) => asked.map_err(system("hear a container's init")),
                Err(_) => Err(failed(
                    "its container did not reach the harness in 10 s; does the engine run on \
                     this machine, and see its files?",
                )),
            },
            _ = ended.next() => Err(failed("its container has ended at once")),
        }
    }
}

impl Containers {
    /// Makes the init of a node: of a container of its own, or beside one that is
    /// there, in its network and among its processes.
    pub(super) async fn raise(
        &self,
        order: BootOrder,
        fds: &[BorrowedFd<'_>],
        beside: Option<&str>,
    ) -> Result<OwnedFd, WorldError> {
        let boot = self.boots.fetch_add(1, Ordering::Relaxed);
        let orders = self.folder.join(format!("boot-{boot}"));
        fs::create_dir(&orders).map_err(system(format!("make {}", orders.display())))?;
        let listener = listener(&orders).map_err(system("listen for a container's init"))?;
        let name = format!("ridethrough-{}-{}-{boot}", self.own.run, order.node);
        self.start(&order, &name, &orders, beside).await?;
        let asking = self.asked(&order.node, &name, &listener).await?;
        let pid = getsockopt(&asking, sockopt::PeerCredentials).map_err(io::Error::from);
        let init = pid.and_then(|peer| kernel::pidfd_open(peer.pid()));
        let init = init.map_err(system("find a container's init"))?;
        let channel = AsyncChannel::new(asking).map_err(system("watch a container's init"))?;
        let sent = timeout(BOOT_LIMIT, channel.send(&order, fds)).await;
        sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(system(format!("give node `{}` its order", order.node)))?;
        let _ = fs::remove_dir_all(&orders);
        let standing = Standing {
            machine: name,
            init: Arc::new(init.try_clone().map_err(system("keep a node's init"))?),
            joined: BTreeMap::new(),
        };
        lock(&self.nodes).insert(order.node, standing);
        Ok(init)
    }
}

#[async_trait]
impl Ground for Containers {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn fork(&self, order: BootOrder, fds: &[BorrowedFd<'_>]) -> Result<OwnedFd, WorldError> {
        self.raise(order, fds, None).await
    }

    fn takes(&self, service: &ServiceSpec) -> Result<(), WorldError> {
        match (&service.program, service.volume) {
            (Program::Command { .. }, _) => Err(WorldError::Missing {
                what: format!("service `{}` is a program of this machine", service.name),
                remedy: "run it with `--world embedded`, or give it an `image:`".into(),
            }),
            (Program::Image { .. }, Some(_)) => Err(WorldError::Missing {
                what: format!("service `{}` is an image with a `volume:`", service.name),
                remedy: "leave the volume out: images have none yet".into(),
            }),
            _ => Ok(()),
        }
    }

    async fn join(
        &self,
        node: &NodeSpec,
        events: &mpsc::UnboundedSender<WorldEvent>,
    ) -> Result<(), WorldError> {
        for service in &node.services {
            if let Program::Image { .. } = service.program {
                self.join_one(node, service, events).await?;
            }
        }
        Ok(())
    }

    async fn check(
        &self,
        node: &str,
        service: &str,
        argv: &[String],
    ) -> Option<Result<bool, WorldError>> {
        let standing = lock(&self.nodes).get(node).cloned()?;
        let container = standing.joined.get(service)?;
        Some(run_inside(&self.engine, container, argv).await)
    }

    async fn bound_memory(
        &self,
        node: &str,
        leave_bytes: Option<u64>,
    ) -> Option<Result<(), WorldError>> {
        let standing = lock(&self.nodes).get(node).cloned();
        let Some(standing) = standing else {
            return Some(Err(WorldError::Failed(format!("node `{node}` is down"))));
        };
        let mut bounded = self.bound(&standing.machine, leave_bytes).await;
        for container in standing.joined.values() {
            // One that has ended needs no bound.
            let there = self.engine.docker.inspect_container(container, None);
            if bounded.is_ok() && there.await.is_ok() {
                bounded = self.bound(container, leave_bytes).await;
            }
        }
        Some(bounded)
    }

    async fn end(&self, _: Duration) -> Result<(), WorldError> {
        left::remove(&self.engine, &self.own.run).await.map(drop)
    }
}

impl Containers {
    async fn join_one(
        &self,
        node: &NodeSpec,
        service: &ServiceSpec,
        events: &mpsc::UnboundedSender<WorldEvent>,
    ) -> Result<(), WorldError> {
        let Program::Image {
            image,
            argv,
            env,
            files,
            ..
        } = &service.program
        else {
            return Ok(());
        };
        let standing = lock(&self.nodes).get(&node.name).cloned();
        let standing = standing.ok_or_else(|| no_boot(&node.name, "it is down"))?;
        let count = self.boots.fetch_add(1, Ordering::Relaxed);
        let name = format!(
            "ridethrough-{}-{}-{}-{count}",
            self.own.run, node.name, service.name
        );
        let joined = Joined {
            own: &self.own,
            node: &node.name,
            service: &service.name,
            machine: &standing.machine,
            journal: self.journal.as_deref(),
            shared: &self.folder,
            mark: &self.mark,
            image,
            argv: argv.clone(),
            env,
            files,
        };
        let output = joined.make(&self.engine, &name).await?;
        if let Some(standing) = lock(&self.nodes).get_mut(&node.name) {
            standing.joined.insert(service.name.clone(), name.clone());
        }
        let watched = Watched {
            engine: self.engine.clone(),
            container: name.clone(),
            node: node.name.clone(),
            service: service.name.clone(),
            init: standing.init,
            log: self.mark.join("logs").join(format!("{}.log", node.name)),
        };
        let watching = watched.watch(output, events.clone());
        let started = joined.start(&self.engine, &name).await;
        if started.is_err() {
            watching.abort();
        }
        started
    }

    async fn bound(&self, name: &str, leave_bytes: Option<u64>) -> Result<(), WorldError> {
        let bytes = match leave_bytes {
            Some(leave) => self.memory_used(name).await?.saturating_add_unsigned(leave),
            None => UNBOUNDED,
        };
        let body = ContainerUpdateBody {
            memory: Some(bytes),
            // Swap would be a way around the bound.
            memory_swap: Some(bytes),
            ..ContainerUpdateBody::default()
        };
        let updated = self.engine.docker.update_container(name, body).await;
        match updated {
            // What was bounded is gone with its container.
            Err(error) if leave_bytes.is_none() && super::engine::is_absent(&error) => Ok(()),
            updated => updated.map_err(said(format!("bound the memory of {name}"))),
        }
    }

    async fn memory_used(&self, name: &str) -> Result<i64, WorldError> {
        let options = StatsOptionsBuilder::default()
            .stream(false)
            .one_shot(true)
            .build();
        let mut stats = self.engine.docker.stats(name, Some(options));
        let answer = stats.next().await;
        let failed = || WorldError::Failed(format!("the engine does not tell of {name}"));
        let stats = answer.ok_or_else(failed)?.map_err(said("ask of memory"))?;
        stats
            .memory_stats
            .as_ref()
            .and_then(held)
            .ok_or_else(failed)
    }
}

/// What a container holds that the kernel could not take back: what it keeps of
/// files there (its programs among them) would come on top of what is left to it.
fn held(of: &ContainerMemoryStats) -> Option<i64> {
    let stat = |name: &str| of.stats.as_ref()?.get(name).copied();
    // Those of groups below it count, where the kernel tells them apart.
    let file = |name: &str| stat(&format!("total_{name}")).or_else(|| stat(name));
    let files = ["inactive_file", "active_file"].map(|name| file(name).unwrap_or(0));
    let held = of.usage?.saturating_sub(files.iter().sum());
    i64::try_from(held).ok()
}

/// A socket in a folder, at which a container's init asks.
fn listener(folder: &Path) -> io::Result<AsyncFd<OwnedFd>> {
    let (family, kind) = (AddressFamily::Unix, SockType::SeqPacket);
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, kind, flags, None)?;
    // Through a descriptor: a run folder's path may be longer than a socket's.
    let place = fs::File::open(folder)?;
    let short = format!("/proc/self/fd/{}/{ORDERS}", place.as_raw_fd());
    bind(socket.as_raw_fd(), &UnixAddr::new(short.as_str())?)?;
    listen(&socket, Backlog::new(1)?)?;
    kernel::watch(socket)
}

async fn accept(listener: &AsyncFd<OwnedFd>) -> io::Result<OwnedFd> {
    loop {
        let mut ready = listener.readable().await?;
        let accepted = ready.try_io(|listener| {
            let fd = listener.as_fd().as_raw_fd();
            let accepted = accept4(fd, SockFlag::SOCK_CLOEXEC)?;
            Ok(kernel::owned(accepted))
        });
        if let Ok(accepted) = accepted {
            return accepted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_files_is_not_held() {
        let stats = |all: &[(&str, u64)]| ContainerMemoryStats {
            usage: Some(100),
            stats: Some(
                all.iter()
                    .map(|(name, value)| (name.to_string(), *value))
                    .collect(),
            ),
            ..ContainerMemoryStats::default()
        };
        let newer = stats(&[("inactive_file", 20), ("active_file", 5), ("anon", 60)]);
        assert_eq!(held(&newer), Some(75));
        let older = stats(&[("inactive_file", 0), ("total_inactive_file", 30)]);
        assert_eq!(held(&older), Some(70));
        assert_eq!(held(&ContainerMemoryStats::default()), None);
    }
}
