//! The events of a record.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::{Change, EnergyLedger};
use ridethrough_targets::service::Attempt;
use ridethrough_targets::telemetry::{DeviceCommand, UpsReading};
use ridethrough_targets::world::{VolumeLoss, Watch};

use crate::load::{LedgerRow, Rehearsed};
use crate::writer::{ReadBack, WriteRow};

/// The version of the record's format.
pub const SCHEMA: u32 = 1;

/// One line of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// 0, 1, 2 ... without gaps.
    pub seq: u64,
    /// Run time in microseconds.
    pub t_us: Micros,
    /// Who says so: `engine`, `plant`, `supervisor`, a node's name.
    pub source: String,
    /// What.
    #[serde(flatten)]
    pub body: Body,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// The first line.
    Run(RunHeader),
    /// A phase began. The first one's time is the origin of playbook times.
    Phase(PhaseWindow),
    /// The plant changed: the truth.
    Plant {
        /// The component.
        component: String,
        /// What moved it.
        cause: String,
        /// What changed.
        change: Change,
    },
    /// Readings of every meter: when one of them moved by more than it can
    /// resolve (at most ten times a second), and every ten seconds.
    Meters {
        /// Voltage per unit by component (utilities, UPSs, PDUs).
        voltage_pu: IndexMap<String, f64>,
        /// True state of charge by UPS.
        charge: IndexMap<String, f64>,
        /// Watts by node.
        watts: IndexMap<String, f64>,
    },
    /// The air in the room of each cooling unit, together with `Meters`; only of
    /// a site that has cooling.
    Air {
        /// Degrees Celsius by cooling unit.
        celsius: IndexMap<String, f64>,
    },
    /// A generator took load: how long each UPS could have gone on, in truth.
    Reserve {
        /// Seconds at the present load by UPS, at most a day.
        runtime_s: IndexMap<String, f64>,
    },
    /// Where the energy went from time 0 until now, at the end of a run.
    Energy(EnergyLedger),
    /// What a UPS measures of itself, when its status changed.
    UpsReading {
        /// The UPS.
        ups: String,
        /// The reading.
        reading: UpsReading,
    },
    /// A node was given power and boots.
    NodeBoot {
        /// The node.
        node: String,
        /// Earlier boots.
        boot: u32,
    },
    /// A node's processes run.
    NodeUp {
        /// The node.
        node: String,
    },
    /// A node's power was cut in the world.
    NodeDown {
        /// The node.
        node: String,
        /// Port dark.
        dark_us: Micros,
        /// Last process dead.
        dead_us: Micros,
        /// Frames it sent after its port went dark; always 0.
        leaked: u64,
        /// What its volumes lost.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lost: Vec<VolumeLoss>,
    },
    /// The switch of a rack has lost its supply, or forwards again.
    Uplink {
        /// The switch.
        switch: String,
        /// The machines behind it.
        nodes: Vec<String>,
        /// It forwards.
        up: bool,
    },
    /// A service can be used.
    ServiceReady {
        /// The node.
        node: String,
        /// The service.
        service: String,
    },
    /// A service ended by itself.
    ServiceExited {
        /// The node.
        node: String,
        /// The service.
        service: String,
        /// How.
        how: String,
        /// The last lines of its log.
        tail: String,
    },
    /// A service's state machine moved: the supervisor's, a gateway's view of
    /// a replica (`replica:gpu-1`: `healthy`, `unhealthy`), `shedding`.
    State {
        /// Whose.
        of: String,
        /// Before.
        from: String,
        /// After.
        to: String,
        /// Why.
        cause: String,
    },
    /// What a client of a power protocol saw change.
    Observed {
        /// The protocol.
        via: String,
        /// The device.
        device: String,
        /// The variable.
        variable: String,
        /// Its new value.
        value: String,
    },
    /// A device's client gave it an order over the network.
    Order {
        /// The device.
        device: String,
        /// What it was told.
        command: DeviceCommand,
        /// What it said, where it did not obey.
        refused: Option<String>,
    },
    /// An attempt of the gateway ended.
    Attempt(Attempt),
    /// A fault-free pass is over: what each prompt of a load was answered.
    Rehearsal(Rehearsed),
    /// By what the answers to a load are judged.
    Oracle(OracleReport),
    /// A fault was injected.
    FaultInjected(FaultReceipt),
    /// Connections of a machine to one that has fallen silent.
    Sockets(SocketReport),
    /// A fault was healed.
    FaultHealed {
        /// Its index in the plan.
        fault: usize,
    },
    /// A witness spoke.
    Witness(WitnessReport),
    /// A request is over.
    Request(LedgerRow),
    /// The load ended; what was planned and what was sent.
    LoadDone {
        /// The load's name.
        load: String,
        /// Requests that its schedule held.
        planned: u32,
        /// Requests sent.
        sent: u32,
        /// Send lag behind the schedule, 99th percentile.
        lag_p99_us: Micros,
    },
    /// A write to a journal is over.
    Write(WriteRow),
    /// A writer read back what was acknowledged.
    ReadBack(ReadBack),
    /// Numbers for the progress line.
    Progress {
        /// By name: `requests_per_s`, `tokens_per_s`, `in_flight`.
        values: IndexMap<String, f64>,
    },
    /// Something a reader should know.
    Note {
        /// The text.
        text: String,
    },
    /// A fault waits for a person's word, and the timeline with it.
    Held(HoldPoint),
    /// The timeline goes on: nothing waits any more.
    Resumed {
        /// How long it stood.
        held_us: Micros,
    },
    /// Somebody of the crew said or did something.
    Human(Human),
    /// The run could not be carried out as planned; its verdict is `invalid`.
    Invalid {
        /// Why.
        reason: String,
    },
    /// The last line.
    End {
        /// `completed`, `interrupted` by the user, `stopped` by the world,
        /// `aborted` by a promise or the blast radius, or `failed`.
        how: String,
    },
}

