//! A Compose project of others on the fabric: nodes that are there already.
//!
//! ```text
//! container ── cable ──▶ host's end ──(was: port of the bridge)──▶ switch ──▶ uplink ──▶ bridge
//! ```
//!
//! The host's end of each cable is pulled out of its bridge and becomes a port of
//! the switch; whoever else is on the bridge is behind the uplink. Nothing in the
//! container changes. In its network and among its processes lives a guest, a
//! container of ours, which answers probes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bollard::query_parameters::{
    InspectContainerOptions, KillContainerOptionsBuilder, StartContainerOptions,
};
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::fabric::wire;
use crate::undo::{Journal, Ticket, Undo};
use crate::world::embedded::ground::{BOOT_LIMIT, Cable, Ground, no_boot};
use crate::world::embedded::kernel;
use crate::world::embedded::live::lock;
use crate::world::embedded::message::BootOrder;
use crate::world::embedded::open::system;
use crate::world::{NodeSpec, NodeState, ServiceSpec, WorldError, WorldEvent};

use super::engine::{Engine, said};
use super::ground::Containers;
use super::project::{Interface, Member, Project};

/// At this value the host answers for none of its addresses (ip-sysctl).
const SILENT: u8 = 8;

/// How long the switch forwards what was on its way when all cables are back.
const DRAIN: Duration = Duration::from_millis(50);

/// How long the kernel may take to end a container.
const DEATH_LIMIT: Duration = Duration::from_secs(10);

/// The nodes of a project, beside those of our own.
#[derive(Debug)]
pub(super) struct Guests {
    own: Containers,
    engine: Engine,
    journal: Arc<Journal>,
    members: BTreeMap<String, Member>,
    /// Networks by their number on the switch.
    segments: Vec<String>,
    /// Our devices in the project's bridges, with the bridge of each.
    uplinks: Vec<(String, String)>,
    state: Mutex<BTreeMap<String, State>>,
}

/// A member of the project, as we have left it.
#[derive(Debug, Default)]
struct State {
    /// Its first process, while it has power.
    first: Option<Arc<OwnedFd>>,
    /// Cables that are still in their bridges.
    plugged: Vec<(String, String)>,
    /// What takes back all that was done to it.
    cables: Vec<Ticket>,
    killed: Option<Ticket>,
    paused: Option<Ticket>,
}

impl Guests {
    pub(super) fn new(
        own: Containers,
        engine: Engine,
        journal: Arc<Journal>,
        project: &Project,
        segments: Vec<String>,
        uplinks: Vec<(String, String)>,
    ) -> Result<Self, WorldError> {
        let mut state = BTreeMap::new();
        for member in &project.members {
            let first = kernel::pidfd_open(member.pid);
            let first =
                first.map_err(system(format!("find the container of `{}`", member.node)))?;
            let as_is = State {
                first: Some(Arc::new(first)),
                ..State::default()
            };
            state.insert(member.node.clone(), as_is);
        }
        let members = project.members.iter();
        Ok(Self {
            own,
            engine,
            journal,
            members: members.map(|m| (m.node.clone(), m.clone())).collect(),
            segments,
            uplinks,
            state: Mutex::new(state),
        })
    }

    fn with<T>(&self, node: &str, look: impl FnOnce(&mut State) -> T) -> T {
        look(lock(&self.state).entry(node.to_string()).or_default())
    }

    /// Gives a member whose power was cut its power back.
    async fn power_on(&self, member: &Member) -> Result<(), WorldError> {
        let node = &member.node;
        let docker = &self.engine.docker;
        let look = || docker.inspect_container(&member.container, None::<InspectContainerOptions>);
        let before = look().await.map_err(said("look at a container"))?;
        if before.state.and_then(|state| state.running) == Some(true) {
            let why = "its container runs: somebody has started it while its power was off";
            return Err(no_boot(node, why));
        }
        let started = docker.start_container(&member.container, None::<StartContainerOptions>);
        started
            .await
            .map_err(said(format!("start the container of `{node}`")))?;
        let now = look().await.map_err(said("look at a container"))?;
        let pid = now.state.and_then(|state| state.pid).unwrap_or(0);
        let first = kernel::pidfd_open(i32::try_from(pid).unwrap_or(0));
        let first = first.map_err(|_| no_boot(node, "its container has ended at once"))?;
        let networks = now.network_settings.and_then(|all| all.networks);
        let networks = networks.unwrap_or_default();
        for cable in &member.interfaces {
            let there = networks
                .get(&cable.network)
                .and_then(|it| it.ip_address.as_ref());
            if there.is_none_or(|ip| *ip != cable.ip.to_string()) {
                let (net, ip) = (&cable.network, cable.ip);
                let why = format!("its container came back with {there:?} on {net}, and had {ip}");
                return Err(no_boot(node, &why));
            }
        }
        let ticket = self.with(node, |state| {
            state.first = Some(Arc::new(first));
            state.killed.take()
        });
        self.take_back(ticket.into_iter().collect()).await
    }

