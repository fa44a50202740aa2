//! The faults: their times, their targets, their sizes.

use ridethrough_faults::catalogue::{FaultKind, NodeTarget};
use ridethrough_targets::plant::PowerTarget;
use ridethrough_targets::units::{PerUnit, Span};

use crate::playbook::FaultSpec;

use super::super::cards::cards;
use super::super::infrastructure::supervised;
use super::super::model::PlannedPhase;
use super::super::text::{fault_kind_name, fault_target};
use super::super::time::{Untimed, interval, occurrences, phases};
use super::super::wiring::SUPERVISOR;
use super::checker::Checker;
use super::{compound, devices, machines, mixed, network, times};

pub(super) fn check(c: &mut Checker<'_>) {
    let playbook = c.playbook;
    let phases = phases(&playbook.phases);
    for (i, fault) in playbook.faults.iter().enumerate() {
        name(c, i, fault);
        time(c, i, fault, &phases);
        compound::check(c, i, fault, &phases);
        for (path, kind) in kinds(i, fault) {
            times::check(c, &path, kind);
            let path = format!("{path}.{}", fault_kind_name(kind));
            target(c, &path, kind);
            size(c, &path, kind);
            devices::size(c, &path, kind);
            machines::size(c, &path, kind);
            network::size(c, &path, kind);
        }
    }
    overlaps(c, &phases);
}

fn name(c: &mut Checker<'_>, i: usize, fault: &FaultSpec) {
    let Some(name) = &fault.name else {
        return;
    };
    let before = &c.playbook.faults[..i];
    if let Some(first) = before.iter().position(|f| f.name.as_ref() == Some(name)) {
        let message = format!("two faults are called `{name}`");
        c.wrong(&format!("faults.{i}.name"), message, "again here");
        c.also(&format!("faults.{first}.name"), "first here");
    }
}

fn time(c: &mut Checker<'_>, i: usize, fault: &FaultSpec, phases: &[PlannedPhase]) {
    let kind = fault_kind_name(&fault.inject);
    let path = |key: &str| format!("faults.{i}.{key}");
    if fault.manual {
        return manual(c, i, fault);
    }
    let (at, until) = match interval(fault, phases) {
        Ok(interval) => interval,
        Err(Untimed::NoPhase) => {
            let name = fault.during.as_deref().unwrap_or_default();
            let all = phases.iter().map(|p| p.name.as_str());
            c.exists(&path("during"), ("phase", "the playbook"), name, all);
            return;
        }
        Err(Untimed::Nothing) => {
            c.wrong_key(&path("inject"), format!("`{kind}` has no time"), "when?");
            c.hint("write `during: PHASE`, or `at: 5s` and `for: 20s`");
            return;
        }
        Err(Untimed::NoEnd) => {
            c.wrong(
                &path("at"),
                format!("`{kind}` begins and never ends"),
                "until when?",
            );
            c.hint("add how long it lasts: `for: 20s`");
            return;
        }
        Err(Untimed::NoBeginning) => {
            c.wrong(
                &path("for"),
                format!("`{kind}` lasts but never begins"),
                "from when?",
            );
            c.hint("add when it begins: `at: 5s`, or `during: PHASE`");
            return;
        }
    };
    devices::time(c, i, fault, (at, until));
    if fault.lasts == Some(Span::default()) {
        c.wrong(
            &path("for"),
            format!("`{kind}` lasts no time"),
            "longer than 0s",
        );
        return;
    }
    if let Some(phase) = phases
        .iter()
        .find(|p| Some(&p.name) == fault.during.as_ref())
    {
        in_phase(c, i, kind, phase, (at, until));
        return;
    }
    let total = phases.last().map(|p| p.end).unwrap_or_default();
    if at >= total {
        let message = format!("`{kind}` begins at {at}, and the run ends at {total}");
        c.wrong(&path("at"), message, "after the end");
    } else if until > total {
        let message = format!("`{kind}` lasts until {until}, and the run ends at {total}");
        c.wrong(&path("for"), message, "past the end");
        c.hint("a fault is healed within the run, so that its healing can be seen");
    }
}

