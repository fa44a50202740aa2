//! A ground of numbers: what is done to it changes what its meters, probes and
//! process tables show, unless it is told to ignore it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use ridethrough_faults::{Asked, BatteryTruth, Ground, Power, StepRate, Telemetry};
use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::disk::{DiskFault, DiskFaultId, DiskProbe, DiskReport};
use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::service::ToService;
use ridethrough_targets::telemetry::{Distorted, Protocol, Reading, UpsReading};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{
    CutReceipt, Direction, Impairment, LinkRule, NodeSpec, NodeState, PortCounters, ProbeReport,
    ProbeSpec, RuleId, World, WorldError, WorldEvent,
};

use crate::{power, storage, telemetry};

const RTT_US: u64 = 150;

#[derive(Default)]
struct State {
    hung: BTreeSet<String>,
    rules: BTreeMap<RuleId, LinkRule>,
}

impl State {
    /// What rules do to frames one way.
    fn on_the_way(&self, from: &str, to: &str) -> Vec<&Impairment> {
        let side = |side: &[String], node: &str| side.iter().any(|n| n == node);
        let hits = |rule: &&LinkRule| {
            let other = |node: &str| rule.b.is_empty() || side(&rule.b, node);
            let there = side(&rule.a, from) && other(to);
            let back = side(&rule.a, to) && other(from);
            there || back && rule.direction == Direction::Both
        };
        let rules = self.rules.values().filter(hits);
        rules.map(|rule| &rule.impairment).collect()
    }
}

/// The ground of a test.
pub(crate) struct Numbers {
    clock: Clock,
    obeys: AtomicBool,
    state: Mutex<State>,
    power: Mutex<power::Ground>,
    telemetry: telemetry::Agents,
    disks: storage::Disks,
}

impl Numbers {
    pub(crate) fn new() -> Arc<Self> {
        let clock = Clock::start();
        Arc::new(Self {
            clock,
            obeys: AtomicBool::new(true),
            state: Mutex::default(),
            power: Mutex::new(power::Ground::new(clock.now_us())),
            telemetry: telemetry::Agents::new(clock),
            disks: storage::Disks::new(clock),
        })
    }

    pub(crate) fn ground(self: &Arc<Self>) -> Ground {
        Ground {
            power: Arc::<Self>::clone(self),
            world: Arc::<Self>::clone(self),
            telemetry: Arc::<Self>::clone(self),
        }
    }

    /// From here on, whatever is asked of it is accepted and not done.
    pub(crate) fn disarm(&self) {
        self.obeys.store(false, Ordering::Relaxed);
    }

    /// So long from now, something happens by itself.
    pub(crate) fn will(&self, after: Duration, action: PlantAction) {
        let at = self.clock.now_us() + after.as_micros() as Micros;
        self.power().will(at, action);
    }

    /// The plant, at the present time.
    fn power(&self) -> MutexGuard<'_, power::Ground> {
        let mut power = self.power.lock().unwrap_or_else(PoisonError::into_inner);
        power.pass(self.clock.now_us());
        power
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        if self.obeys.load(Ordering::Relaxed) {
            change(&mut self.state());
        }
    }

    /// The fraction of frames that pass one way, and the delay they meet.
    fn way(&self, from: &str, to: &str) -> (f64, u64) {
        let state = self.state();
        let mut way = (1.0, 0);
        for impairment in state.on_the_way(from, to) {
            match impairment {
                Impairment::Drop => way.0 = 0.0,
                Impairment::Loss { probability } => way.0 *= 1.0 - probability.get(),
                Impairment::Delay { delay, .. } => way.1 += delay.micros(),
                Impairment::Rate { .. } => {}
            }
        }
        way
    }
}

#[async_trait]
impl Power for Numbers {
    async fn act(&self, action: PlantAction) -> Micros {
        if self.obeys.load(Ordering::Relaxed) {
            self.power().act(action);
        }
        self.clock.now_us()
    }

    fn voltage_pu(&self, component: &str) -> Option<f64> {
        self.power().plant.voltage_pu(component)
    }

    fn lowest_pu(&self, component: &str, since: Micros) -> Option<(Micros, f64)> {
        let log = self.power().voltages(component, since).into_iter();
        log.reduce(|low, next| if next.1 < low.1 { next } else { low })
    }

    fn voltages(&self, component: &str, since: Micros) -> Vec<(Micros, f64)> {
        self.power().voltages(component, since)
    }

    fn reading(&self, device: &str) -> Option<Reading> {
        self.power().plant.reading(device)
    }

