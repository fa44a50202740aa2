//! Faults of the grid's quality and of single power devices: what they name and
//! how large they are.

use ridethrough_faults::catalogue::{
    BreakerPickup, FaultKind, GeneratorFails, OneOutlet, OneSupply, PowerCap, Waveform,
};
use ridethrough_targets::plant::{GeneratorFault, capped_clocks};
use ridethrough_targets::units::Span;

use crate::playbook::{FaultSpec, MOST_POINTS, names};

use super::super::text::fault_kind_name;
use super::checker::Checker;

/// IEEE 1159 knows no higher swell.
const HIGHEST_PU: f64 = 1.8;
/// A machine that keeps more of its clocks steps no slower than its load makes it.
const HIGHEST_CLOCKS: f64 = 0.9;
/// No grid is further off its frequency than this share and still a grid.
const FURTHEST_HZ: f64 = 0.15;

/// From here on, IEEE 1159 calls a low supply an undervoltage, and a high one an
/// overvoltage.
const SAG_ENDS: Span = Span::from_secs(60);

pub(super) fn target(c: &mut Checker<'_>, path: &str, kind: &FaultKind) {
    let site = &c.playbook.site;
    let at = |key: &str| format!("{path}.{key}");
    let mut known = |key: &str, noun: &str, name: &str, all: Vec<&String>| {
        let all = all.into_iter().map(String::as_str);
        c.exists(&at(key), (noun, "the site"), name, all)
    };
    let utilities = || site.utilities.keys().collect();
    match kind {
        FaultKind::Frequency(f) => {
            if let Some(name) = &f.utility {
                known("utility", "utility", name, utilities());
            }
        }
        FaultKind::Waveform(f) => {
            if let Some(name) = &f.utility {
                known("utility", "utility", name, utilities());
            }
        }
        FaultKind::GeneratorFails(f) => {
            let all = site.generators.keys().collect();
            known("generator", "generator", &f.generator, all);
            generator(c, path, &f.generator, f.how);
        }
        FaultKind::AtsFails(f) => {
            let all = site.transfers.keys().collect();
            known("transfer", "transfer switch", &f.transfer, all);
        }
        FaultKind::UpsFails(f) | FaultKind::RetransferFails(f) => {
            known("ups", "UPS", &f.ups, site.ups.keys().collect());
        }
        FaultKind::UpsBypass(f) => {
            known("ups", "UPS", &f.ups, site.ups.keys().collect());
            has_bypass(c, path, &f.ups);
        }
        FaultKind::BreakerPickup(f) => {
            known("pdu", "PDU", &f.pdu, site.pdus.keys().collect());
        }
        FaultKind::CoolingTrips(f) => {
            let all = site.cooling.keys().collect();
            known("cooling", "cooling unit", &f.cooling, all);
        }
        FaultKind::OutletOff(f) => outlet(c, path, f),
        FaultKind::PsuFails(f) => supply(c, path, f),
        _ => {}
    }
}

/// What a site says of its generator by itself is no fault, and healing would
/// mend it.
fn generator(c: &mut Checker<'_>, path: &str, name: &str, how: GeneratorFault) {
    let Some(site) = c.playbook.site.generators.get(name) else {
        return;
    };
    let (key, by_itself) = match how {
        GeneratorFault::Start => ("fails_to_start", site.fails_to_start),
        GeneratorFault::Unstable => ("unstable", site.unstable),
        GeneratorFault::Trip | GeneratorFault::Overheat { .. } => return,
    };
    let place = format!("site.generators.{name}.{key}");
    if by_itself && !c.unsure(|gaps| gaps.cover(&place)) {
        let message = format!("generator `{name}` has this fault in its site");
        c.wrong(&format!("{path}.how"), message, "it cannot fail twice");
        c.also(&place, "here");
    }
}

fn has_bypass(c: &mut Checker<'_>, path: &str, name: &str) {
    let ups = c.playbook.site.ups.get(name);
    let has = ups.is_none_or(|ups| ups.bypass || ups.bypass_from.is_some());
    let place = format!("site.ups.{name}");
    if !has && !c.unsure(|gaps| gaps.below(&place)) {
        let message = format!("UPS `{name}` has no static bypass");
        c.wrong(&format!("{path}.ups"), message, "nothing to put it on");
        c.hint("give it one in its site: `bypass: true`, or `bypass_from: COMPONENT`");
    }
}

/// The cords of a machine, where all that leads to them is known.
fn cords<'a>(c: &Checker<'a>, node: &str) -> Option<(&'a [String], u32)> {
    let playbook = c.playbook;
    let rack = &playbook.stack.nodes.get(node)?.rack;
    let unsure = |gaps: &crate::playbook::Gaps| {
        gaps.below(&format!("stack.nodes.{node}")) || gaps.below("site.racks")
    };
    if c.unsure(unsure) {
        return None;
    }
    let rack = playbook.site.racks.get(rack)?;
    Some((&rack.cords, rack.psu.per_cord))
}