    /// Takes changes back; what waits for the engine or the kernel is off this
    /// thread.
    async fn take_back(&self, tickets: Vec<Ticket>) -> Result<(), WorldError> {
        let journal = Arc::clone(&self.journal);
        let taken = tokio::task::spawn_blocking(move || {
            let all = tickets.into_iter().map(|ticket| journal.take_back(ticket));
            let all: Vec<io::Result<_>> = all.collect();
            all.into_iter().try_for_each(|taken| taken.map(drop))
        });
        let taken = taken
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        taken.map_err(system("put the project back"))
    }

    fn record(&self, undo: Undo) -> Result<Ticket, WorldError> {
        let recorded = self.journal.record(undo);
        recorded.map_err(system("write the journal"))
    }

    /// One cable as a port: its frames are seen from now on, and still go by the
    /// bridge, too.
    fn cable(&self, member: &Member, interface: &Interface, pid: i32) -> Result<Cable, WorldError> {
        let node = &member.node;
        let device = host_end(pid, interface.mac)
            .ok_or_else(|| no_boot(node, "the host's end of its cable is not to be found"))?;
        let bridge = wire::bridge_of(&device)
            .ok_or_else(|| no_boot(node, &format!("its cable {device} is in no bridge")))?;
        let arp_ignore = wire::arp_ignore(&device).map_err(system(format!("look at {device}")))?;
        let ticket = self.record(Undo::Cable {
            device: device.clone(),
            bridge: bridge.clone(),
            hairpin: wire::hairpin(&device),
            arp_ignore,
        })?;
        wire::set_arp_ignore(&device, SILENT).map_err(system(format!("quieten {device}")))?;
        self.journal.changed();
        let end = wire::listen(&device).map_err(system(format!("listen on {device}")))?;
        self.with(node, |state| {
            state.cables.push(ticket);
            state.plugged.push((device, bridge));
        });
        let segment = self.segments.iter().position(|it| *it == interface.network);
        let segment = segment.unwrap_or(0);
        Ok(Cable {
            port: match segment {
                0 => node.clone(),
                _ => format!("{node}/{}", interface.network),
            },
            segment,
            mac: interface.mac,
            device: end,
        })
    }
}

/// The host's end of the cable with this hardware address in a container.
fn host_end(pid: i32, mac: [u8; 6]) -> Option<String> {
    let inside = PathBuf::from(format!("/proc/{pid}/root/sys/class/net"));
    let text = |path: &Path| fs::read_to_string(path).map(|text| text.trim().to_string());
    let wanted = mac.map(|byte| format!("{byte:02x}")).join(":");
    fs::read_dir(inside).ok()?.flatten().find_map(|entry| {
        let shown = entry.path();
        let is_it = text(&shown.join("address")).is_ok_and(|address| address == wanted);
        let number = is_it.then(|| text(&shown.join("iflink")).ok()).flatten()?;
        wire::by_number(number.parse().ok()?)
    })
}

