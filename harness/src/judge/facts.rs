//! A record, read once and put in order.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::{EnergyLedger, GeneratorState, UpsState};

use super::attempts::Attempts;
use crate::load::LedgerRow;
use crate::playbook::Cohort;
use crate::record::{FaultReceipt, Human, OracleReport, RunHeader, SocketReport, WitnessReport};
use crate::writer::{ReadBack, WriteRow};

/// How long after an order to go off a node's processes may be seen to die.
const AFTER_ORDER_US: Micros = 1_000_000;

/// A phase, in run time.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Its start.
    pub start_us: Micros,
    /// Its end.
    pub end_us: Micros,
}

/// A fault, and what its witnesses said.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// As it was injected.
    pub receipt: FaultReceipt,
    /// When it was healed.
    pub healed_us: Option<Micros>,
    /// The witness that it was there: an effective one if any was.
    pub injected: Option<WitnessReport>,
    /// The witness that it is gone: an effective one if any was.
    pub healed: Option<WitnessReport>,
}

impl Fault {
    /// When it began. The injector's call returns after the effect, so the
    /// earlier of the two times is the one that misses nothing.
    pub fn start_us(&self) -> Micros {
        self.receipt.requested_us.min(self.receipt.injected_us)
    }

    /// When it was over, or the end of the record.
    pub fn end_us(&self, last_us: Micros) -> Micros {
        self.healed_us.unwrap_or(last_us).max(self.start_us())
    }
}

/// The voltage at a bus from a moment on.
#[derive(Clone, Debug, PartialEq)]
pub struct BusPoint {
    /// When.
    pub t_us: Micros,
    /// Per unit.
    pub voltage_pu: f64,
    /// What feeds it.
    pub source: String,
    /// The event that says so.
    pub seq: u64,
}

/// A generator changed state.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratorMove {
    /// When.
    pub t_us: Micros,
    /// The event that says so.
    pub seq: u64,
    /// Before.
    pub from: GeneratorState,
    /// After.
    pub to: GeneratorState,
}

/// Why a UPS cannot go on for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weakness {
    /// It says that its battery is low.
    Low,
    /// Its battery is empty or open.
    Spent,
    /// It has no output.
    Off,
}

/// A move of a BESS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BessMove {
    /// When.
    pub t_us: Micros,
    /// The BESS.
    pub bess: String,
    /// It forms the grid from now on.
    pub forms: bool,
}

/// A UPS changed state.
#[derive(Clone, Debug, PartialEq)]
pub struct UpsMove {
    /// When.
    pub t_us: Micros,
    /// The UPS.
    pub ups: String,
    /// Before.
    pub from: UpsState,
    /// After.
    pub to: UpsState,
}

/// A state machine of a service moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// When.
    pub t_us: Micros,
    /// Whose.
    pub of: String,
    /// After.
    pub to: String,
}

/// What a client of a power protocol saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// When.
    pub t_us: Micros,
    /// The protocol.
    pub via: String,
    /// The device.
    pub device: String,
    /// The variable.
    pub variable: String,
    /// Its value.
    pub value: String,
}

/// A service could be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    /// When.
    pub t_us: Micros,
    /// Its node.
    pub node: String,
    /// The service.
    pub service: String,
}

/// How a load ended.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadEnd {
    /// The load.
    pub load: String,
    /// Requests in its schedule.
    pub planned: u32,
    /// Requests sent.
    pub sent: u32,
    /// Send lag, 99th percentile.
    pub lag_p99_us: Micros,
}

/// A battery at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// When.
    pub t_us: Micros,
    /// State of charge, 0 to 1.
    pub charge: f64,
}

/// A node while a fault had it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The fault's place in [`RunFacts::faults`].
    pub fault: usize,
    /// The node.
    pub node: String,
    /// From when: the loss of its power, or the fault's start.
    pub start_us: Micros,
    /// Until when: its service was ready again, or the fault's heal.
    pub end_us: Micros,
}

/// How the record ends.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEnd {
    /// When.
    pub t_us: Micros,
    /// `completed` or `interrupted`.
    pub how: String,
}

