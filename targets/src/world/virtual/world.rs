//! The virtual world.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use indexmap::IndexMap;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::boot::Live;
use super::bound::Bound;
use super::config::VirtualConfig;
use super::connection::Watched;
use super::drives::Drives;
use super::logs::{Logs, subscriber};
use super::wire::{NodeNet, ProbeWay, Wire};
use crate::clock::Clock;
use crate::disk::{DiskFault, DiskFaultId, DiskProbe, DiskReport};
use crate::service::{Home, ToService};
use crate::units::Span;
use crate::world::{
    ConnectionReport, ConnectionSpec, CutReceipt, Inquiry, LinkRule, Lookup, LookupError, NameRule,
    NodeSpec, NodeState, PROBE_PAYLOAD_MIN, PROBE_PORT, PortCounters, ProbeReport, ProbeSpec,
    RuleCounters, RuleId, Shortage, Socket, Supply, World, WorldError, WorldEvent,
};

/// Nodes as tasks of this thread; see the [module](super).
pub struct VirtualWorld {
    pub(super) config: VirtualConfig,
    pub(super) wire: Wire,
    pub(super) bound: Arc<Bound>,
    pub(super) logs: Logs,
    pub(super) events: mpsc::UnboundedSender<WorldEvent>,
    nodes: Mutex<IndexMap<String, Live>>,
    pub(super) drives: Drives,
    reports: Mutex<Option<mpsc::UnboundedReceiver<WorldEvent>>>,
    /// Counts probes and connections.
    probes: AtomicU64,
    itself: Weak<Self>,
    watched: Mutex<IndexMap<u64, Watched>>,
    /// The tasks of the world itself.
    drivers: Mutex<Vec<AbortHandle>>,
}

impl VirtualWorld {
    /// Opens a world. Must be called on a runtime of one thread whose time is
    /// paused.
    pub fn open(config: VirtualConfig) -> Arc<Self> {
        let origin = config.clock.instant(0);
        let wire = Wire::new(origin, config.seed, &config.hosts, &config.neighbours);
        let (events, reports) = mpsc::unbounded_channel();
        let world = Arc::new_cyclic(|itself| Self {
            itself: Weak::clone(itself),
            bound: Arc::new(Bound::new(config.bounds)),
            logs: Logs::new(config.run_dir.join("logs")),
            wire: wire.clone(),
            events,
            nodes: Mutex::default(),
            drives: Drives::default(),
            reports: Mutex::new(Some(reports)),
            probes: AtomicU64::new(0),
            watched: Mutex::default(),
            drivers: Mutex::default(),
            config,
        });
        let watching = Arc::clone(&world);
        let watch = tokio::spawn(async move { watching.watch().await });
        lock(&world.drivers).extend([wire.start(), watch.abort_handle()]);
        world
    }

