//! The embedded world.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use indexmap::IndexMap;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::disk::{DiskFault, DiskFaultId, DiskProbe, DiskReport};
use crate::fabric::Switch;
use crate::service::ToService;
use crate::undo::Ticket;
use crate::units::Span;
use crate::world::names::NameBook;
use crate::world::{
    ConnectionReport, ConnectionSpec, CutReceipt, Inquiry, LinkRule, Lookup, NameRule, NodeSpec,
    NodeState, PortCounters, ProbeReport, ProbeSpec, RuleCounters, RuleId, Shortage, Socket,
    Supply, World, WorldError, WorldEvent,
};

use super::config::EmbeddedConfig;
use super::ground::Ground;
use super::live::{Live, lock};
use super::message::{Answer, Ask};
use super::open::system;
use super::volume::Volumes;

/// How long a node's init may take to answer.
pub(super) const ASK_LIMIT: Duration = Duration::from_secs(5);

/// How long the kernel may take to end a node's processes.
const DEATH_LIMIT: Duration = Duration::from_secs(10);

/// Nodes as namespaces of this machine; see the [module](super).
#[derive(Debug)]
pub struct EmbeddedWorld {
    pub(super) config: EmbeddedConfig,
    pub(super) prefix: u8,
    pub(super) folder: PathBuf,
    pub(super) logs: PathBuf,
    pub(super) time_ns: bool,
    pub(super) origin_ns: i64,
    pub(super) notes: Vec<String>,
    pub(super) ground: Box<dyn Ground>,
    /// Gone once the world is closed.
    pub(super) switch: std::sync::Mutex<Option<Switch>>,
    pub(super) nodes: std::sync::Mutex<IndexMap<String, Arc<Live>>>,
    pub(super) volumes: Volumes,
    pub(super) events: mpsc::UnboundedSender<WorldEvent>,
    pub(super) reports: std::sync::Mutex<Option<mpsc::UnboundedReceiver<WorldEvent>>>,
    /// Counts probes and connections.
    pub(super) probes: AtomicU64,
    /// The records of nodes' control groups.
    pub(super) groups: std::sync::Mutex<IndexMap<String, Ticket>>,
    /// The ends of connections, by number.
    pub(super) ties: std::sync::Mutex<IndexMap<u64, (String, String)>>,
    /// What resolvers are made to answer.
    pub(super) names: std::sync::Mutex<NameBook>,
}