/// What a person injects whenever they like has a length, no time, and a bound on
/// what it may hit together with everything else.
fn manual(c: &mut Checker<'_>, i: usize, fault: &FaultSpec) {
    let kind = fault_kind_name(&fault.inject);
    let path = |key: &str| format!("faults.{i}.{key}");
    let timed = [
        ("during", fault.during.is_some()),
        ("at", fault.at.is_some()),
        ("every", fault.every.is_some()),
        ("when", fault.when.is_some()),
        ("hold", fault.hold.is_some()),
    ];
    for (key, _) in timed.iter().filter(|(_, there)| *there) {
        let message = format!("`{kind}` is injected by hand, at any time");
        c.wrong(&path(key), message, "not with `manual`");
    }
    if fault.lasts.is_none_or(|lasts| lasts == Span::default()) {
        let message = format!("`{kind}` is injected by hand and never ends");
        c.wrong(&path("manual"), message, "for how long?");
        c.hint("add how long it lasts: `for: 20s`");
    }
    if c.playbook.blast_radius.is_none() && !c.unsure(|gaps| gaps.below("blast_radius")) {
        let message = "a fault that is injected by hand needs a `blast_radius`";
        c.wrong(&path("manual"), message, "how much at most?");
        c.hint("add what faults may hit at most at one time: `blast_radius: {nodes: 1}`");
    }
}

/// With `during`, `at` and `for` stay within the phase.
fn in_phase(c: &mut Checker<'_>, i: usize, kind: &str, phase: &PlannedPhase, run: (Span, Span)) {
    let (at, until) = run;
    let name = &phase.name;
    let length = Span::from_micros(phase.end.micros() - phase.start.micros());
    let hint = "with `during`, `at` counts from the start of the phase; without it, from the start of the run";
    if at >= phase.end && length > Span::default() {
        let message =
            format!("`{kind}` begins after the end of phase `{name}`, which lasts {length}");
        c.wrong(&format!("faults.{i}.at"), message, "not in the phase");
        c.hint(hint);
    } else if until > phase.end {
        let message = format!("`{kind}` outlasts phase `{name}`, which lasts {length}");
        c.wrong(
            &format!("faults.{i}.for"),
            message,
            "`during` and `for` contradict",
        );
        c.hint(hint);
    }
}

fn target(c: &mut Checker<'_>, path: &str, kind: &FaultKind) {
    let site = &c.playbook.site;
    let utilities = || site.utilities.keys().map(String::as_str);
    let all_ups = || site.ups.keys().map(String::as_str);
    let pdus = || site.pdus.keys().map(String::as_str);
    match kind {
        FaultKind::UtilityOutage(f) => {
            if let Some(name) = &f.utility {
                let path = format!("{path}.utility");
                c.exists(&path, ("utility", "the site"), name, utilities());
            }
        }
        FaultKind::Sag(f) | FaultKind::Brownout(f) | FaultKind::Swell(f) => {
            if let Some(name) = &f.utility {
                let path = format!("{path}.utility");
                c.exists(&path, ("utility", "the site"), name, utilities());
            }
        }
        FaultKind::BatteryOpen(f) => {
            let at = format!("{path}.ups");
            c.exists(&at, ("UPS", "the site"), &f.ups, all_ups());
        }
        FaultKind::BatteryAged(f) => {
            c.exists(
                &format!("{path}.ups"),
                ("UPS", "the site"),
                &f.ups,
                all_ups(),
            );
        }
        FaultKind::BreakerOpens(f) => {
            c.exists(&format!("{path}.pdu"), ("PDU", "the site"), &f.pdu, pdus());
        }
        FaultKind::PowerLoss(target) => power_target(c, path, target),
        FaultKind::PowerBrake(f) => node_target(c, &format!("{path}.target"), &f.target, false),
        FaultKind::PowerCap(f) => node_target(c, &format!("{path}.target"), &f.target, false),
        FaultKind::Frequency(_)
        | FaultKind::Waveform(_)
        | FaultKind::GeneratorFails(_)
        | FaultKind::AtsFails(_)
        | FaultKind::UpsFails(_)
        | FaultKind::UpsBypass(_)
        | FaultKind::RetransferFails(_)
        | FaultKind::BreakerPickup(_)
        | FaultKind::OutletOff(_)
        | FaultKind::PsuFails(_)
        | FaultKind::CoolingTrips(_) => devices::target(c, path, kind),
        FaultKind::Hang(t) | FaultKind::LinkDown(t) => node_target(c, path, t, true),
        FaultKind::Dns(f) => {
            node_target(c, &format!("{path}.target"), &f.target, true);
            network::names(c, path, f);
        }
        kind if kind.on_link().is_some() => network::target(c, path, kind),
        disk if disk.volumes().is_some() => super::storage::target(c, path, disk),
        other => {
            if !machines::target(c, path, other) {
                super::telemetry::check(c, path, other);
            }
        }
    }
}

