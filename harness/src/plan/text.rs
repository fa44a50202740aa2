//! Faults and promises as readable words.

use ridethrough_faults::catalogue::{FaultKind, NodeTarget};
use ridethrough_targets::plant::PowerTarget;

use super::wiring::machine_target;
use super::{
    text_network as network, text_power as power, text_storage as storage,
    text_telemetry as telemetry,
};
use crate::playbook::{
    Assertion, Cohort, ContinuityAssert, FailoverAssert, GoodputAssert, LatencyAssert, Metric,
    NodesAssert, Scope, Source, SupervisorAssert, SupplyKind,
};

/// A fault's kind as it is written in a playbook.
pub fn fault_kind_name(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::UtilityOutage(_) => "utility_outage",
        FaultKind::Sag(_) => "sag",
        FaultKind::Brownout(_) => "brownout",
        FaultKind::Swell(_) => "swell",
        FaultKind::Frequency(_) => "frequency",
        FaultKind::Waveform(_) => "waveform",
        FaultKind::GeneratorFails(_) => "generator_fails",
        FaultKind::AtsFails(_) => "ats_fails",
        FaultKind::UpsFails(_) => "ups_fails",
        FaultKind::UpsBypass(_) => "ups_bypass",
        FaultKind::RetransferFails(_) => "retransfer_fails",
        FaultKind::BatteryOpen(_) => "battery_open",
        FaultKind::BatteryAged(_) => "battery_aged",
        FaultKind::BreakerOpens(_) => "breaker_opens",
        FaultKind::BreakerPickup(_) => "breaker_pickup",
        FaultKind::OutletOff(_) => "outlet_off",
        FaultKind::PsuFails(_) => "psu_fails",
        FaultKind::CoolingTrips(_) => "cooling_trips",
        FaultKind::PowerLoss(_) => "power_loss",
        FaultKind::PowerBrake(_) => "power_brake",
        FaultKind::PowerCap(_) => "power_cap",
        FaultKind::Hang(_) => "hang",
        FaultKind::SlowBoot(_) => "slow_boot",
        FaultKind::CrashLoop(_) => "crash_loop",
        FaultKind::CpuTheft(_) => "cpu_theft",
        FaultKind::MemoryPressure(_) => "memory_pressure",
        FaultKind::ClockJump(_) => "clock_jump",
        FaultKind::FdExhaustion(_) => "fd_exhaustion",
        FaultKind::Partition(_) => "partition",
        FaultKind::LinkDown(_) => "link_down",
        FaultKind::Latency(_) => "latency",
        FaultKind::Loss(_) => "loss",
        FaultKind::BurstLoss(_) => "burst_loss",
        FaultKind::Duplicate(_) => "duplicate",
        FaultKind::Reorder(_) => "reorder",
        FaultKind::Corrupt(_) => "corrupt",
        FaultKind::Rate(_) => "rate",
        FaultKind::Reset(_) => "reset",
        FaultKind::Flap(_) => "flap",
        FaultKind::Mtu(_) => "mtu",
        FaultKind::Dns(_) => "dns",
        FaultKind::DiskSlow(_) => "disk_slow",
        FaultKind::DiskFull(_) => "disk_full",
        FaultKind::IoError(_) => "io_error",
        FaultKind::TornWrites(_) => "torn_writes",
        FaultKind::ForgetsFsync(_) => "forgets_fsync",
        FaultKind::TelemetryStale(_) => "telemetry_stale",
        FaultKind::TelemetryFrozen(_) => "telemetry_frozen",
        FaultKind::TelemetryDelayed(_) => "telemetry_delayed",
        FaultKind::TelemetryLie(_) => "telemetry_lie",
        FaultKind::TelemetryScale(_) => "telemetry_scale",
        FaultKind::TelemetrySlow(_) => "telemetry_slow",
        FaultKind::TelemetryLost(_) => "telemetry_lost",
        FaultKind::TelemetryFlapping(_) => "telemetry_flapping",
        FaultKind::TelemetryOutOfOrder(_) => "telemetry_out_of_order",
    }
}

