//! The blast radius: what the faults that are planned would hit at one time.
//!
//! Faults of the supply are left to the run: which machines they take depends
//! on batteries and transfer switches, and the run ends where it is too much.

use std::collections::BTreeSet;

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::plant::PowerTarget;
use ridethrough_targets::units::Span;

use crate::playbook::BlastRadius;

use super::super::text::fault_kind_name;
use super::super::time::{occurrences, phases};
use super::checker::Checker;

/// One injection, by its place in the playbook.
struct Hit {
    fault: usize,
    path: String,
    at: Span,
    until: Span,
    nodes: BTreeSet<String>,
    racks: BTreeSet<String>,
    feeds: BTreeSet<String>,
}

pub(super) fn check(c: &mut Checker<'_>) {
    let Some(radius) = c.playbook.blast_radius.clone() else {
        return;
    };
    let hits = hits(c);
    for hit in &hits {
        // All that goes on at its beginning; the greatest number is at one.
        let with = at_once(&hits, hit);
        if let Some((key, message)) = too_much(&radius, &with) {
            let place = &hit.path;
            c.wrong_key(place, message, "too much at once");
            c.also(&format!("blast_radius.{key}"), "the limit");
            for other in with.iter().filter(|other| other.fault != hit.fault) {
                c.also_key(&other.path, "and this");
            }
            return;
        }
    }
}

/// One injection and what goes on when it begins. Of what another fault may be,
/// only one is drawn: the one with the most machines.
fn at_once<'a>(hits: &'a [Hit], one: &'a Hit) -> Vec<&'a Hit> {
    let mut with = vec![one];
    let others = hits.iter().filter(|h| h.fault != one.fault);
    for other in others.filter(|h| h.at <= one.at && one.at < h.until) {
        match with.iter().position(|h| h.fault == other.fault) {
            Some(at) if with[at].nodes.len() < other.nodes.len() => with[at] = other,
            Some(_) => {}
            None => with.push(other),
        }
    }
    with
}

fn hits(c: &Checker<'_>) -> Vec<Hit> {
    let playbook = c.playbook;
    let phases = phases(&playbook.phases);
    let mut hits = Vec::new();
    // Faults by hand are held against it when they are injected.
    let timed = playbook
        .faults
        .iter()
        .enumerate()
        .filter(|(_, f)| !f.manual);
    for (i, fault) in timed {
        let Ok(times) = occurrences(fault, &phases) else {
            continue;
        };
        let others = fault.or.iter().enumerate();
        let others = others.map(|(j, kind)| (format!("faults.{i}.or.{j}"), kind));
        let own = (format!("faults.{i}.inject"), &fault.inject);
        for (path, kind) in std::iter::once(own).chain(others) {
            let nodes: BTreeSet<String> = struck(c, kind).into_iter().collect();
            let stack = &playbook.stack.nodes;
            let racks = nodes.iter().filter_map(|n| stack.get(n));
            let racks: BTreeSet<String> = racks.map(|node| node.rack.clone()).collect();
            let feeds: BTreeSet<String> = match kind {
                FaultKind::PowerLoss(PowerTarget::Feed(feed)) => [feed.clone()].into(),
                _ => BTreeSet::new(),
            };
            for (at, until) in &times {
                hits.push(Hit {
                    fault: i,
                    path: format!("{path}.{}", fault_kind_name(kind)),
                    at: *at,
                    until: *until,
                    nodes: nodes.clone(),
                    racks: racks.clone(),
                    feeds: feeds.clone(),
                });
            }
        }
    }
    hits
}

/// The machines that a fault takes for certain, or is in.
fn struck(c: &Checker<'_>, kind: &FaultKind) -> Vec<String> {
    let reach = c.wiring.reach(kind);
    match kind {
        FaultKind::PowerLoss(_) | FaultKind::BreakerOpens(_) => {
            let alone = |node: &String| !reach.dual_corded.contains(node);
            reach.nodes.iter().filter(|n| alone(n)).cloned().collect()
        }
        _ if c.wiring.is_in_machines(kind) => reach.nodes,
        _ => Vec::new(),
    }
}

fn too_much(radius: &BlastRadius, hits: &[&Hit]) -> Option<(&'static str, String)> {
    let all = |of: fn(&Hit) -> &BTreeSet<String>| -> BTreeSet<String> {
        hits.iter()
            .flat_map(|hit| of(hit).iter().cloned())
            .collect()
    };
    let kinds = [
        ("nodes", radius.nodes, all(|h| &h.nodes)),
        ("racks", radius.racks, all(|h| &h.racks)),
        ("feeds", radius.feeds, all(|h| &h.feeds)),
    ];
    kinds.into_iter().find_map(|(key, most, hit)| {
        let most = most? as usize;
        let names: Vec<&str> = hit.iter().map(String::as_str).collect();
        let (n, names) = (hit.len(), names.join(", "));
        let message =
            format!("{n} {key} are hit at once ({names}), and `blast_radius` allows {most}");
        (n > most).then_some((key, message))
    })
}
