//! The life of a fault: prepare, inject, witness, heal, witness healed.

use std::sync::Arc;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::disk::DiskFaultId;
use ridethrough_targets::plant::{PlantAction, Site};
use ridethrough_targets::telemetry::{Distorted, Protocol, Reading, Seen, UpsReading};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{RuleId, World, WorldError};

/// What a fault is aimed at, resolved before the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aim {
    /// Machines.
    pub nodes: Vec<String>,
    /// UPSs.
    pub ups: Vec<String>,
    /// Grid feeders.
    pub utilities: Vec<String>,
    /// PDUs that must be dead while it lasts.
    pub pdus: Vec<String>,
    /// Two sides of a link.
    pub link: Option<(Vec<String>, Vec<String>)>,
    /// Devices, and the protocols by which each is asked.
    pub questions: Vec<Question>,
    /// Volumes, by machine and service.
    pub volumes: Vec<(String, String)>,
    /// A machine off the victims' side, to look at them from.
    pub observer: Option<String>,
    /// The site, for what its devices are built to do.
    pub site: Option<Arc<Site>>,
}

/// A device and a way to ask it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The device.
    pub device: String,
    /// The kind of its readings, such as `ups`.
    pub kind: String,
    /// By which protocol.
    pub via: Protocol,
    /// Other devices share its card.
    pub shared: bool,
}

/// The true state of a battery, from its maker's bench: not what it says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatteryTruth {
    /// The string is open.
    pub open: bool,
    /// State of health, 1 is new.
    pub health: f64,
    /// Seconds it would carry the UPS's rated power, full.
    pub capacity_s: f64,
}

/// How fast a machine's accelerator steps, as its own service measures it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRate {
    /// When it was measured.
    pub t_us: Micros,
    /// Milliseconds of the last decode step.
    pub step_ms: f64,
}

/// The electrical side that faults act on and witnesses read.
#[async_trait]
pub trait Power: Send + Sync {
    /// Does something to the plant; returns when the plant has done it, with
    /// its time.
    async fn act(&self, action: PlantAction) -> Micros;
    /// The meter at a component's output, now.
    fn voltage_pu(&self, component: &str) -> Option<f64>;
    /// The meter's log: the lowest voltage since `since`, and when it was first
    /// that low.
    fn lowest_pu(&self, component: &str, since: Micros) -> Option<(Micros, f64)>;
    /// The meter's log: the voltage in force at `since`, and every change after
    /// it.
    fn voltages(&self, component: &str, since: Micros) -> Vec<(Micros, f64)>;
    /// What a person with instruments finds broken in a device, whether or not
    /// it shows.
    fn defects(&self, device: &str) -> Option<Vec<String>>;
    /// Whether a machine's power supplies deliver, now.
    fn powered(&self, node: &str) -> Option<bool>;
    /// What a UPS says of itself, now.
    fn ups_reading(&self, ups: &str) -> Option<UpsReading>;
    /// What the meters of any device read, now.
    fn reading(&self, device: &str) -> Option<Reading>;
    /// A battery on the bench.
    fn battery(&self, ups: &str) -> Option<BatteryTruth>;
    /// The last step rate that a machine reported, if it works.
    fn step_rate(&self, node: &str) -> Option<StepRate>;
}

/// What a probe client of a device's protocol saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// When the answer was there, or given up.
    pub t_us: Micros,
    /// How long it took.
    pub took: Span,
    /// What it saw.
    pub seen: Seen,
}

/// The telemetry that faults distort and witnesses ask for.
#[async_trait]
pub trait Telemetry: Send + Sync {
    /// Makes the devices' agents show something else; returns the distortion's
    /// number.
    fn distort(&self, distorted: &Distorted) -> u64;
    /// Ends a distortion.
    fn restore(&self, number: u64);
    /// What a device's meters told its card last: what an honest card shows.
    fn told(&self, device: &str) -> Option<Reading>;
    /// Asks a device as a client of the protocol does, from a machine of its
    /// own, and waits at most this long.
    async fn ask(&self, device: &str, via: Protocol, wait: Span) -> Asked;
}