/// What a fault hits: `rack r1`, `gateway <-> gpu-2`.
pub fn fault_target(kind: &FaultKind) -> String {
    let utility = |name: &Option<String>| match name {
        Some(name) => format!("utility {name}"),
        None => "every utility".into(),
    };
    if let Some(on) = kind.on_link() {
        return network::link(on);
    }
    match kind {
        FaultKind::UtilityOutage(f) => utility(&f.utility),
        FaultKind::Sag(f) | FaultKind::Brownout(f) | FaultKind::Swell(f) => utility(&f.utility),
        FaultKind::Frequency(f) => utility(&f.utility),
        FaultKind::Waveform(f) => utility(&f.utility),
        FaultKind::GeneratorFails(f) => format!("generator {}", f.generator),
        FaultKind::AtsFails(f) => format!("transfer switch {}", f.transfer),
        FaultKind::UpsFails(f) => format!("converter of {}", f.ups),
        FaultKind::UpsBypass(f) => format!("UPS {}", f.ups),
        FaultKind::RetransferFails(f) => format!("retransfer of {}", f.ups),
        FaultKind::BreakerPickup(f) => format!("breaker of {}", f.pdu),
        FaultKind::OutletOff(f) => format!("outlet of {} on {}", f.node, f.pdu),
        FaultKind::PsuFails(f) => format!("supply {} of {}", f.supply, f.node),
        FaultKind::CoolingTrips(f) => format!("cooling unit {}", f.cooling),
        FaultKind::PowerCap(f) => nodes(&f.target),
        FaultKind::BatteryOpen(f) => format!("battery of {}", f.ups),
        FaultKind::BatteryAged(f) => format!("battery of {}", f.ups),
        FaultKind::BreakerOpens(f) => format!("breaker of {}", f.pdu),
        FaultKind::PowerLoss(target) => match target {
            PowerTarget::Feed(name) => format!("feed {name}"),
            PowerTarget::Pdu(name) => format!("PDU {name}"),
            PowerTarget::Rack(name) => format!("rack {name}"),
            PowerTarget::Node(name) => format!("node {name}"),
        },
        FaultKind::PowerBrake(f) => nodes(&f.target),
        FaultKind::Hang(target) | FaultKind::LinkDown(target) => nodes(target),
        FaultKind::Dns(f) => format!("{} on {}", f.names.join(", "), nodes(&f.target)),
        other => match machine_target(other) {
            Some(target) => nodes(target),
            None => storage::fault_target(other).unwrap_or_else(|| telemetry::fault_target(other)),
        },
    }
}

pub(super) fn nodes(target: &NodeTarget) -> String {
    match target {
        NodeTarget::Node(name) => format!("node {name}"),
        NodeTarget::Service(name) => format!("service {name}"),
        NodeTarget::Rack(name) => format!("rack {name}"),
    }
}

/// A fault's size, where it has one: `to 60%`.
pub fn fault_size(kind: &FaultKind) -> Option<String> {
    match kind {
        FaultKind::Sag(f) | FaultKind::Brownout(f) | FaultKind::Swell(f) => {
            Some(format!("to {}", f.to))
        }
        FaultKind::Frequency(f) => Some(format!("to {}", f.to)),
        FaultKind::Waveform(f) => Some(power::recording(&f.profile)),
        FaultKind::GeneratorFails(f) => Some(power::generator_fault(f.how)),
        FaultKind::BreakerPickup(f) => Some(format!("trips at {} of its rating", f.to)),
        FaultKind::PowerCap(f) => Some(format!("at most {}", f.to)),
        FaultKind::BatteryAged(f) => Some(format!("{} of its runtime left", f.health)),
        FaultKind::PowerBrake(f) => Some(format!("clocks at {}", f.clocks)),
        FaultKind::SlowBoot(f) => Some(format!("by {}", f.by)),
        FaultKind::CrashLoop(f) => Some(format!("every {}", f.every)),
        FaultKind::CpuTheft(f) => Some(f.stolen.to_string()),
        FaultKind::MemoryPressure(f) => Some(format!("{} left", f.leave)),
        FaultKind::ClockJump(f) => Some(format!("ahead by {}", f.by)),
        FaultKind::FdExhaustion(f) => Some(format!("{} descriptors left", f.leave)),
        FaultKind::TelemetryDelayed(f) | FaultKind::TelemetrySlow(f) => {
            Some(format!("by {}", f.by))
        }
        FaultKind::TelemetryLie(f) => Some(format!("{} = {}", f.variable, f.value)),
        FaultKind::TelemetryScale(f) => Some(format!("{} x {}", f.variable, f.factor)),
        FaultKind::TelemetryFlapping(f) => Some(format!("every {}", f.period)),
        kind => network::size(kind).or_else(|| storage::fault_size(kind)),
    }
}

