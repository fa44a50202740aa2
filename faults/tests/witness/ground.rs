//! A ground of numbers: what is done to it changes what its meters, probes and
//! process tables show, unless it is told to ignore it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use ridethrough_faults::{Asked, BatteryTruth, Ground, Machines, Power, StepRate, Telemetry};
use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::disk::{DiskFault, DiskFaultId, DiskProbe, DiskReport};
use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::service::ToService;
use ridethrough_targets::telemetry::{Distorted, Protocol, Reading, UpsReading};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{
    ConnectionReport, ConnectionSpec, CutReceipt, FileUse, Inquiry, LinkRule, Lookup, LookupError,
    NameAnswer, NameRule, NodeSpec, NodeState, PortCounters, ProbeReport, ProbeSpec, RuleCounters,
    RuleId, Shortage, Supply, World, WorldError, WorldEvent,
};

use crate::wire::Wire;
use crate::{power, storage, telemetry};

/// From power to service.
const BOOT: Span = Span::from_secs(1);
/// Descriptors of a service.
const OPEN: u64 = 12;

#[derive(Default)]
struct State {
    hung: BTreeSet<String>,
    /// From death to death, and from death to start.
    crashing: BTreeMap<String, (Span, Span)>,
    short: BTreeMap<String, Shortage>,
    later: BTreeMap<String, Span>,
    ahead: BTreeMap<String, Span>,
    names: Option<NameRule>,
    wire: Wire,
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
            machines: Arc::<Self>::clone(self),
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

    /// Whether its processor is with somebody else now.
    fn stolen(&self, node: &str) -> bool {
        let Some(Shortage::Cpu { stolen, period }) = self.state().short.get(node).copied() else {
            return false;
        };
        let at = self.clock.now_us() % period.micros();
        (at as f64) < period.micros() as f64 * stolen.get()
    }

