//! The vocabulary of faults: what a playbook may inject.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ridethrough_targets::plant::PowerTarget;
use ridethrough_targets::telemetry::{Distortion, Protocol};
use ridethrough_targets::units::{PerUnit, Span};

mod network;
mod node;
mod power;
mod storage;

pub use network::{
    BurstLoss, Dns, Flap, Latency, Link, Mtu, OnLink, PacketShare, Partition, Rate, Reorder, Reset,
};
pub use node::{ClockJump, CpuTheft, CrashLoop, FdExhaustion, MemoryPressure, SlowBoot};
pub use power::{
    BreakerPickup, FrequencyLevel, GeneratorFails, OneCooling, OneOutlet, OneSupply, OneTransfer,
    PowerCap, Waveform,
};
pub use storage::{DiskSlow, IoError, Volumes};

/// A fault, without its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The grid goes to 0 V.
    UtilityOutage(UtilityOutage),
    /// The grid falls to a level, for less than a minute (IEEE 1159 sag: 0.1 to
    /// 0.9 pu).
    Sag(SupplyLevel),
    /// The grid stays low (IEEE 1159 undervoltage; here for as long as asked).
    Brownout(SupplyLevel),
    /// The grid rises to a level, for less than a minute (IEEE 1159 swell: 1.1
    /// to 1.8 pu).
    Swell(SupplyLevel),
    /// The grid's frequency goes to a value.
    Frequency(FrequencyLevel),
    /// The grid's voltage follows a recording: a CSV file of times and levels,
    /// or the points themselves.
    Waveform(Waveform),
    /// A generator does not start, stops, overheats, or runs so badly that
    /// nobody accepts it.
    GeneratorFails(GeneratorFails),
    /// A transfer switch stays where it is, whatever its inputs do.
    AtsFails(OneTransfer),
    /// A UPS's converter fails: its load goes to the static bypass, or dark.
    UpsFails(OneUps),
    /// A UPS is put on its static bypass by hand: no battery behind its load.
    UpsBypass(OneUps),
    /// A UPS's return to its input fails: it goes to the static bypass, or
    /// dark, when the grid comes back.
    RetransferFails(OneUps),
    /// A battery string opens. It shows full charge and delivers nothing.
    BatteryOpen(OneUps),
    /// A battery has less of its runtime left than it says.
    BatteryAged(BatteryAged),
    /// A PDU's breaker opens.
    BreakerOpens(OnePdu),
    /// A breaker trips at another current than it was set to; healing closes it
    /// again.
    BreakerPickup(BreakerPickup),
    /// The outlet of one machine's cord opens.
    OutletOff(OneOutlet),
    /// One power supply of a machine fails.
    PsuFails(OneSupply),
    /// A cooling unit trips and waits for a person.
    CoolingTrips(OneCooling),
    /// Supply is cut: a feed, a PDU, a rack or a machine.
    PowerLoss(PowerTarget),
    /// Machines get their power-brake line pulled.
    PowerBrake(PowerBrake),
    /// Machines are held to a power by their management.
    PowerCap(PowerCap),
    /// Every process of a machine freezes; its kernel still answers. The
    /// opposite of an outage for anything that watches it.
    Hang(NodeTarget),
    /// Machines take longer from power to the start of their services.
    SlowBoot(SlowBoot),
    /// The services of machines die and are started again, over and over.
    CrashLoop(CrashLoop),
    /// Machines get their processor for a part of the time only (steal time of
    /// a virtual machine).
    CpuTheft(CpuTheft),
    /// The services of machines can get little further memory (needs control
    /// groups, so not in `virtual`).
    MemoryPressure(MemoryPressure),
    /// The services of machines are started again on a monotonic clock that has
    /// jumped ahead, as after a restore from a snapshot; wall clocks stay (needs
    /// time namespaces, so not in `virtual`).
    ClockJump(ClockJump),
    /// The services of machines can open few further file descriptors.
    FdExhaustion(FdExhaustion),
    /// Two sides cannot reach each other; frames vanish.
    Partition(Partition),
    /// A machine's switch port goes dark; the machine lives on.
    LinkDown(NodeTarget),
    /// Frames of a link come later.
    Latency(Latency),
    /// Packets of a link are lost, independently of each other.
    Loss(PacketShare),
    /// Packets of a link are lost in bursts.
    BurstLoss(BurstLoss),
    /// Packets of a link come twice.
    Duplicate(PacketShare),
    /// Packets of a link are overtaken by later ones.
    Reorder(Reorder),
    /// A bit of packets of a link flips, and their receiver drops them.
    Corrupt(PacketShare),
    /// A link is slow; what its queue does not hold is lost.
    Rate(Rate),
    /// TCP connections over a link are reset at both ends.
    Reset(Reset),
    /// A link goes dark and comes back, over and over.
    Flap(Flap),
    /// Long packets of a link vanish, and nobody is told.
    Mtu(Mtu),
    /// Names resolve to nothing, or to the wrong machine. Connections that are
    /// open stay so.
    Dns(Dns),
    /// Volumes take longer to read, write and flush.
    DiskSlow(DiskSlow),
    /// Volumes have no block left: what needs a new one is `ENOSPC`.
    DiskFull(Volumes),
    /// Operations on volumes fail with `EIO`.
    IoError(IoError),
    /// A power cut leaves some sectors of what was not flushed, and not others.
    TornWrites(Volumes),
    /// Drives acknowledge flushes, and nothing reaches the medium.
    ForgetsFsync(Volumes),
    /// Devices' agents say that they have lost their device.
    TelemetryStale(TelemetryTarget),
    /// Devices go on showing their last reading, and nothing tells that it is
    /// old.
    TelemetryFrozen(TelemetryTarget),
    /// Devices show each reading late.
    TelemetryDelayed(TelemetryTime),
    /// One variable of a device shows a value that is not true.
    TelemetryLie(TelemetryLie),
    /// One variable of a device is multiplied: a wrong scale factor.
    TelemetryScale(TelemetryScale),
    /// Devices take longer to answer.
    TelemetrySlow(TelemetryTime),
    /// Devices do not answer; their network is as it was.
    TelemetryLost(TelemetryTarget),
    /// Devices' agents lose their device and find it again, over and over.
    TelemetryFlapping(TelemetryFlapping),
    /// Of two readings that follow each other, the second is shown first.
    TelemetryOutOfOrder(TelemetryTarget),
}

