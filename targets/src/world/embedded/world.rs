//! The embedded world.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::disk::{DiskFault, DiskFaultId, DiskProbe, DiskReport};
use crate::fabric::Switch;
use crate::service::ToService;
use crate::world::{
    CutReceipt, LinkRule, NodeSpec, NodeState, PortCounters, ProbeReport, ProbeSpec, RuleId, World,
    WorldError, WorldEvent,
};

use super::config::EmbeddedConfig;
use super::live::{Live, lock};
use super::message::{Answer, Ask};
use super::open::system;
use super::volume::Volumes;
use super::warden::Warden;

/// How long a node's init may take to answer.
const ASK_LIMIT: Duration = Duration::from_secs(5);

/// How long the kernel may take to end a node's processes.
const DEATH_LIMIT: Duration = Duration::from_secs(10);

/// The longest probe, in packets.
const PROBE_MAX: u32 = 100_000;

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
    pub(super) warden: Warden,
    /// Serialises orders to the site's init; holds the last order's number.
    pub(super) site: tokio::sync::Mutex<u64>,
    /// Gone once the world is closed.
    pub(super) switch: std::sync::Mutex<Option<Switch>>,
    pub(super) nodes: std::sync::Mutex<IndexMap<String, Arc<Live>>>,
    pub(super) volumes: Volumes,
    pub(super) events: mpsc::UnboundedSender<WorldEvent>,
    pub(super) reports: std::sync::Mutex<Option<mpsc::UnboundedReceiver<WorldEvent>>>,
    pub(super) probes: AtomicU64,
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
    pub(super) fn with_switch<T>(&self, ask: impl FnOnce(&Switch) -> T) -> Result<T, WorldError> {
        let switch = lock(&self.switch);
        let switch = switch.as_ref().map(ask);
        switch.ok_or_else(|| WorldError::Failed("the world is closed".into()))
    }

    fn known(&self, node: &str) -> Result<(), WorldError> {
        if self.config.hosts.contains_key(node) {
            Ok(())
        } else {
            Err(WorldError::NoNode(node.to_string()))
        }
    }

    fn find(&self, node: &str) -> Option<Arc<Live>> {
        lock(&self.nodes).get(node).map(Arc::clone)
    }

    fn live(&self, node: &str) -> Result<Arc<Live>, WorldError> {
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
        for (name, _) in &dying {
            self.volumes.power_off(name).await;
        }
        let mut dead_us = IndexMap::new();
        for ((name, live), killed) in dying.iter().zip(killed) {
            killed.map_err(system(format!("kill node `{name}`")))?;
            live.dead(DEATH_LIMIT)
                .await
                .map_err(system(format!("see node `{name}` dead")))?;
            dead_us.insert(name.clone(), self.config.clock.now_us());
        }
        let mut lost = IndexMap::new();
        for (name, _) in &dying {
            lost.insert(name.clone(), self.volumes.cut(name).await?);
        }
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
        "embedded"
    }

    fn clock(&self) -> Clock {
        self.config.clock
    }

    async fn boot(&self, node: &NodeSpec, boot: u32) -> Result<(), WorldError> {
        self.boot_node(node, boot).await
    }

    async fn cut(&self, nodes: &[String]) -> Result<Vec<CutReceipt>, WorldError> {
        for node in nodes {
            self.known(node)?;
        }
        self.cut_nodes(nodes).await
    }

    async fn hang(&self, node: &str) -> Result<(), WorldError> {
        self.order(node, Ask::Hang).await
    }

    async fn resume(&self, node: &str) -> Result<(), WorldError> {
        self.order(node, Ask::Resume).await
    }

    async fn kill(&self, node: &str) -> Result<(), WorldError> {
        self.order(node, Ask::Kill).await
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

    async fn probe(&self, spec: &ProbeSpec) -> Result<ProbeReport, WorldError> {
        self.known(&spec.to)?;
        let from = self.live(&spec.from)?;
        if spec.count > PROBE_MAX {
            let text = format!("a probe of {} packets is more than {PROBE_MAX}", spec.count);
            return Err(WorldError::Failed(text));
        }
        let to = self.config.hosts.get(&spec.to).copied();
        let to = to.ok_or_else(|| WorldError::NoNode(spec.to.clone()))?;
        let token = self.probes.fetch_add(1, Ordering::Relaxed);
        let ask = Ask::Probe {
            token,
            to,
            count: spec.count,
            interval_us: spec.interval.micros(),
            wait_us: spec.wait.micros(),
        };
        let length = spec.interval.duration() * spec.count + spec.wait.duration();
        let answer = from.ask(ask, length + ASK_LIMIT).await?;
        let Answer::Probed { sent, rtt_us } = answer else {
            return Err(WorldError::Failed(format!(
                "odd answer to a probe: {answer:?}"
            )));
        };
        let arrived = match self.find(&spec.to) {
            Some(to) => match to.ask(Ask::Arrived(token), ASK_LIMIT).await {
                Ok(Answer::Arrived(count)) => Some(count),
                _ => None,
            },
            None => None,
        };
        Ok(ProbeReport {
            sent,
            arrived,
            answered: rtt_us.len() as u32,
            rtt_us,
        })
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
        let names: Vec<String> = lock(&self.nodes).keys().cloned().collect();
        let cut = self.cut_nodes(&names).await;
        let ended = self.warden.end(DEATH_LIMIT).await;
        // Its end closes every device, and completes the capture.
        drop(lock(&self.switch).take());
        cut?;
        ended.map_err(system("see the end of the site"))?;
        // Left in place if it cannot be removed: only files.
        let _ = std::fs::remove_dir_all(&self.folder);
        Ok(())
    }
}