/// Machines as whoever racked them knows them: what they run, how long they
/// boot.
#[async_trait]
pub trait Machines: Send + Sync {
    /// Kills the services of a machine, whose kernel lives on, and starts them
    /// again after `restart`; and so on from one death to the next.
    async fn crash_loop(&self, node: &str, every: Span, restart: Span) -> Result<(), WorldError>;
    /// Ends [`Machines::crash_loop`]: the services run when this returns, where
    /// the machine has power.
    async fn end_crash_loop(&self, node: &str) -> Result<(), WorldError>;
    /// Starts the services of a machine again, on a monotonic clock that is so
    /// far ahead of the one it booted with.
    async fn jump_clock(&self, node: &str, ahead: Span) -> Result<(), WorldError>;
    /// How long a machine takes from power to the start of its services.
    fn boot_time(&self, node: &str) -> Option<Span>;
    /// Makes every boot of a machine take so much longer from now on.
    fn boot_later(&self, node: &str, by: Span);
}

/// Everything a fault may touch.
#[derive(Clone)]
pub struct Ground {
    /// The plant.
    pub power: Arc<dyn Power>,
    /// The nodes and the fabric.
    pub world: Arc<dyn World>,
    /// What devices say of themselves.
    pub telemetry: Arc<dyn Telemetry>,
    /// The machines.
    pub machines: Arc<dyn Machines>,
}

/// What an injection left behind, for its witness and its heal.
#[derive(Clone, Debug, Default)]
pub struct Injected {
    /// When the injector's call returned.
    pub at_us: Micros,
    /// When it is due to heal.
    pub until_us: Micros,
    /// Rules on the fabric.
    pub rules: Vec<RuleId>,
    /// Faults of volumes, by machine and service.
    pub disks: Vec<(String, String, DiskFaultId)>,
    /// The number of a distortion of telemetry or of names.
    pub distortion: Option<u64>,
    /// Numbers measured before, by name, to compare with.
    pub before: IndexMap<String, f64>,
}

/// What a witness found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// The mechanism.
    pub witness: &'static str,
    /// It is as it should be.
    pub effective: bool,
    /// When the effect was first seen.
    pub observed_us: Option<Micros>,
    /// What was measured.
    pub measured: IndexMap<String, Value>,
    /// What is wrong, where it is not.
    pub problem: String,
}

impl Finding {
    /// An empty finding of a mechanism.
    pub fn by(witness: &'static str) -> Self {
        Self {
            witness,
            ..Self::default()
        }
    }

    /// Adds a measured value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.measured.insert(name.into(), value.into());
        self
    }

    /// Concludes: effective, or the problem.
    #[must_use]
    pub fn conclude(mut self, problems: Vec<String>) -> Self {
        self.effective = problems.is_empty();
        self.problem = problems.join("; ");
        self
    }
}

/// Why a fault could not be injected or healed.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// Nothing to hit.
    #[error("the target set is empty")]
    NoTarget,
    /// The world refused.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// One kind of fault, aimed.
#[async_trait]
pub trait Fault: Send + Sync {
    /// What was asked, by name, in the units that the witness measures.
    fn requested(&self) -> IndexMap<String, Value>;

    /// Measures what the witness will compare with. Called shortly before
    /// [`Fault::inject`], off the clock; of a fault that waits for an occasion,
    /// shortly before it begins to wait.
    async fn prepare(&self, _ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        Ok(IndexMap::new())
    }

    /// Breaks it.
    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError>;

    /// Shows that it is broken. Runs while the fault lasts; a fault may be
    /// healed before its witness is done.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding;

    /// Puts it back. Idempotent.
    async fn heal(&self, ground: &Ground, injected: &Injected) -> Result<(), FaultError>;

    /// Shows that it is gone.
    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding;
}
