//! The faults of a plan: each repetition of its own, each choice drawn.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::service::Program;
use ridethrough_targets::units::Span;

use crate::playbook::{Condition, FaultSpec, Playbook};

use super::model::{NodeRole, Occasion, PlannedFault, PlannedNode, PlannedPhase};
use super::seed::service_seed;
use super::text::{fault_kind_name, fault_target};
use super::time::{occurrences, wait};
use super::wiring::Wiring;

/// Every injection of every fault, in the order in which they were written.
pub(crate) fn faults(
    playbook: &Playbook,
    phases: &[PlannedPhase],
    nodes: &[PlannedNode],
) -> Option<Vec<PlannedFault>> {
    let wiring = Wiring::new(playbook);
    let mut planned: Vec<PlannedFault> = Vec::new();
    let mut names = Names::default();
    for (written, fault) in playbook.faults.iter().enumerate() {
        let mut random = chooser(playbook.seed, written);
        for (at, until) in occurrences(fault, phases).ok()? {
            let kind = drawn(fault, &mut random);
            let kind_name = fault_kind_name(kind);
            let wanted = fault.name.clone().unwrap_or_else(|| kind_name.into());
            let occasion = fault.when.as_ref().map(|when| Occasion {
                when: when.clone(),
                text: condition(when),
                within: wait(fault, phases),
                tellers: tellers(playbook, nodes, when),
            });
            let waits = occasion.as_ref().map(|o| o.within).unwrap_or_default();
            let lasts = until.micros() - at.micros() - waits.micros();
            planned.push(PlannedFault {
                index: planned.len(),
                name: names.unused(playbook, written, wanted),
                kind: kind.clone(),
                kind_name,
                target: fault_target(kind),
                at,
                until,
                lasts: Span::from_micros(lasts),
                occasion,
                hold: fault.hold.clone(),
                manual: fault.manual,
                written,
                reach: wiring.reach(kind),
            });
        }
    }
    Some(planned)
}

/// The generator of one fault's choices: another fault more changes none of
/// them.
fn chooser(seed: u64, written: usize) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(service_seed(seed, "faults", &written.to_string()))
}

/// One of what a fault may be.
fn drawn<'a>(fault: &'a FaultSpec, random: &mut ChaCha8Rng) -> &'a FaultKind {
    if fault.or.is_empty() {
        return &fault.inject;
    }
    let count = fault.or.len() as u64 + 1;
    // The bias of a remainder of 64 bits is beyond measuring.
    match (random.next_u64() % count) as usize {
        0 => &fault.inject,
        n => &fault.or[n - 1],
    }
}

/// Gives every planned fault a name of its own.
#[derive(Default)]
struct Names {
    taken: BTreeSet<String>,
    /// The number to try next, by the name that was wanted.
    next: BTreeMap<String, u64>,
}

impl Names {
    /// The name that was wanted, or the first of `-2`, `-3` ... that nobody has
    /// or will have.
    fn unused(&mut self, playbook: &Playbook, written: usize, wanted: String) -> String {
        let own = playbook.faults[written].name.is_some();
        let mut later = playbook.faults[written + 1..].iter();
        let promised = !own && later.any(|f| f.name.as_ref() == Some(&wanted));
        if !promised && self.taken.insert(wanted.clone()) {
            return wanted;
        }
        let next = self.next.entry(wanted.clone()).or_insert(2);
        loop {
            let name = format!("{wanted}-{next}");
            *next += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// A condition in words, after "when".
pub(crate) fn condition(when: &Condition) -> String {
    match when {
        Condition::BatteryBelow(it) => {
            format!("the battery of {} is below {}", it.ups, it.charge)
        }
        Condition::Token(n) => format!("a client has token {n} of an answer"),
        Condition::Prefill(it) => {
            let on = it.on.as_ref().map(|on| format!(" on {on}"));
            let on = on.unwrap_or_default();
            format!("{} or more requests are in prefill{on}", it.at_least)
        }
        Condition::Supervisor(state) => format!("the supervisor is {state}"),
    }
}

/// The services that can tell when a condition is met.
fn tellers(playbook: &Playbook, nodes: &[PlannedNode], when: &Condition) -> Vec<(String, String)> {
    let running = |wanted: &str, of: &dyn Fn(&PlannedNode) -> bool| {
        let nodes = nodes.iter().filter(|node| of(node));
        let services = nodes.flat_map(|node| node.services.iter().map(move |s| (node, s)));
        let fit = services.filter(|(_, service)| {
            matches!(&service.program, Program::Builtin { name, .. } if name == wanted)
        });
        fit.map(|(node, service)| (node.name.clone(), service.name.clone()))
            .collect()
    };
    match when {
        Condition::Token(_) => running("load", &|node| node.role == NodeRole::Client),
        Condition::Prefill(it) => {
            let wiring = Wiring::new(playbook);
            let on = it.on.as_ref().map(|on| wiring.side(on));
            running("replica", &|node| {
                on.as_ref().is_none_or(|on| on.contains(&node.name))
            })
        }
        Condition::BatteryBelow(_) | Condition::Supervisor(_) => Vec::new(),
    }
}