    fn defects(&self, device: &str) -> Option<Vec<String>> {
        self.power().plant.defects(device)
    }

    fn powered(&self, node: &str) -> Option<bool> {
        self.power().plant.node_powered(node)
    }

    fn ups_reading(&self, ups: &str) -> Option<UpsReading> {
        self.power().ups_reading(ups)
    }

    fn battery(&self, ups: &str) -> Option<BatteryTruth> {
        self.power().battery(ups)
    }

    fn step_rate(&self, node: &str) -> Option<StepRate> {
        self.power().step_rate(node)
    }
}

#[async_trait]
impl Telemetry for Numbers {
    fn distort(&self, distorted: &Distorted) -> u64 {
        if self.obeys.load(Ordering::Relaxed) {
            self.telemetry.board.distort(1, distorted.clone());
        }
        1
    }

    fn restore(&self, number: u64) {
        if self.obeys.load(Ordering::Relaxed) {
            self.telemetry.board.restore(number);
        }
    }

    fn told(&self, device: &str) -> Option<Reading> {
        let reading = self.power().plant.reading(device)?;
        Some(self.telemetry.told(device, reading))
    }

    async fn ask(&self, device: &str, via: Protocol, wait: Span) -> Asked {
        let reading = self.told(device);
        self.telemetry.ask(device, reading, via, wait).await
    }
}

#[async_trait]
impl World for Numbers {
    fn name(&self) -> &'static str {
        "numbers"
    }

    fn clock(&self) -> Clock {
        self.clock
    }

    async fn boot(&self, _: &NodeSpec, _: u32) -> Result<(), WorldError> {
        Ok(())
    }

    async fn cut(&self, _: &[String]) -> Result<Vec<CutReceipt>, WorldError> {
        Ok(Vec::new())
    }

    async fn hang(&self, node: &str) -> Result<(), WorldError> {
        self.change(|state| {
            state.hung.insert(node.into());
        });
        Ok(())
    }

    async fn resume(&self, node: &str) -> Result<(), WorldError> {
        self.change(|state| {
            state.hung.remove(node);
        });
        Ok(())
    }

    async fn kill(&self, _: &str) -> Result<(), WorldError> {
        Ok(())
    }

    fn install(&self, rule: LinkRule) -> Result<RuleId, WorldError> {
        let mut id = RuleId(0);
        self.change(|state| {
            id = RuleId(state.rules.len() as u64 + 1);
            state.rules.insert(id, rule);
        });
        Ok(id)
    }

    fn remove(&self, rule: RuleId) {
        self.change(|state| {
            state.rules.remove(&rule);
        });
    }

    fn say(&self, _: &str, _: &str, _: ToService) {}

    async fn probe(&self, spec: &ProbeSpec) -> Result<ProbeReport, WorldError> {
        let (there, delay_there) = self.way(&spec.from, &spec.to);
        let (back, delay_back) = self.way(&spec.to, &spec.from);
        let of = |share: f64| (f64::from(spec.count) * share).round() as u32;
        let answered = of(there * back);
        Ok(ProbeReport {
            sent: spec.count,
            arrived: Some(of(there)),
            answered,
            rtt_us: vec![RTT_US + delay_there + delay_back; answered as usize],
        })
    }

    async fn disk_fault(
        &self,
        node: &str,
        _: &str,
        fault: DiskFault,
    ) -> Result<DiskFaultId, WorldError> {
        Ok(match self.obeys.load(Ordering::Relaxed) {
            true => self.disks.fail(node, fault),
            false => DiskFaultId(0),
        })
    }

    async fn disk_heal(&self, node: &str, _: &str, id: DiskFaultId) -> Result<(), WorldError> {
        if self.obeys.load(Ordering::Relaxed) {
            self.disks.mend(node, id);
        }
        Ok(())
    }

    async fn probe_disk(
        &self,
        node: &str,
        _: &str,
        probe: &DiskProbe,
    ) -> Result<DiskReport, WorldError> {
        Ok(self.disks.probe(node, probe).await)
    }

    async fn state(&self, node: &str) -> Result<NodeState, WorldError> {
        Ok(if self.powered(node) == Some(false) {
            NodeState::Down
        } else if self.state().hung.contains(node) {
            NodeState::Stopped
        } else {
            NodeState::Running
        })
    }

    fn counters(&self, _: &str) -> Result<PortCounters, WorldError> {
        Ok(PortCounters::default())
    }

    fn events(&self) -> Option<mpsc::UnboundedReceiver<WorldEvent>> {
        None
    }

    async fn close(&self) -> Result<(), WorldError> {
        Ok(())
    }
}