/// Machines, by name, by service or by rack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeTarget {
    /// One machine.
    Node(String),
    /// Every machine that runs a service.
    Service(String),
    /// Every machine of a rack.
    Rack(String),
}

/// Which grid feeders fail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UtilityOutage {
    /// One utility of the site; all of them when left out.
    pub utility: Option<String>,
}

/// A level that the supply falls to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplyLevel {
    /// One utility of the site; all of them when left out.
    #[serde(default)]
    pub utility: Option<String>,
    /// The retained voltage.
    pub to: PerUnit,
}

/// A UPS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneUps {
    /// Its name in the site.
    pub ups: String,
}

/// A battery with less left than it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatteryAged {
    /// The UPS.
    pub ups: String,
    /// The share of its runtime that is left.
    pub health: PerUnit,
}

/// A PDU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnePdu {
    /// Its name in the site.
    pub pdu: String,
}

/// A power brake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerBrake {
    /// Which machines.
    pub target: NodeTarget,
    /// Clocks as a share of nominal; a hardware brake halves them or worse.
    #[serde(default = "half")]
    pub clocks: PerUnit,
}

fn half() -> PerUnit {
    PerUnit(0.5)
}

/// Devices' telemetry, whatever the devices really do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryTarget {
    /// Devices by name: UPSs, transfer switches, generators, BESSs, PDUs,
    /// machines (their BMCs); all of them when left out.
    pub devices: Vec<String>,
    /// Protocols; all that the devices speak when left out.
    pub via: Vec<Protocol>,
}

/// Telemetry that loses time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TelemetryTime {
    /// Devices by name; all of them when left out.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Protocols; all that the devices speak when left out.
    #[serde(default)]
    pub via: Vec<Protocol>,
    /// How much later.
    pub by: Span,
}

/// Telemetry that lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TelemetryLie {
    /// Devices by name; all of them when left out.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Protocols; all that the devices speak when left out.
    #[serde(default)]
    pub via: Vec<Protocol>,
    /// The variable, such as `charge` or `status`.
    pub variable: String,
    /// What it shows: a number in the variable's unit (volts, watts, seconds,
    /// shares 0 to 1), a word or true or false.
    pub value: serde_json::Value,
}

/// Telemetry on a wrong scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TelemetryScale {
    /// Devices by name; all of them when left out.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Protocols; all that the devices speak when left out.
    #[serde(default)]
    pub via: Vec<Protocol>,
    /// The variable, such as `input_v`.
    pub variable: String,
    /// What it is multiplied by.
    pub factor: f64,
}

/// Telemetry that comes and goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TelemetryFlapping {
    /// Devices by name; all of them when left out.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Protocols; all that the devices speak when left out.
    #[serde(default)]
    pub via: Vec<Protocol>,
    /// From one loss to the next; half of it is loss.
    pub period: Span,
}

impl FaultKind {
    /// What it does to telemetry, whose and on which protocols; nothing where it
    /// is no telemetry fault.
    pub fn distortion(&self) -> Option<(Distortion, &[String], &[Protocol])> {
        let (how, devices, via) = match self {
            Self::TelemetryStale(t) => (Distortion::Stale, &t.devices, &t.via),
            Self::TelemetryFrozen(t) => (Distortion::Frozen, &t.devices, &t.via),
            Self::TelemetryDelayed(t) => (Distortion::Delayed { by: t.by }, &t.devices, &t.via),
            Self::TelemetryLie(t) => {
                let (variable, value) = (t.variable.clone(), t.value.clone());
                (Distortion::Lie { variable, value }, &t.devices, &t.via)
            }
            Self::TelemetryScale(t) => {
                let (variable, factor) = (t.variable.clone(), t.factor);
                (Distortion::Scale { variable, factor }, &t.devices, &t.via)
            }
            Self::TelemetrySlow(t) => (Distortion::Slow { by: t.by }, &t.devices, &t.via),
            Self::TelemetryLost(t) => (Distortion::Lost, &t.devices, &t.via),
            Self::TelemetryFlapping(t) => {
                let period = t.period;
                (Distortion::Flapping { period }, &t.devices, &t.via)
            }
            Self::TelemetryOutOfOrder(t) => (Distortion::OutOfOrder, &t.devices, &t.via),
            _ => return None,
        };
        Some((how, devices, via))
    }
}

/// Whether a kind of fault, by its name, shows only when something else happens
/// (a start, a return of power, a change of load): when it is seen then says
/// nothing of when it was injected.
pub fn shows_on_occasion(kind: &str) -> bool {
    matches!(
        kind,
        "generator_fails"
            | "ats_fails"
            | "retransfer_fails"
            | "breaker_pickup"
            | "slow_boot"
            | "telemetry_frozen"
            | "telemetry_delayed"
            | "telemetry_out_of_order"
    )
}