fn power_target(c: &mut Checker<'_>, path: &str, target: &PowerTarget) {
    let (site, stack) = (&c.playbook.site, &c.playbook.stack);
    match target {
        PowerTarget::Feed(name) => {
            let feeds = site.feeds.keys().map(String::as_str);
            c.exists(&format!("{path}.feed"), ("feed", "the site"), name, feeds);
        }
        PowerTarget::Pdu(name) => {
            let pdus = site.pdus.keys().map(String::as_str);
            c.exists(&format!("{path}.pdu"), ("PDU", "the site"), name, pdus);
        }
        PowerTarget::Rack(name) => {
            let racks = site.racks.keys().map(String::as_str);
            let at = format!("{path}.rack");
            if c.exists(&at, ("rack", "the site"), name, racks) {
                hits_something(c, &at, "rack", name);
            }
        }
        PowerTarget::Node(name) => {
            let nodes = stack.nodes.keys().map(String::as_str);
            c.exists(&format!("{path}.node"), ("node", "the stack"), name, nodes);
        }
    }
}

/// A rack with no machine in it is a fault that nobody could notice.
fn hits_something(c: &mut Checker<'_>, path: &str, noun: &str, name: &str) {
    // A machine whose rack could not be read may be in it.
    let placed = |gap: &str| gap.ends_with(".rack") || gap.matches('.').count() < 3;
    if c.unsure(|gaps| gaps.any(|gap| gap.starts_with("stack") && placed(gap))) {
        return;
    }
    if c.wiring.nodes_of_rack(name).is_empty() {
        c.wrong(
            path,
            format!("{noun} `{name}` holds no machine of the stack"),
            "empty",
        );
    }
}

/// A machine; where `any`, also the supervisor or a device's card.
pub(super) fn node_target(c: &mut Checker<'_>, path: &str, target: &NodeTarget, any: bool) {
    let (site, stack) = (&c.playbook.site, &c.playbook.stack);
    match target {
        NodeTarget::Node(name) => {
            let at = format!("{path}.node");
            let supervised = name == SUPERVISOR && supervised(site);
            let is_card = || cards(site, stack).iter().any(|card| &card.node == name);
            if !(any && (supervised || is_card())) {
                let nodes = stack.nodes.keys().map(String::as_str);
                c.exists(&at, ("node", "the stack"), name, nodes);
            }
        }
        NodeTarget::Service(name) => {
            let services = stack.services.keys().map(String::as_str);
            let owner = ("service", "the stack");
            c.exists(&format!("{path}.service"), owner, name, services);
        }
        NodeTarget::Rack(name) => {
            let racks = site.racks.keys().map(String::as_str);
            let at = format!("{path}.rack");
            if c.exists(&at, ("rack", "the site"), name, racks) {
                hits_something(c, &at, "rack", name);
            }
        }
    }
}

fn size(c: &mut Checker<'_>, path: &str, kind: &FaultKind) {
    let mut bad = |key: &str, message: String, label: &str| {
        c.wrong(&format!("{path}.{key}"), message, label);
    };
    let outside = |v: PerUnit, low: f64, high: f64| v.get() < low || v.get() > high;
    match kind {
        FaultKind::Sag(f) if outside(f.to, 0.1, 0.9) => {
            let message = format!("a sag to {} is not a sag", f.to);
            bad("to", message, "10% to 90% (IEEE 1159)");
            c.hint(if f.to.get() < 0.1 {
                "below 10% it is a `utility_outage`"
            } else {
                "above 90% nothing has to notice"
            });
        }
        FaultKind::Brownout(f) if f.to.get() >= 1.0 => {
            bad(
                "to",
                format!("a brownout to {} is none", f.to),
                "below 100%",
            );
        }
        FaultKind::Brownout(f) if f.to.get() < 0.1 => {
            bad(
                "to",
                format!("a brownout to {} leaves nothing", f.to),
                "at least 10%",
            );
            c.hint("below 10% it is a `utility_outage`");
        }
        FaultKind::BatteryAged(f) if outside(f.health, 0.0, 1.0) => {
            let message = format!("a battery cannot have {} of its runtime left", f.health);
            bad("health", message, "0% to 100%");
        }
        FaultKind::PowerBrake(f) if f.clocks.get() <= 0.0 || f.clocks.get() >= 1.0 => {
            let message = format!("a power brake to {} of nominal clocks", f.clocks);
            bad("clocks", message, "above 0%, below 100%");
        }
        _ => {}
    }
}