fn outlet(c: &mut Checker<'_>, path: &str, asked: &OneOutlet) {
    let playbook = c.playbook;
    let (pdu_at, node_at) = (format!("{path}.pdu"), format!("{path}.node"));
    let pdus = playbook.site.pdus.keys().map(String::as_str);
    let nodes = playbook.stack.nodes.keys().map(String::as_str);
    let pdu = c.exists(&pdu_at, ("PDU", "the site"), &asked.pdu, pdus);
    let node = c.exists(&node_at, ("node", "the stack"), &asked.node, nodes);
    if let Some((cords, _)) = cords(c, &asked.node)
        && pdu
        && node
        && !cords.contains(&asked.pdu)
    {
        let plugged = names(cords.iter().map(String::as_str));
        let message = format!(
            "`{}` has no cord in `{}`; it is plugged into {plugged}",
            asked.node, asked.pdu
        );
        c.wrong(&pdu_at, message, "not in this PDU");
    }
}

fn supply(c: &mut Checker<'_>, path: &str, asked: &OneSupply) {
    let nodes = c.playbook.stack.nodes.keys().map(String::as_str);
    let at = format!("{path}.node");
    if !c.exists(&at, ("node", "the stack"), &asked.node, nodes) {
        return;
    }
    let Some((cords, per_cord)) = cords(c, &asked.node) else {
        return;
    };
    let count = cords.len() as u64 * u64::from(per_cord);
    if u64::from(asked.supply) >= count {
        let has = match count {
            1 => "one supply, 0".to_string(),
            n => format!("{n} supplies, 0 to {}", n - 1),
        };
        let message = format!(
            "no supply {} in `{}`; it has {has}",
            asked.supply, asked.node
        );
        c.wrong(&format!("{path}.supply"), message, "counted from 0");
    }
}

pub(super) fn size(c: &mut Checker<'_>, path: &str, kind: &FaultKind) {
    let at = |key: &str| format!("{path}.{key}");
    match kind {
        FaultKind::Swell(f) if !(1.1..=HIGHEST_PU).contains(&f.to.get()) => {
            let message = format!("a swell to {} is not a swell", f.to);
            c.wrong(&at("to"), message, "110% to 180% (IEEE 1159)");
            if f.to.get() < 1.0 {
                c.hint("below 100% it is a `sag`");
            }
        }
        FaultKind::Frequency(f) => {
            let nominal = c.playbook.site.nominal.frequency;
            let off = (f.to.get() / nominal.get() - 1.0).abs();
            if off < 1e-9 {
                let message = format!("a frequency of {} is the site's own", f.to);
                c.wrong(&at("to"), message, "nothing changes");
            } else if off > FURTHEST_HZ {
                let message = format!("no grid of {nominal} runs at {}", f.to);
                c.wrong(&at("to"), message, "at most 15% off");
            }
        }
        FaultKind::Waveform(f) => recording(c, path, f),
        FaultKind::GeneratorFails(GeneratorFails {
            how: GeneratorFault::Overheat { after },
            ..
        }) if after.is_zero() => {
            let message = "a generator that overheats in no time";
            c.wrong(&at("how.overheat.after"), message, "longer than 0s");
            c.hint("one that stops at once is `how: trip`");
        }
        FaultKind::BreakerPickup(f) => pickup(c, path, f),
        FaultKind::PowerCap(f) => cap(c, path, f),
        _ => {}
    }
}

fn pickup(c: &mut Checker<'_>, path: &str, asked: &BreakerPickup) {
    let at = format!("{path}.to");
    let breaker = c.playbook.site.pdus.get(&asked.pdu).map(|pdu| &pdu.breaker);
    if asked.to.get() <= 0.0 {
        c.wrong(&at, "a breaker that trips at nothing", "above 0%");
    } else if breaker.is_some_and(|b| b.pickup == asked.to) {
        let message = format!("the breaker of `{}` is set to {}", asked.pdu, asked.to);
        c.wrong(&at, message, "nothing changes");
    }
}

/// A recording goes forward, is no longer than its fault, and holds voltages.
fn recording(c: &mut Checker<'_>, path: &str, asked: &Waveform) {
    let at = |point: usize, part: usize| format!("{path}.profile.{point}.{part}");
    let points = &asked.profile;
    if points.is_empty() {
        let message = "a recording without a point";
        c.wrong_key(&format!("{path}.profile"), message, "empty");
    } else if points.len() > MOST_POINTS {
        let message = format!("a recording of {} points", points.len());
        let label = "at most 2000";
        c.wrong_key(&format!("{path}.profile"), message, label);
        c.hint("RMS values change once in half a cycle; leave out those that do not change");
    }
    for (i, (time, level)) in points.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|before| points.get(before));
        if before.is_some_and(|(before, _)| before >= time) {
            let message = format!("{time} does not come after the point before it");
            c.wrong(&at(i, 0), message, "times must rise");
        }
        if level.get() > HIGHEST_PU {
            let message = format!("a voltage of {level}");
            c.wrong(&at(i, 1), message, "at most 180% (IEEE 1159)");
        }
    }
}