    /// Takes what services log to the logs of their nodes. Make it the default
    /// subscriber of the world's thread.
    pub fn log_subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        subscriber(self.logs.clone(), self.config.clock)
    }

    /// Ends every service of a run that would never end.
    async fn watch(&self) {
        let reason = self.bound.passed().await;
        for live in self.nodes().values() {
            live.homes.values().for_each(Home::kill);
        }
        let _ = self.events.send(WorldEvent::Halted { reason });
    }

    pub(super) fn nodes(&self) -> MutexGuard<'_, IndexMap<String, Live>> {
        lock(&self.nodes)
    }

    /// For tasks that must not keep it.
    pub(super) fn itself(&self) -> Weak<Self> {
        Weak::clone(&self.itself)
    }

    pub(super) fn place(&self, node: &str) -> Result<usize, WorldError> {
        self.wire
            .place(node)
            .ok_or_else(|| WorldError::NoNode(node.to_string()))
    }

    pub(super) fn with_live<T>(
        &self,
        node: &str,
        act: impl FnOnce(&mut Live) -> T,
    ) -> Result<T, WorldError> {
        self.place(node)?;
        let mut nodes = self.nodes();
        let live = nodes.get_mut(node).map(act);
        live.ok_or_else(|| WorldError::Failed(format!("node `{node}` is down")))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl World for VirtualWorld {
    fn name(&self) -> &'static str {
        "virtual"
    }

    fn clock(&self) -> Clock {
        self.config.clock
    }

    async fn boot(&self, node: &NodeSpec, boot: u32) -> Result<(), WorldError> {
        self.boot_node(node, boot)
    }

    async fn cut(&self, nodes: &[String]) -> Result<Vec<CutReceipt>, WorldError> {
        let places = nodes.iter().map(|node| self.place(node));
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let dark_us = self.config.clock.now_us();
        let counters = self.wire.cut(&places);
        let dead: Vec<Live> = {
            let mut live = self.nodes();
            let dead = nodes.iter().filter_map(|node| live.shift_remove(node));
            dead.collect()
        };
        let homes = || dead.iter().flat_map(|live| live.homes.values());
        homes().for_each(Home::kill);
        for home in homes() {
            home.emptied().await;
        }
        let receipt = |(node, at_cut): (&String, PortCounters)| CutReceipt {
            node: node.clone(),
            dark_us,
            dead_us: self.config.clock.now_us(),
            at_cut,
            lost: self.drives.cut(node),
        };
        Ok(nodes.iter().zip(counters).map(receipt).collect())
    }

    async fn hang(&self, node: &str) -> Result<(), WorldError> {
        self.with_live(node, |live| {
            live.hung = true;
            live.settle();
        })
    }

    async fn resume(&self, node: &str) -> Result<(), WorldError> {
        self.place(node)?;
        // The hang of a node that is down has ended with its power.
        if let Some(live) = self.nodes().get_mut(node) {
            live.hung = false;
            live.settle();
        }
        Ok(())
    }

    async fn kill(&self, node: &str) -> Result<(), WorldError> {
        let homes = self.with_live(node, |live| {
            live.wires.clear();
            live.files.clear();
            live.hung = false;
            std::mem::take(&mut live.homes)
        })?;
        homes.values().for_each(Home::kill);
        for (service, home) in &homes {
            home.emptied().await;
            let _ = self.events.send(WorldEvent::Exited {
                node: node.to_string(),
                service: service.clone(),
                how: "signal 9".into(),
                tail: String::new(),
            });
        }
        Ok(())
    }

    async fn restart(&self, node: &NodeSpec, boot: u32) -> Result<(), WorldError> {
        self.restart_services(node, boot)
    }

    async fn jump_clock(&self, _: &NodeSpec, _: u32, _: Span) -> Result<(), WorldError> {
        Err(WorldError::Missing {
            what: "services of a virtual world have no clock of their own to jump".into(),
            remedy: "use `--world embedded`".into(),
        })
    }

    async fn deprive(&self, node: &str, shortage: &Shortage) -> Result<(), WorldError> {
        self.make_short(node, shortage)
    }

    async fn supply(&self, node: &str, shortage: &Shortage) -> Result<(), WorldError> {
        self.end_short(node, shortage)
    }

    async fn inquire(&self, node: &str, inquiry: Inquiry) -> Result<Supply, WorldError> {
        self.answer(node, inquiry)
    }

    async fn sockets(&self, node: &str) -> Result<Vec<Socket>, WorldError> {
        Ok(self.wire.sockets(self.place(node)?))
    }

    fn install(&self, rule: LinkRule) -> Result<RuleId, WorldError> {
        for node in rule.a.iter().chain(&rule.b) {
            self.place(node)?;
        }
        self.wire.install(&rule).map_err(WorldError::Failed)
    }

    fn remove(&self, rule: RuleId) {
        self.wire.remove(rule);
    }

    fn rule_counters(&self, rule: RuleId) -> Option<RuleCounters> {
        self.wire.rule_counters(rule)
    }

    fn say(&self, node: &str, service: &str, word: ToService) {
        if let Some(wire) = self.nodes().get(node).and_then(|l| l.wires.get(service)) {
            let _ = wire.send(word);
        }
    }

    async fn probe(&self, spec: &ProbeSpec) -> Result<ProbeReport, WorldError> {
        let (from, to) = (self.place(&spec.from)?, self.place(&spec.to)?);
        self.with_live(&spec.from, |_| ())?;
        let token = self.probes.fetch_add(1, Ordering::Relaxed);
        let way = ProbeWay {
            from,
            to,
            port: spec.port.unwrap_or(PROBE_PORT),
            payload: spec.payload.max(PROBE_PAYLOAD_MIN),
        };
        let bad_before = self.wire.bad_checksums(to);
        for sent in 0..spec.count {
            if sent > 0 && !spec.interval.is_zero() {
                tokio::time::sleep(spec.interval.duration()).await;
            }
            self.wire.send_probe(token, way);
        }
        tokio::time::sleep(spec.wait.duration()).await;
        let mut report = self.wire.end_probe(token);
        if self.nodes().contains_key(&spec.to) {
            report.bad_checksums = Some(self.wire.bad_checksums(to) - bad_before);
        } else {
            (report.arrived, report.there) = (None, None);
        }
        Ok(report)
    }

    async fn connect(&self, spec: &ConnectionSpec) -> Result<u64, WorldError> {
        let watched = self.connect_nodes(spec).await?;
        let number = self.probes.fetch_add(1, Ordering::Relaxed);
        lock(&self.watched).insert(number, watched);
        Ok(number)
    }

    async fn connection(&self, number: u64) -> Result<ConnectionReport, WorldError> {
        let watched = lock(&self.watched);
        let report = watched.get(&number).map(|watched| self.report(watched));
        report.ok_or_else(|| WorldError::Failed(format!("no connection {number}")))
    }

    async fn disconnect(&self, number: u64) {
        drop(lock(&self.watched).shift_remove(&number));
    }

    async fn mislead(&self, rule: NameRule) -> Result<u64, WorldError> {
        for node in &rule.nodes {
            self.place(node)?;
        }
        Ok(self.wire.names(|names| names.install(rule)))
    }

    async fn lead(&self, number: u64) {
        self.wire.names(|names| names.remove(number));
    }

    async fn lookup(&self, node: &str, name: &str) -> Result<Lookup, WorldError> {
        let place = self.place(node)?;
        self.with_live(node, |_| ())?;
        let net = NodeNet::new(self.wire.clone(), place, self.wire.boot_of(place));
        let clock = self.config.clock;
        let begun_us = clock.now_us();
        let found = net.look_up(name).await;
        let found = found.map(|to| self.config.hosts.values().nth(to).copied());
        let found = match found {
            Ok(ip) => ip.ok_or(LookupError::NoSuchName),
            Err(error) => Err(error),
        };
        let took = Span::from_micros(clock.now_us() - begun_us);
        Ok(Lookup { found, took })
    }

    async fn disk_fault(
        &self,
        node: &str,
        service: &str,
        fault: DiskFault,
    ) -> Result<DiskFaultId, WorldError> {
        self.place(node)?;
        Ok(self.drives.find(node, service)?.fail(fault))
    }

    async fn disk_heal(
        &self,
        node: &str,
        service: &str,
        fault: DiskFaultId,
    ) -> Result<(), WorldError> {
        self.place(node)?;
        self.drives.find(node, service)?.mend(fault);
        Ok(())
    }

    async fn probe_disk(
        &self,
        node: &str,
        service: &str,
        probe: &DiskProbe,
    ) -> Result<DiskReport, WorldError> {
        self.with_live(node, |_| ())?;
        let clock = self.config.clock;
        Ok(self.drives.probe(node, service, probe, clock).await?)
    }

    async fn state(&self, node: &str) -> Result<NodeState, WorldError> {
        self.place(node)?;
        let nodes = self.nodes();
        let Some(live) = nodes.get(node) else {
            return Ok(NodeState::Down);
        };
        let running = live.homes.values().any(|home| !home.is_empty());
        Ok(match (running, live.hung || live.stolen) {
            (false, _) => NodeState::Empty,
            (true, true) => NodeState::Stopped,
            (true, false) => NodeState::Running,
        })
    }

    fn counters(&self, node: &str) -> Result<PortCounters, WorldError> {
        Ok(self.wire.counters(self.place(node)?))
    }

    fn events(&self) -> Option<mpsc::UnboundedReceiver<WorldEvent>> {
        lock(&self.reports).take()
    }

    async fn close(&self) -> Result<(), WorldError> {
        let names: Vec<String> = self.nodes().keys().cloned().collect();
        self.cut(&names).await?;
        lock(&self.watched).clear();
        lock(&self.drivers).drain(..).for_each(|task| task.abort());
        Ok(())
    }
}