/// Two faults of one kind on one target at one time undo each other's healing.
fn overlaps(c: &mut Checker<'_>, phases: &[PlannedPhase]) {
    let faults = &c.playbook.faults;
    // Whether one that is injected by hand meets another is asked when it is.
    let timed = || faults.iter().enumerate().filter(|(_, f)| !f.manual);
    for (i, second) in timed() {
        let Ok(times) = occurrences(second, phases) else {
            continue;
        };
        for (j, first) in timed().take_while(|(j, _)| *j < i) {
            let Ok(earlier) = occurrences(first, phases) else {
                continue;
            };
            let Some(((from, to), (at, until))) = meeting(&earlier, &times) else {
                continue;
            };
            let times = ((from, to), (at, until));
            if both(c, (j, first), (i, second), times) {
                break;
            }
        }
    }
}

/// What a fault may be, each with its path.
fn kinds(i: usize, fault: &FaultSpec) -> Vec<(String, &FaultKind)> {
    let others = fault.or.iter().enumerate();
    let others = others.map(|(j, kind)| (format!("faults.{i}.or.{j}"), kind));
    let own = (format!("faults.{i}.inject"), &fault.inject);
    std::iter::once(own).chain(others).collect()
}

/// Whether two faults that meet cannot both be; says why.
fn both(
    c: &mut Checker<'_>,
    (j, first): (usize, &FaultSpec),
    (i, second): (usize, &FaultSpec),
    ((from, to), (at, until)): ((Span, Span), (Span, Span)),
) -> bool {
    for (earlier, a) in kinds(j, first) {
        for (path, b) in kinds(i, second) {
            let (kind, other) = (fault_kind_name(b), fault_kind_name(a));
            let why = devices::contradict(c, a, b).or_else(|| mixed::contradict(c, a, b));
            let collides = collide(c, a, b);
            let message = match why {
                Some(why) => format!("`{other}` and `{kind}` at one time: {why}"),
                None if collides => format!(
                    "`{kind}` on {} from {at} to {until} overlaps another from {from} to {to}",
                    fault_target(b)
                ),
                None => continue,
            };
            c.wrong_key(&format!("{path}.{kind}"), message, "while the first lasts");
            c.also_key(&format!("{earlier}.{other}"), "the first");
            if why.is_none() {
                c.hint("healing the one would heal the other; give them times of their own");
            }
            return true;
        }
    }
    false
}

/// The first two intervals that meet, of two lists in order of time.
fn meeting(
    first: &[(Span, Span)],
    second: &[(Span, Span)],
) -> Option<((Span, Span), (Span, Span))> {
    let (mut i, mut j) = (0, 0);
    while let (Some(a), Some(b)) = (first.get(i), second.get(j)) {
        if a.0 < b.1 && b.0 < a.1 {
            return Some((*a, *b));
        }
        // Whichever ends first meets nothing that comes later.
        if a.1 <= b.1 { i += 1 } else { j += 1 }
    }
    None
}

fn collide(c: &Checker<'_>, a: &FaultKind, b: &FaultKind) -> bool {
    let supply = |kind: &FaultKind| {
        matches!(
            kind,
            FaultKind::UtilityOutage(_)
                | FaultKind::Sag(_)
                | FaultKind::Brownout(_)
                | FaultKind::Swell(_)
                | FaultKind::Waveform(_)
        )
    };
    let frequency = |kind: &FaultKind| matches!(kind, FaultKind::Frequency(_));
    if supply(a) && supply(b) || frequency(a) && frequency(b) {
        let first = c.wiring.faulted_utilities(a);
        let second = c.wiring.faulted_utilities(b);
        return first.iter().any(|u| second.contains(u));
    }
    c.wiring.same_target(a, b)
}