    /// Whether its services have died and not yet been started.
    fn crashed(&self, node: &str) -> bool {
        let crashing = self.state().crashing.get(node).copied();
        crashing
            .is_some_and(|(every, restart)| self.clock.now_us() % every.micros() < restart.micros())
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
impl Machines for Numbers {
    async fn crash_loop(&self, node: &str, every: Span, restart: Span) -> Result<(), WorldError> {
        self.change(|state| {
            state.crashing.insert(node.into(), (every, restart));
        });
        Ok(())
    }

    async fn end_crash_loop(&self, node: &str) -> Result<(), WorldError> {
        self.change(|state| {
            state.crashing.remove(node);
        });
        Ok(())
    }

    async fn jump_clock(&self, node: &str, ahead: Span) -> Result<(), WorldError> {
        self.change(|state| {
            state.ahead.insert(node.into(), ahead);
        });
        Ok(())
    }

    fn boot_time(&self, node: &str) -> Option<Span> {
        let later = self.state().later.get(node).copied().unwrap_or_default();
        Some(Span::from_micros(BOOT.micros() + later.micros()))
    }

    fn boot_later(&self, node: &str, by: Span) {
        self.change(|state| {
            state.later.insert(node.into(), by);
        });
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

    async fn restart(&self, _: &NodeSpec, _: u32) -> Result<(), WorldError> {
        Ok(())
    }

    async fn jump_clock(&self, _: &NodeSpec, _: u32, _: Span) -> Result<(), WorldError> {
        Ok(())
    }

    async fn deprive(&self, node: &str, shortage: &Shortage) -> Result<(), WorldError> {
        self.change(|state| {
            state.short.insert(node.into(), *shortage);
        });
        Ok(())
    }

    async fn supply(&self, node: &str, _: &Shortage) -> Result<(), WorldError> {
        self.change(|state| {
            state.short.remove(node);
        });
        Ok(())
    }

    async fn inquire(&self, node: &str, inquiry: Inquiry) -> Result<Supply, WorldError> {
        let short = self.state().short.get(node).copied();
        Ok(match (inquiry, short) {
            (Inquiry::Memory { bytes }, Some(Shortage::Memory { leave_bytes })) => {
                Supply::Memory(bytes <= leave_bytes)
            }
            (Inquiry::Memory { .. }, _) => Supply::Memory(true),
            (Inquiry::Clock, _) => {
                let ahead = self.state().ahead.get(node).copied().unwrap_or_default();
                Supply::Clock(ahead.micros() as i64)
            }
            (Inquiry::Files, short) => {
                let limit = match short {
                    Some(Shortage::Files { leave }) => OPEN + u64::from(leave),
                    _ => 1_024,
                };
                let service = "replica".to_string();
                Supply::Files(vec![FileUse {
                    service,
                    open: OPEN,
                    limit,
                }])
            }
        })
    }

    fn install(&self, rule: LinkRule) -> Result<RuleId, WorldError> {
        let mut id = RuleId(0);
        self.change(|state| {
            id = RuleId(state.wire.rules.len() as u64 + 1);
            state.wire.rules.insert(id, rule);
        });
        Ok(id)
    }

    fn remove(&self, rule: RuleId) {
        self.change(|state| {
            state.wire.rules.remove(&rule);
        });
    }

    fn say(&self, _: &str, _: &str, _: ToService) {}

    async fn probe(&self, spec: &ProbeSpec) -> Result<ProbeReport, WorldError> {
        Ok(self.state().wire.probe(spec))
    }

    async fn connect(&self, spec: &ConnectionSpec) -> Result<u64, WorldError> {
        Ok(self.state().wire.connect(spec))
    }

    async fn connection(&self, number: u64) -> Result<ConnectionReport, WorldError> {
        Ok(self.state().wire.connection(number))
    }

    async fn disconnect(&self, _: u64) {}

    async fn mislead(&self, rule: NameRule) -> Result<u64, WorldError> {
        self.change(|state| state.names = Some(rule));
        Ok(1)
    }

    async fn lead(&self, _: u64) {
        self.change(|state| state.names = None);
    }

    async fn lookup(&self, node: &str, name: &str) -> Result<Lookup, WorldError> {
        let address = |name: &str| Ipv4Addr::new(10, 0, 0, name.len() as u8);
        let state = self.state();
        let hits = |rule: &&NameRule| {
            let named = |all: &[String], one: &str| all.iter().any(|n| n == one);
            named(&rule.nodes, node) && named(&rule.names, name)
        };
        let (found, took_ms) = match state.names.as_ref().filter(hits).map(|r| &r.answer) {
            None => (Ok(address(name)), 1),
            Some(NameAnswer::Nxdomain) => (Err(LookupError::NoSuchName), 1),
            Some(NameAnswer::Servfail) => (Err(LookupError::TryAgain), 1),
            Some(NameAnswer::Silence) => (Err(LookupError::TryAgain), 2_000),
            Some(NameAnswer::AddressOf(other)) => (Ok(address(other)), 1),
        };
        let took = Span::from_millis(took_ms);
        Ok(Lookup { found, took })
    }

    fn rule_counters(&self, rule: RuleId) -> Option<RuleCounters> {
        let known = self.state().wire.rules.contains_key(&rule);
        // Somebody talks on port 8000 only.
        let on = |rule: &LinkRule| rule.port.is_none_or(|port| port == 8_000);
        let matched = known && self.state().wire.rules.get(&rule).is_some_and(on);
        known.then(|| RuleCounters {
            matched: 100 * u64::from(matched),
            acted: 50 * u64::from(matched),
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
        let boot = self.boot_time(node).unwrap_or_default();
        let since = self.power().up_since(node, boot.micros());
        let up = since.is_some_and(|t| self.clock.now_us() >= t);
        Ok(if !up {
            NodeState::Down
        } else if self.crashed(node) {
            NodeState::Empty
        } else if self.state().hung.contains(node) || self.stolen(node) {
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