#[async_trait]
impl Ground for Guests {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn fork(&self, order: BootOrder, fds: &[BorrowedFd<'_>]) -> Result<OwnedFd, WorldError> {
        let Some(member) = self.members.get(&order.node) else {
            return self.own.fork(order, fds).await;
        };
        if self.with(&order.node, |state| state.first.is_none()) {
            self.power_on(member).await?;
        }
        self.own.raise(order, fds, Some(&member.container)).await
    }

    fn takes(&self, service: &ServiceSpec) -> Result<(), WorldError> {
        self.own.takes(service)
    }

    /// Tells when a member ends that was not made to.
    async fn join(
        &self,
        node: &NodeSpec,
        events: &mpsc::UnboundedSender<WorldEvent>,
    ) -> Result<(), WorldError> {
        let Some(member) = self.members.get(&node.name) else {
            return self.own.join(node, events).await;
        };
        let Some(first) = self.with(&node.name, |state| state.first.clone()) else {
            return Ok(());
        };
        let (node, service) = (node.name.clone(), member.service.clone());
        // Held for good, it would keep the run from ever ending.
        let events = events.downgrade();
        let watched = first.try_clone().and_then(kernel::watch_process);
        let watched = watched.map_err(system("watch a container"))?;
        // Whoever ends it on purpose lets go of it first.
        let held = Arc::downgrade(&first);
        drop(first);
        tokio::spawn(async move {
            let ended = watched.readable().await.is_ok();
            if ended
                && held.upgrade().is_some()
                && let Some(events) = events.upgrade()
            {
                let _ = events.send(WorldEvent::Exited {
                    node,
                    service,
                    how: "ended by itself, or by somebody else".into(),
                    tail: String::new(),
                });
            }
        });
        Ok(())
    }

    async fn plug(&self, node: &str) -> Result<Vec<Cable>, WorldError> {
        let Some(member) = self.members.get(node) else {
            return Ok(Vec::new());
        };
        let first = self.with(node, |state| state.first.clone());
        let pid = first.and_then(|first| kernel::pid_of(first.as_fd()));
        let pid = pid.ok_or_else(|| no_boot(node, "its container has ended"))?;
        let cables = member.interfaces.iter();
        cables.map(|it| self.cable(member, it, pid)).collect()
    }

    fn plugged(&self, node: &str) -> Result<(), WorldError> {
        for (device, bridge) in self.with(node, |state| std::mem::take(&mut state.plugged)) {
            let pulled = wire::unplug(&device, &bridge);
            pulled.map_err(system(format!("pull {device} out of {bridge}")))?;
        }
        Ok(())
    }

    async fn cut(&self, nodes: &[String]) -> Result<(), WorldError> {
        let mut dying = Vec::new();
        for node in nodes {
            let Some(member) = self.members.get(node) else {
                continue;
            };
            // Let go of: its end is no surprise from now on.
            if let Some(first) = self.with(node, |state| state.first.take()) {
                let first = first.try_clone().map_err(system("hold a container"))?;
                let container = member.container.clone();
                let engine = self.engine.socket.clone();
                let ticket = self.record(Undo::Killed { engine, container })?;
                self.with(node, |state| state.killed = Some(ticket));
                dying.push((member, first));
            }
        }
        // The engine must hear of those that it would start again.
        for (member, first) in dying.iter().filter(|(member, _)| !member.restarts) {
            let killed = kernel::pidfd_kill(first.as_fd());
            killed.map_err(system(format!("kill the container of `{}`", member.node)))?;
        }
        let told = dying.iter().filter(|(member, _)| member.restarts);
        let told = told.map(|(member, _)| async {
            let options = KillContainerOptionsBuilder::default()
                .signal("KILL")
                .build();
            let killed = self
                .engine
                .docker
                .kill_container(&member.container, Some(options));
            killed
                .await
                .map_err(said(format!("kill the container of `{}`", member.node)))
        });
        join_all(told)
            .await
            .into_iter()
            .collect::<Result<(), _>>()?;
        self.journal.changed();
        for (member, first) in dying {
            let watched = kernel::watch_process(first).map_err(system("watch a container"))?;
            let ended = timeout(DEATH_LIMIT, watched.readable()).await;
            let what = format!("container of `{}` does not end", member.node);
            ended
                .map_err(|_| WorldError::Failed(what))?
                .map(drop)
                .map_err(system("watch"))?;
        }
        Ok(())
    }

    async fn hang(&self, node: &str, hung: bool) -> Option<Result<(), WorldError>> {
        let member = self.members.get(node)?;
        if !hung {
            let ticket = self.with(node, |state| state.paused.take());
            return Some(self.take_back(ticket.into_iter().collect()).await);
        }
        let (engine, container) = (self.engine.socket.clone(), member.container.clone());
        let ticket = match self.record(Undo::Paused { engine, container }) {
            Ok(ticket) => ticket,
            Err(error) => return Some(Err(error)),
        };
        self.with(node, |state| state.paused = Some(ticket));
        let paused = timeout(
            BOOT_LIMIT,
            self.engine.docker.pause_container(&member.container),
        );
        self.journal.changed();
        Some(match paused.await {
            Ok(paused) => paused.map_err(said(format!("pause the container of `{node}`"))),
            Err(_) => Err(WorldError::Failed(format!(
                "`{node}` was not paused in 10 s"
            ))),
        })
    }

    async fn state(&self, node: &str) -> Option<Result<NodeState, WorldError>> {
        let member = self.members.get(node)?;
        let seen = self
            .engine
            .docker
            .inspect_container(&member.container, None::<InspectContainerOptions>);
        let state = match seen.await {
            Ok(seen) => seen.state.unwrap_or_default(),
            Err(error) => return Some(Err(said("look at a container")(error))),
        };
        Some(Ok(match (state.running, state.paused) {
            (Some(true), Some(true)) => NodeState::Stopped,
            (Some(true), _) => NodeState::Running,
            _ => NodeState::Empty,
        }))
    }

    fn is_foreign(&self, node: &str) -> bool {
        self.members.contains_key(node)
    }

    async fn release(&self) -> Result<(), WorldError> {
        let tickets: Vec<Ticket> = lock(&self.state)
            .values_mut()
            .flat_map(|state| {
                let cables = std::mem::take(&mut state.cables);
                let paused = state.paused.take();
                let killed = state.killed.take();
                cables.into_iter().chain(paused).chain(killed)
            })
            .collect();
        self.take_back(tickets).await?;
        // Bridges find the way by the cables again; what they have put into our
        // devices meanwhile still goes through the switch.
        for (device, bridge) in &self.uplinks {
            // One that is out already is where it is to be.
            let _ = wire::unplug(device, bridge);
        }
        tokio::time::sleep(DRAIN).await;
        Ok(())
    }

    async fn end(&self, limit: Duration) -> Result<(), WorldError> {
        self.own.end(limit).await
    }
}
