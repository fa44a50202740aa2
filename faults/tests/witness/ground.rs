//! A ground of numbers: what is done to it changes what its meters, probes and
//! process tables show, unless it is told to ignore it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::mpsc;

use ridethrough_faults::{BatteryTruth, Ground, Power, StepRate};
use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::plant::{PlantAction, PowerTarget};
use ridethrough_targets::service::ToService;
use ridethrough_targets::telemetry::UpsReading;
use ridethrough_targets::world::{
    CutReceipt, Direction, Impairment, LinkRule, NodeSpec, NodeState, PortCounters, ProbeReport,
    ProbeSpec, RuleId, World, WorldError, WorldEvent,
};

/// Seconds that a new battery carries the UPS.
const CAPACITY_S: f64 = 600.0;
const STEP_MS: f64 = 20.0;
const RTT_US: u64 = 150;

#[derive(Default)]
struct State {
    supply: BTreeMap<String, f64>,
    dark_pdus: BTreeSet<String>,
    dead_nodes: BTreeSet<String>,
    open: bool,
    health: Option<f64>,
    brakes: BTreeMap<String, f64>,
    hung: BTreeSet<String>,
    rules: BTreeMap<RuleId, LinkRule>,
    /// Voltages as the meters logged them.
    log: Vec<(Micros, String, f64)>,
}

impl State {
    fn voltage(&self, component: &str) -> f64 {
        if self.dark_pdus.contains(component) {
            return 0.0;
        }
        self.supply.get(component).copied().unwrap_or(1.0)
    }

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
}

impl Numbers {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            clock: Clock::start(),
            obeys: AtomicBool::new(true),
            state: Mutex::default(),
        })
    }

    pub(crate) fn ground(self: &Arc<Self>) -> Ground {
        Ground {
            power: Arc::<Self>::clone(self),
            world: Arc::<Self>::clone(self),
        }
    }

    /// From here on, whatever is asked of it is accepted and not done.
    pub(crate) fn disarm(&self) {
        self.obeys.store(false, Ordering::Relaxed);
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

fn cut(state: &mut State, target: &PowerTarget, dead: bool) {
    let (pdus, nodes): (&[&str], &[&str]) = match target {
        PowerTarget::Feed(_) | PowerTarget::Pdu(_) => (&["pdu-a"], &[]),
        PowerTarget::Rack(_) | PowerTarget::Node(_) => (&[], &["gpu-1", "gpu-2"]),
    };
    for (names, set) in [(pdus, &mut state.dark_pdus), (nodes, &mut state.dead_nodes)] {
        for name in names {
            if dead {
                set.insert((*name).into());
            } else {
                set.remove(*name);
            }
        }
    }
}

fn act(state: &mut State, action: PlantAction) {
    match action {
        PlantAction::Supply { utility, level } => {
            state.supply.insert(utility, level.get());
        }
        PlantAction::SupplyRestored { utility } => {
            state.supply.remove(&utility);
        }
        PlantAction::BatteryOpens { .. } => state.open = true,
        PlantAction::BatteryCloses { .. } => state.open = false,
        PlantAction::BatteryHealth { health, .. } => state.health = Some(health.get()),
        PlantAction::BreakerOpens { pdu } => {
            state.dark_pdus.insert(pdu);
        }
        PlantAction::BreakerCloses { pdu } => {
            state.dark_pdus.remove(&pdu);
        }
        PlantAction::Cut(target) => cut(state, &target, true),
        PlantAction::Uncut(target) => cut(state, &target, false),
        PlantAction::Brake { node, ratio } => {
            state.brakes.insert(node, ratio);
        }
        // No fault of the catalogue does these yet.
        _ => {}
    }
}

#[async_trait]
impl Power for Numbers {
    async fn act(&self, action: PlantAction) -> Micros {
        let now = self.clock.now_us();
        self.change(|state| {
            act(state, action);
            for component in ["grid", "pdu-a"] {
                let voltage = state.voltage(component);
                state.log.push((now, component.into(), voltage));
            }
        });
        now
    }

    fn voltage_pu(&self, component: &str) -> Option<f64> {
        Some(self.state().voltage(component))
    }

    fn lowest_pu(&self, component: &str, since: Micros) -> Option<(Micros, f64)> {
        let state = self.state();
        let log = state.log.iter();
        let logged = log.filter(|(t, of, _)| *t >= since && of == component);
        let now = (self.clock.now_us(), state.voltage(component));
        let all = logged.map(|(t, _, pu)| (*t, *pu)).chain([now]);
        all.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn powered(&self, node: &str) -> Option<bool> {
        Some(!self.state().dead_nodes.contains(node))
    }

    fn ups_reading(&self, _: &str) -> Option<UpsReading> {
        None
    }

    fn battery(&self, _: &str) -> Option<BatteryTruth> {
        let state = self.state();
        let health = state.health.unwrap_or(1.0);
        Some(BatteryTruth {
            open: state.open,
            health,
            capacity_s: CAPACITY_S * health,
        })
    }

    fn step_rate(&self, node: &str) -> Option<StepRate> {
        let clocks = self.state().brakes.get(node).copied().unwrap_or(1.0);
        Some(StepRate {
            t_us: self.clock.now_us(),
            step_ms: STEP_MS / clocks,
        })
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

    async fn state(&self, node: &str) -> Result<NodeState, WorldError> {
        let state = self.state();
        Ok(if state.dead_nodes.contains(node) {
            NodeState::Down
        } else if state.hung.contains(node) {
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