/// An assertion's kind as it is written in a playbook.
pub fn assertion_name(assertion: &Assertion) -> &'static str {
    match assertion {
        Assertion::Failover(_) => "failover",
        Assertion::Supervisor(_) => "supervisor",
        Assertion::Continuity(_) => "continuity",
        Assertion::Latency(_) => "latency",
        Assertion::Availability(_) => "availability",
        Assertion::Goodput(_) => "goodput",
        Assertion::Recovery(_) => "recovery",
        Assertion::Eviction(_) => "eviction",
        Assertion::Readmission(_) => "readmission",
        Assertion::Battery(_) => "battery",
        Assertion::Detection(_) => "detection",
        Assertion::Nodes(_) => "nodes",
        Assertion::NoCommonMode(_) => "no_common_mode",
        Assertion::RideThrough(_) => "ride_through",
        Assertion::Energy(_) => "energy",
        Assertion::Generator(_) => "generator",
        Assertion::Temperature(_) => "temperature",
        Assertion::Retransfer(_) => "retransfer",
        Assertion::Recharge(_) => "recharge",
        Assertion::NoFalseShutdown(_) => "no_false_shutdown",
        Assertion::ShutdownOrder(_) => "shutdown_order",
        Assertion::TruthLag(_) => "truth_lag",
        Assertion::Durability(_) => "durability",
    }
}

/// A promise as a sentence, without a full stop.
pub fn sentence(assertion: &Assertion) -> String {
    match assertion {
        Assertion::Failover(a) => failover(a),
        Assertion::Supervisor(a) => supervisor(a),
        Assertion::Continuity(a) => continuity(a),
        Assertion::Latency(a) => latency(a),
        Assertion::Availability(a) => format!(
            "at least {} of requests{} are answered in full",
            a.at_least,
            scope(&a.of)
        ),
        Assertion::Goodput(a) => goodput(a),
        Assertion::Recovery(a) => {
            format!(
                "the last affected request is over within {} of the last heal{}",
                a.within,
                faults(a.during.as_deref())
            )
        }
        Assertion::Eviction(a) => format!(
            "the gateway takes {} out within {} of the fault{}",
            replica(a.replica.as_deref(), "failed"),
            a.within,
            faults(a.during.as_deref())
        ),
        Assertion::Readmission(a) => format!(
            "the gateway takes {} back within {} of its readiness{}",
            replica(a.replica.as_deref(), "healed"),
            a.within,
            faults(a.during.as_deref())
        ),
        Assertion::Battery(a) => {
            let of = a.ups.as_deref().unwrap_or("every battery");
            let during = during(a.during.as_deref());
            format!(
                "{of} keeps at least {} of its charge{during}",
                a.charge_at_least
            )
        }
        Assertion::Detection(a) => format!(
            "a client that is hit gets its first error within {} of the fault{}",
            a.within,
            faults(a.during.as_deref())
        ),
        Assertion::Nodes(a) => machines(a),
        Assertion::NoCommonMode(a) => power::no_common_mode(a),
        Assertion::RideThrough(a) => power::ride_through(a),
        Assertion::Energy(a) => power::energy(a),
        Assertion::Generator(a) => power::generator(a),
        Assertion::Temperature(a) => power::temperature(a),
        Assertion::Retransfer(a) => power::retransfer(a),
        Assertion::Recharge(a) => power::recharge(a),
        Assertion::NoFalseShutdown(a) => power::no_false_shutdown(a),
        Assertion::ShutdownOrder(a) => power::shutdown_order(a),
        Assertion::TruthLag(a) => power::truth_lag(a),
        Assertion::Durability(a) => storage::durability(a),
    }
}

fn supervisor(a: &SupervisorAssert) -> String {
    let via = match a.via {
        Source::Nut => " over NUT",
        Source::Supervisor => "",
    };
    format!(
        "the supervisor reports `{}`{via} within {}{}",
        a.reports,
        a.within,
        faults(a.during.as_deref())
    )
}

fn failover(a: &FailoverAssert) -> String {
    let to = match a.to {
        SupplyKind::Battery => "battery carries the load",
        SupplyKind::Utility => "utility keeps carrying the load",
    };
    let ups = a.ups.as_ref().map(|u| format!(" of {u}"));
    let ups = ups.unwrap_or_default();
    let faults = faults(a.during.as_deref());
    format!("{to}{ups}, with no gap longer than {}{faults}", a.within)
}

fn goodput(a: &GoodputAssert) -> String {
    let mut good = Vec::new();
    good.extend(a.ttft.map(|t| format!("TTFT up to {t}")));
    good.extend(a.tpot.map(|t| format!("TPOT up to {t}")));
    let good = if good.is_empty() {
        String::new()
    } else {
        format!(" with {}", good.join(" and "))
    };
    format!(
        "at least {}{} answered in full{good}{}",
        a.at_least,
        class(a.class.as_deref()),
        during(a.during.as_deref())
    )
}