impl EmbeddedWorld {
    /// What this machine could not give, in sentences for the run's record.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn log_path(&self, node: &str) -> PathBuf {
        self.logs.join(format!("{node}.log"))
    }

    /// Asks the switch, while the world is open.
    pub(in crate::world) fn with_switch<T>(
        &self,
        ask: impl FnOnce(&Switch) -> T,
    ) -> Result<T, WorldError> {
        let switch = lock(&self.switch);
        let switch = switch.as_ref().map(ask);
        switch.ok_or_else(|| WorldError::Failed("the world is closed".into()))
    }

    pub(super) fn known(&self, node: &str) -> Result<(), WorldError> {
        if self.config.hosts.contains_key(node) {
            Ok(())
        } else {
            Err(WorldError::NoNode(node.to_string()))
        }
    }

    /// Refuses what cannot be done to a container of somebody else's.
    fn own(&self, node: &str) -> Result<(), WorldError> {
        match self.ground.is_foreign(node) {
            false => Ok(()),
            true => Err(WorldError::Failed(format!(
                "node `{node}` is a container of others: it can lose its power, hang, or be cut off"
            ))),
        }
    }

    pub(super) fn find(&self, node: &str) -> Option<Arc<Live>> {
        lock(&self.nodes).get(node).map(Arc::clone)
    }

    pub(super) fn live(&self, node: &str) -> Result<Arc<Live>, WorldError> {
        self.known(node)?;
        self.find(node)
            .ok_or_else(|| WorldError::Failed(format!("node `{node}` is down")))
    }

    async fn order(&self, node: &str, ask: Ask) -> Result<(), WorldError> {
        self.live(node)?.ask(ask, ASK_LIMIT).await.map(drop)
    }

    /// Darkens, kills and waits. Nodes that are down already are so at once.
    async fn cut_nodes(&self, names: &[String]) -> Result<Vec<CutReceipt>, WorldError> {
        let mut dying = Vec::new();
        let dark = {
            let mut nodes = lock(&self.nodes);
            let dark = self.with_switch(|switch| switch.darken(names))?;
            for name in names {
                if let Some(live) = nodes.shift_remove(name) {
                    dying.push((name.clone(), live));
                }
            }
            dark
        };
        // All are killed before the first is waited for.
        let killed: Vec<_> = dying.iter().map(|(_, live)| live.kill()).collect();
        let cut = self.ground.cut(names).await;
        for (name, _) in &dying {
            self.volumes.power_off(name).await;
        }
        // Side by side, so that each has the time of its own end.
        let ends = dying
            .iter()
            .zip(killed)
            .map(|((name, live), killed)| async move {
                killed.map_err(system(format!("kill node `{name}`")))?;
                let dead = live.dead(DEATH_LIMIT).await;
                dead.map_err(system(format!("see node `{name}` dead")))?;
                Ok((name.clone(), self.config.clock.now_us()))
            });
        let dead_us: IndexMap<_, _> = try_join_all(ends).await?.into_iter().collect();
        let (mut lost, mut failed) = (IndexMap::new(), None);
        for (name, _) in &dying {
            // One that does not let go keeps no other from its cut.
            match self.volumes.cut(name).await {
                Ok(loss) => drop(lost.insert(name.clone(), loss)),
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        cut?;
        let receipt = |name: &String| {
            let now_us = self.config.clock.now_us();
            let (dark_us, at_cut) = dark
                .iter()
                .find(|(dark, _, _)| dark == name)
                .map_or((now_us, PortCounters::default()), |(_, t, c)| (*t, *c));
            CutReceipt {
                lost: lost.get(name).cloned().unwrap_or_default(),
                node: name.clone(),
                dark_us,
                dead_us: dead_us.get(name).copied().unwrap_or(now_us),
                at_cut,
            }
        };
        Ok(names.iter().map(receipt).collect())
    }
}

#[async_trait]
impl World for EmbeddedWorld {
    fn name(&self) -> &'static str {
        self.ground.name()
    }

    fn clock(&self) -> Clock {
        self.config.clock
    }

    async fn boot(&self, node: &NodeSpec, boot: u32) -> Result<(), WorldError> {
        let mut services = node.services.iter();
        services.try_for_each(|service| self.ground.takes(service))?;
        self.boot_node(node, boot).await
    }

    async fn cut(&self, nodes: &[String]) -> Result<Vec<CutReceipt>, WorldError> {
        for node in nodes {
            self.known(node)?;
        }
        self.cut_nodes(nodes).await
    }

    async fn hang(&self, node: &str) -> Result<(), WorldError> {
        match self.ground.hang(node, true).await {
            Some(hung) => hung,
            None => self.order(node, Ask::Hang).await,
        }
    }

    async fn resume(&self, node: &str) -> Result<(), WorldError> {
        self.known(node)?;
        if let Some(resumed) = self.ground.hang(node, false).await {
            return resumed;
        }
        match self.find(node) {
            Some(live) => live.ask(Ask::Resume, ASK_LIMIT).await.map(drop),
            // Its hang has ended with its power.
            None => Ok(()),
        }
    }

    async fn kill(&self, node: &str) -> Result<(), WorldError> {
        self.own(node)?;
        self.order(node, Ask::Kill).await
    }

    async fn restart(&self, node: &NodeSpec, boot: u32) -> Result<(), WorldError> {
        self.own(&node.name)?;
        self.restart_services(node, boot).await
    }

    async fn jump_clock(&self, node: &NodeSpec, boot: u32, ahead: Span) -> Result<(), WorldError> {
        self.own(&node.name)?;
        self.restart_ahead(node, boot, ahead).await
    }

    async fn check(
        &self,
        node: &str,
        service: &str,
        argv: &[String],
        limit: Span,
    ) -> Result<bool, WorldError> {
        let limit = limit.duration();
        match tokio::time::timeout(limit, self.ground.check(node, service, argv)).await {
            Ok(Some(answer)) => answer,
            Ok(None) => self.run_beside(node, service, argv, limit).await,
            Err(_) => Ok(false),
        }
    }

    async fn deprive(&self, node: &str, shortage: &Shortage) -> Result<(), WorldError> {
        self.own(node)?;
        self.make_short(node, shortage).await
    }

    async fn supply(&self, node: &str, shortage: &Shortage) -> Result<(), WorldError> {
        self.end_short(node, shortage).await
    }

    async fn inquire(&self, node: &str, inquiry: Inquiry) -> Result<Supply, WorldError> {
        match self
            .live(node)?
            .ask(Ask::Inquire(inquiry), ASK_LIMIT)
            .await?
        {
            Answer::Supply(supply) => Ok(supply),
            answer => Err(WorldError::Failed(format!("odd answer: {answer:?}"))),
        }
    }

    async fn sockets(&self, node: &str) -> Result<Vec<Socket>, WorldError> {
        match self.live(node)?.ask(Ask::Sockets, ASK_LIMIT).await? {
            Answer::Sockets(sockets) => Ok(sockets),
            answer => Err(WorldError::Failed(format!("odd answer: {answer:?}"))),
        }
    }

    fn install(&self, rule: LinkRule) -> Result<RuleId, WorldError> {
        for node in rule.a.iter().chain(&rule.b) {
            self.known(node)?;
        }
        let installed = self.with_switch(|switch| switch.install(rule))?;
        installed.map_err(WorldError::Failed)
    }

    fn remove(&self, rule: RuleId) {
        // Without a switch, no rule is left to take off.
        let _ = self.with_switch(|switch| switch.remove(rule));
    }

    fn say(&self, node: &str, service: &str, word: ToService) {
        if let Some(live) = self.find(node) {
            live.say(service, word);
        }
    }

    fn rule_counters(&self, rule: RuleId) -> Option<RuleCounters> {
        let counters = self.with_switch(|switch| switch.rule_counters(rule));
        counters.ok().flatten()
    }

    async fn probe(&self, spec: &ProbeSpec) -> Result<ProbeReport, WorldError> {
        self.probe_pair(spec).await
    }

    async fn connect(&self, spec: &ConnectionSpec) -> Result<u64, WorldError> {
        self.connect_pair(spec).await
    }

    async fn connection(&self, number: u64) -> Result<ConnectionReport, WorldError> {
        self.look_at(number).await
    }

    async fn disconnect(&self, number: u64) {
        self.let_go(number).await;
    }

    async fn mislead(&self, rule: NameRule) -> Result<u64, WorldError> {
        self.mislead_nodes(rule).await
    }

    async fn lead(&self, number: u64) {
        self.lead_nodes(number).await;
    }

    async fn lookup(&self, node: &str, name: &str) -> Result<Lookup, WorldError> {
        self.look_up(node, name).await
    }

    async fn disk_fault(
        &self,
        node: &str,
        service: &str,
        fault: DiskFault,
    ) -> Result<DiskFaultId, WorldError> {
        self.known(node)?;
        self.volumes.find(node, service).await?.fail(fault).await
    }

    async fn disk_heal(
        &self,
        node: &str,
        service: &str,
        fault: DiskFaultId,
    ) -> Result<(), WorldError> {
        self.known(node)?;
        self.volumes.find(node, service).await?.mend(fault).await
    }

    async fn probe_disk(
        &self,
        node: &str,
        service: &str,
        probe: &DiskProbe,
    ) -> Result<DiskReport, WorldError> {
        let live = self.live(node)?;
        let held = self.volumes.find(node, service).await?;
        let ask = Ask::Disk {
            folder: held.folder().to_path_buf(),
            probe: *probe,
            keep: held.tells(),
        };
        // A round makes eight calls.
        let length = probe.patience.duration() * probe.rounds * 8;
        let answer = live.ask(ask, length + ASK_LIMIT).await;
        let image = held.image();
        let Answer::Disk(mut report) = answer? else {
            return Err(WorldError::Failed("odd answer to a disk probe".into()));
        };
        if let Some(image) = image {
            report.sectors = image.of;
            report.synced = image.synced;
            report.unsynced = image.unsynced;
        }
        Ok(report)
    }

    async fn state(&self, node: &str) -> Result<NodeState, WorldError> {
        self.known(node)?;
        let Some(live) = self.find(node) else {
            return Ok(NodeState::Down);
        };
        if let Some(state) = self.ground.state(node).await {
            return state;
        }
        match live.ask(Ask::State, ASK_LIMIT).await {
            Ok(Answer::State(state)) => Ok(state),
            Ok(answer) => Err(WorldError::Failed(format!("odd answer: {answer:?}"))),
            // An init that somebody else has killed took the node with it.
            Err(error) => match live.dead(Duration::ZERO).await {
                Ok(()) => Ok(NodeState::Down),
                Err(_) => Err(error),
            },
        }
    }

    fn counters(&self, node: &str) -> Result<PortCounters, WorldError> {
        self.known(node)?;
        let counters = self.with_switch(|switch| switch.counters(node))?;
        counters.ok_or_else(|| WorldError::NoNode(node.to_string()))
    }

    fn events(&self) -> Option<mpsc::UnboundedReceiver<WorldEvent>> {
        lock(&self.reports).take()
    }

    async fn close(&self) -> Result<(), WorldError> {
        if lock(&self.switch).is_none() {
            return Ok(());
        }
        let released = self.ground.release().await;
        let names: Vec<String> = {
            let nodes = lock(&self.nodes);
            let own = nodes.keys().filter(|name| !self.ground.is_foreign(name));
            own.cloned().collect()
        };
        let cut = self.cut_nodes(&names).await;
        let ended = self.ground.end(DEATH_LIMIT).await;
        // Its end closes every device, and completes the capture.
        drop(lock(&self.switch).take());
        released?;
        cut?;
        ended?;
        // Left in place if it cannot be removed: only files.
        let _ = std::fs::remove_dir_all(&self.folder);
        Ok(())
    }
}