/// A limit that a machine can be held to, and that holds it.
fn cap(c: &mut Checker<'_>, path: &str, asked: &PowerCap) {
    let playbook = c.playbook;
    for name in c.wiring.nodes_of(&asked.target) {
        let Some(node) = playbook.stack.nodes.get(&name) else {
            continue;
        };
        if c.unsure(|gaps| gaps.below(&format!("stack.nodes.{name}"))) {
            continue;
        }
        let (message, label) = if asked.to < node.idle {
            let message = format!("`{name}` draws {} when it does nothing", node.idle);
            (message, "below that it cannot be held")
        } else if asked.to >= node.peak {
            let message = format!("`{name}` never draws more than {}", node.peak);
            (message, "holds nothing back")
        } else if capped_clocks(asked.to.get(), node.peak.get()) > HIGHEST_CLOCKS {
            let message = format!("{} of {} hardly slows `{name}` down", asked.to, node.peak);
            (message, "too little to be measured")
        } else {
            continue;
        };
        c.wrong(&format!("{path}.to"), message, label);
    }
}

/// How long some faults may be, and must be.
pub(super) fn time(c: &mut Checker<'_>, i: usize, fault: &FaultSpec, times: (Span, Span)) {
    short(c, i, fault_kind_name(&fault.inject), times);
    fits(c, i, fault, times);
}

/// A sag or a swell is shorter than a minute.
fn short(c: &mut Checker<'_>, i: usize, kind: &str, (at, until): (Span, Span)) {
    let hint = match kind {
        "sag" => "a supply that stays low is a `brownout`",
        "swell" => "a supply that stays high is an overvoltage: write it as a `waveform`",
        _ => return,
    };
    if until.micros().saturating_sub(at.micros()) >= SAG_ENDS.micros() {
        let message = format!("a {kind} from {at} to {until} is not a {kind}");
        let path = format!("faults.{i}.inject.{kind}");
        c.wrong_key(&path, message, "less than a minute (IEEE 1159)");
        c.hint(hint);
    }
}

/// A recording is over before its fault is.
fn fits(c: &mut Checker<'_>, i: usize, fault: &FaultSpec, (at, until): (Span, Span)) {
    let FaultKind::Waveform(waveform) = &fault.inject else {
        return;
    };
    let last = waveform.profile.last().map(|(at, _)| *at);
    let lasts = Span::from_micros(until.micros().saturating_sub(at.micros()));
    if let Some(last) = last.filter(|last| *last >= lasts) {
        let message = format!("a recording whose last point is at {last} in a fault of {lasts}");
        let path = format!("faults.{i}.inject.waveform.profile");
        c.wrong_key(&path, message, "longer than its fault");
        c.hint("give the fault more time, or leave the end of the recording out");
    }
}

/// Why two faults cannot both be shown while they last, beyond undoing each
/// other.
pub(super) fn contradict(c: &Checker<'_>, a: &FaultKind, b: &FaultKind) -> Option<&'static str> {
    one_way(c, a, b).or_else(|| one_way(c, b, a))
}

fn one_way(c: &Checker<'_>, a: &FaultKind, b: &FaultKind) -> Option<&'static str> {
    let meet = |a: &[&str], b: &[&str]| a.iter().any(|one| b.contains(one));
    let utilities = |kind| c.wiring.faulted_utilities(kind);
    match (a, b) {
        (FaultKind::UtilityOutage(_), FaultKind::Frequency(_)) => {
            meet(&utilities(a), &utilities(b)).then_some("at 0 V there is no frequency to see")
        }
        (FaultKind::UpsFails(f), FaultKind::UpsBypass(g)) => {
            (f.ups == g.ups).then_some("a UPS whose converter failed is off it already")
        }
        (FaultKind::RetransferFails(f), FaultKind::UpsFails(g) | FaultKind::UpsBypass(g)) => {
            (f.ups == g.ups).then_some("a UPS that is off its converter returns from nothing")
        }
        (FaultKind::BreakerOpens(f), FaultKind::BreakerPickup(g)) => {
            (f.pdu == g.pdu).then_some("a breaker that is open cannot trip")
        }
        (FaultKind::BreakerOpens(f), FaultKind::OutletOff(g)) => {
            (f.pdu == g.pdu).then_some("behind an open breaker an outlet makes no difference")
        }
        (FaultKind::PowerCap(f), FaultKind::PowerBrake(g)) => {
            let braked = c.wiring.nodes_of(&g.target);
            let both = c
                .wiring
                .nodes_of(&f.target)
                .iter()
                .any(|n| braked.contains(n));
            both.then_some("the stronger of the two hides the other")
        }
        _ => None,
    }
}