fn replica(name: Option<&str>, state: &str) -> String {
    name.map_or_else(|| format!("every {state} replica"), str::to_string)
}

fn continuity(a: &ContinuityAssert) -> String {
    let bound = |n: u32, word: &str| match n {
        0 => format!("no request{} is {word}", scope(&a.of)),
        _ => format!("at most {n} requests{} are {word}", scope(&a.of)),
    };
    let parts = if a.lost == 0 && a.torn == 0 && a.corrupted == 0 {
        vec![bound(0, "lost, torn or corrupted")]
    } else {
        vec![
            bound(a.lost, "lost"),
            match a.torn {
                0 => "none torn".into(),
                n => format!("at most {n} torn"),
            },
            match a.corrupted {
                0 => "none corrupted".into(),
                n => format!("at most {n} corrupted"),
            },
        ]
    };
    let mut parts = parts;
    parts.extend(a.shed.map(|n| match n {
        0 => "none shed".into(),
        n => format!("at most {n} shed"),
    }));
    parts.extend(
        a.resumed_at_least
            .map(|n| format!("at least {n} resumed elsewhere")),
    );
    parts.extend(a.shed_at_least.map(|n| format!("at least {n} shed")));
    parts.join(", ")
}

fn latency(a: &LatencyAssert) -> String {
    let of = match a.of {
        Metric::Ttft => "time to first token",
        Metric::Itl => "gap between tokens",
        Metric::Tpot => "time per output token",
        Metric::E2e => "end-to-end latency",
        Metric::Silence => "longest silence in an answer",
    };
    let named = [
        ("p50", a.p50),
        ("p90", a.p90),
        ("p99", a.p99),
        ("max", a.max),
    ];
    let bounds: Vec<String> = named
        .iter()
        .filter_map(|(name, bound)| bound.map(|b| format!("{name} up to {b}")))
        .collect();
    let of_scope = Scope {
        during: a.during.clone(),
        class: a.class.clone(),
        cohort: a.cohort,
        at_least: None,
    };
    let who = scope(&of_scope);
    let who = if who.is_empty() {
        who
    } else {
        format!(" of requests{who}")
    };
    format!("{of}{who}: {}", bounds.join(", "))
}

fn machines(a: &NodesAssert) -> String {
    let most = |n: u32, what: &str| match n {
        0 => format!("no machine {what}"),
        1 => format!("at most 1 machine {what}"),
        n => format!("at most {n} machines {what}"),
    };
    let least = |n: u32, what: &str| {
        let plural = if n == 1 { "" } else { "s" };
        format!("at least {n} machine{plural} {what}")
    };
    let mut parts = Vec::new();
    parts.extend(a.lost_at_most.map(|n| most(n, "lost to the power")));
    parts.extend(a.lost_at_least.map(|n| least(n, "lost to the power")));
    parts.extend(a.braked_at_most.map(|n| most(n, "braked")));
    parts.extend(a.braked_at_least.map(|n| least(n, "braked")));
    parts.join(", ") + &during(a.during.as_deref())
}

/// Which faults, with a comma before it.
pub(super) fn faults(phase: Option<&str>) -> String {
    let of = phase.map(|p| format!(", for faults that begin during {p}"));
    of.unwrap_or_default()
}

fn class(name: Option<&str>) -> String {
    name.map(|c| format!(" of class {c}")).unwrap_or_default()
}

pub(super) fn during(phase: Option<&str>) -> String {
    phase.map(|p| format!(" during {p}")).unwrap_or_default()
}

/// ` of class batch sent during outage`, with a space before it.
fn scope(scope: &Scope) -> String {
    let class = class(scope.class.as_deref());
    let cohort = match scope.cohort {
        None => "",
        Some(Cohort::InFlight) => " in flight on a machine that was hit",
        Some(Cohort::SentToVictim) => " sent to a machine that was hit",
        Some(Cohort::SentElsewhere) => " sent elsewhere",
        Some(Cohort::AfterHeal) => " sent after healing",
        Some(Cohort::Before) => " sent before any fault",
    };
    let phase = scope.during.as_ref().map(|p| format!(" sent during {p}"));
    [Some(class.as_str()), Some(cohort), phase.as_deref()]
        .into_iter()
        .flatten()
        .collect()
}