/// Everything that assertions and reports ask a record. Lists are in order of
/// time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunFacts {
    /// The first line.
    pub header: Option<RunHeader>,
    /// Phases.
    pub phases: Vec<Phase>,
    /// Faults.
    pub faults: Vec<Fault>,
    /// Voltages at the outputs of UPSs and PDUs.
    pub buses: BTreeMap<String, Vec<BusPoint>>,
    /// The load buses behind each UPS, where the header names them.
    pub load_buses: BTreeMap<String, Vec<String>>,
    /// Every UPS that the record speaks of.
    pub ups: BTreeSet<String>,
    /// Moves of UPSs.
    pub ups_moves: Vec<UpsMove>,
    /// Moves of BESSs.
    pub bess_moves: Vec<BessMove>,
    /// When a node's power went off (`false`) and came back.
    pub node_power: BTreeMap<String, Vec<(Micros, bool)>>,
    /// When the switch of a machine's rack went dark, and forwarded again.
    pub uplinks: BTreeMap<String, Vec<(Micros, bool)>>,
    /// Nodes whose power the plant has switched.
    pub machines: BTreeSet<String>,
    /// Nodes that were told to go off, each time.
    pub told_off: Vec<(Micros, String)>,
    /// The power-brake line of nodes: clocks as a share of nominal.
    pub brakes: BTreeMap<String, Vec<(Micros, f64)>>,
    /// The true charge of each battery, as it changed.
    pub charge: BTreeMap<String, Vec<Charge>>,
    /// Moves of generators.
    pub generators: BTreeMap<String, Vec<GeneratorMove>>,
    /// True seconds that each UPS could go on, when a generator took load.
    pub reserves: Vec<(Micros, BTreeMap<String, f64>)>,
    /// Where the energy went.
    pub energy: Option<EnergyLedger>,
    /// The air of each cooling unit's room, in degrees Celsius.
    pub air: BTreeMap<String, Vec<(Micros, f64)>>,
    /// When a UPS was about to run out, or could carry nothing (`true`), and
    /// when that was over: its low-battery signal, and its battery.
    pub weak: BTreeMap<(String, Weakness), Vec<(Micros, bool)>>,
    /// The ledger, by intended send time.
    pub rows: Vec<LedgerRow>,
    /// Attempts of gateways.
    pub attempts: Attempts,
    /// Moves of services' state machines.
    pub moves: Vec<Move>,
    /// Telemetry as clients saw it.
    pub seen: Vec<Seen>,
    /// Services that became ready.
    pub ready: Vec<Ready>,
    /// Ends of loads.
    pub loads: Vec<LoadEnd>,
    /// By what the answers to each load were judged.
    pub oracles: Vec<OracleReport>,
    /// Connections to machines that were silenced.
    pub sockets: Vec<SocketReport>,
    /// Writes to journals, as they ended.
    pub writes: Vec<WriteRow>,
    /// What writers read back.
    pub read_back: Vec<ReadBack>,
    /// What the crew of a game day said and did.
    pub humans: Vec<(Micros, Human)>,
    /// What the engine itself found wrong with the run.
    pub invalid: Vec<String>,
    /// How it ended.
    pub end: Option<RunEnd>,
    /// Time of the last event.
    pub last_us: Micros,
    /// Nodes while faults had them.
    pub hits: Vec<Hit>,
    /// The cohort of each request, by id.
    pub cohorts: BTreeMap<String, Cohort>,
}

impl RunFacts {
    /// The origin of playbook times: the start of the first phase.
    pub fn origin_us(&self) -> Micros {
        self.phases.first().map_or(0, |phase| phase.start_us)
    }

    /// A moment in playbook time, in words: `t = 5.002 s`.
    pub fn moment(&self, t_us: Micros) -> String {
        let seconds = (t_us as f64 - self.origin_us() as f64) / 1e6;
        format!("t = {} s", super::quantity::trim(seconds, 3))
    }

    /// A phase by its name.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// When the first fault began.
    pub fn first_fault_us(&self) -> Option<Micros> {
        self.faults.iter().map(Fault::start_us).min()
    }

    /// Names that are replicas of the stack: a gateway sent to them, a token
    /// came from them, or a gateway watched them.
    pub fn replicas(&self) -> BTreeSet<&str> {
        let tried = self.attempts.iter().map(|tried| &*tried.attempt.replica);
        let served = self.rows.iter().flat_map(|r| &r.served_by);
        let watched = self
            .moves
            .iter()
            .filter_map(|m| m.of.strip_prefix("replica:"));
        tried
            .chain(served.map(|(name, _)| &**name))
            .chain(watched)
            .collect()
    }

    /// Nodes on which a gateway runs.
    pub fn gateways(&self) -> BTreeSet<&str> {
        let tried = self.attempts.iter().map(|tried| &*tried.gateway);
        let ready = self.ready.iter().filter(|r| r.service.contains("gateway"));
        tried.chain(ready.map(|r| &*r.node)).collect()
    }

    /// Nodes that the power took after the first phase began; not those that were
    /// told to go off.
    pub fn nodes_lost(&self) -> BTreeSet<&str> {
        self.nodes_lost_in(0..Micros::MAX)
    }

    /// Those of [`RunFacts::nodes_lost`] that lost it in a stretch of time.
    pub fn nodes_lost_in(&self, time: Range<Micros>) -> BTreeSet<&str> {
        let origin = self.origin_us();
        let taken = |node: &str, (t_us, on): &(Micros, bool)| {
            let told = |(at, name): &(Micros, String)| {
                name == node && (*at..=at.saturating_add(AFTER_ORDER_US)).contains(t_us)
            };
            !on && *t_us >= origin && time.contains(t_us) && !self.told_off.iter().any(told)
        };
        let nodes = self.node_power.iter();
        // A card that goes dark with what feeds it is no machine.
        let machines = nodes.filter(|(node, _)| self.machines.contains(*node));
        let lost = machines.filter(|(node, moves)| moves.iter().any(|m| taken(node, m)));
        lost.map(|(node, _)| &**node).collect()
    }

    /// Nodes whose clocks were held below nominal after the first phase began.
    pub fn nodes_braked(&self) -> BTreeSet<&str> {
        self.nodes_braked_in(0..Micros::MAX)
    }

    /// Those of [`RunFacts::nodes_braked`] whose line was pulled in a stretch of
    /// time.
    pub fn nodes_braked_in(&self, time: Range<Micros>) -> BTreeSet<&str> {
        self.turned(&self.brakes, time, |clocks| *clocks < 1.0)
    }

    /// Nodes that became something in a stretch of time after the first phase
    /// began.
    fn turned<'a, T>(
        &self,
        moves: &'a BTreeMap<String, Vec<(Micros, T)>>,
        time: Range<Micros>,
        is: impl Fn(&T) -> bool,
    ) -> BTreeSet<&'a str> {
        let origin = self.origin_us();
        let counts = |(t, to): &(Micros, T)| *t >= origin && time.contains(t) && is(to);
        let nodes = moves.iter().filter(|(_, moves)| moves.iter().any(counts));
        nodes.map(|(node, _)| &**node).collect()
    }
}