/// A fault that waits for a person's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldPoint {
    /// Its index in the plan.
    pub fault: usize,
    /// Its name.
    pub name: String,
    /// What is asked before it may go on.
    pub question: String,
    /// How long it waits at most; then everything is healed and the run ends.
    pub limit_us: Micros,
}

/// What somebody of the crew said or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Human {
    /// `scribe` or `conductor`.
    pub role: String,
    /// The name that was given; empty where none was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What.
    #[serde(flatten)]
    pub act: HumanAct,
}

/// What people do on a game day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum HumanAct {
    /// They wrote something down.
    Note {
        /// The text.
        text: String,
    },
    /// They have seen that something is wrong. Without a fault it is the last one
    /// that was injected: in blind mode they do not know which one that is.
    Noticed {
        /// The fault's index in the plan.
        fault: Option<usize>,
    },
    /// They know what they are going to do about it.
    Decided {
        /// The fault's index in the plan.
        fault: Option<usize>,
    },
    /// They have done it.
    Acted {
        /// The fault's index in the plan.
        fault: Option<usize>,
    },
    /// A fault that waited for them may go on.
    Released {
        /// The fault's index in the plan.
        fault: usize,
    },
    /// A fault that waited for them is left out.
    Skipped {
        /// The fault's index in the plan.
        fault: usize,
    },
    /// A fault is armed, and waits for the second step.
    Armed {
        /// The fault's index in the plan.
        fault: usize,
    },
    /// A fault was armed and then confirmed by hand.
    Confirmed {
        /// The fault's index in the plan.
        fault: usize,
    },
    /// They stopped the run.
    Stopped,
}

/// What a record is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// Version of this format.
    pub schema: u32,
    /// The run's id.
    pub run: String,
    /// The playbook's name.
    pub playbook: String,
    /// The seed.
    pub seed: u64,
    /// The world.
    pub world: String,
    /// Wall-clock time of the start, RFC 3339.
    pub started: String,
    /// Version of ridethrough.
    pub version: String,
    /// Anything a world wants known: kernel, CPU count, as root or not.
    pub facts: IndexMap<String, Value>,
}

/// By what the answers to a load are judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OracleReport {
    /// The load.
    pub load: String,
    /// `reference`, `recorded` or `structural`.
    pub oracle: String,
    /// Why, where there was a choice.
    pub why: String,
}

/// A phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseWindow {
    /// Its name.
    pub name: String,
    /// Its end, in run time.
    pub end_us: Micros,
}

/// A fault, as it was injected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultReceipt {
    /// Its index in the plan.
    pub fault: usize,
    /// Its kind, `utility_outage`.
    pub fault_kind: String,
    /// Its target in words, `grid`, `rack r1`.
    pub target: String,
    /// The nodes it is aimed at or carries, as the plan resolved them.
    pub nodes: Vec<String>,
    /// UPSs whose input or battery it touches.
    pub ups: Vec<String>,
    /// When it was due.
    pub requested_us: Micros,
    /// When the injector's call returned.
    pub injected_us: Micros,
    /// When it is due to heal.
    pub until_us: Micros,
    /// What was asked.
    pub requested: IndexMap<String, Value>,
}

/// Connections of one machine to another that has fallen silent, as its kernel held them
/// at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketReport {
    /// `power cut`, or the kind of the fault.
    pub cause: String,
    /// The fault's index in the plan; `null` where it follows from the power.
    pub fault: Option<usize>,
    /// Since when.
    pub since_us: Micros,
    /// The machine that is left.
    pub node: String,
    /// The machine that is silent.
    pub peer: String,
    /// How many connections are alike.
    pub count: u32,
    /// What their kernel does about silence.
    pub watch: Watch,
}

/// What a witness saw of a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WitnessReport {
    /// The fault's index in the plan.
    pub fault: usize,
    /// The mechanism: `bus meter`, `pidfd and port counters`, `probe packets`.
    pub witness: String,
    /// `injected`: is it there? `healed`: is it gone?
    pub stage: String,
    /// It is as it should be.
    pub effective: bool,
    /// When the effect was first seen.
    pub observed_us: Option<Micros>,
    /// What was measured.
    pub measured: IndexMap<String, Value>,
    /// What is wrong, where it is not effective.
    pub problem: String,
}
