//! Which nodes a fault really had, and for how long.

use std::collections::BTreeSet;

use ridethrough_targets::clock::Micros;

use super::facts::{Fault, Hit, RunFacts};

/// How a kind of fault reaches a node.
enum Reach {
    /// Through its supply: only nodes that really lost power are hit.
    Supply,
    /// The node itself: every node named.
    Node,
    /// A link between two sides: where one side is a replica, the gateway on
    /// the other side is not what is hit.
    Link,
}

fn reach(kind: &str) -> Reach {
    match kind {
        "hang" | "link_down" | "power_brake" | "power_cap" | "crash_loop" | "cpu_theft"
        | "memory_pressure" | "fd_exhaustion" | "clock_jump" | "dns" => Reach::Node,
        "disk_slow" | "disk_full" | "io_error" | "torn_writes" | "forgets_fsync" => Reach::Node,
        "partition" | "latency" | "loss" => Reach::Link,
        _ => Reach::Supply,
    }
}

/// Whether a kind of fault is in the machines that it names, whatever their
/// power does.
pub(crate) fn is_aimed(kind: &str) -> bool {
    !matches!(reach(kind), Reach::Supply)
}

/// Every node that a fault had, with the time it had it.
pub(crate) fn hits(facts: &RunFacts) -> Vec<Hit> {
    let mut all = Vec::new();
    for (index, fault) in facts.faults.iter().enumerate() {
        let named = &fault.receipt.nodes;
        match reach(&fault.receipt.fault_kind) {
            Reach::Supply => {
                let lost = facts.node_power.keys();
                for node in lost.filter(|n| named.is_empty() || named.contains(n)) {
                    all.extend(dark(facts, index, fault, node));
                }
                for node in facts.uplinks.keys() {
                    all.extend(cut_off(facts, index, fault, node));
                }
            }
            Reach::Node => all.extend(named.iter().map(|n| whole(facts, index, fault, n))),
            Reach::Link => {
                let nodes = link_victims(facts, named);
                all.extend(nodes.iter().map(|n| whole(facts, index, fault, n)));
            }
        }
    }
    all
}

fn whole(facts: &RunFacts, index: usize, fault: &Fault, node: &str) -> Hit {
    Hit {
        fault: index,
        node: node.into(),
        start_us: fault.start_us(),
        end_us: fault.end_us(facts.last_us),
    }
}

/// A node without power is of no use until its service is ready again, which
/// is later than the heal by a boot and the load of a model.
fn dark(facts: &RunFacts, index: usize, fault: &Fault, node: &str) -> Option<Hit> {
    let window = fault.start_us()..=fault.end_us(facts.last_us);
    let off = |(t, on): &&(Micros, bool)| !on && window.contains(t);
    let (start_us, _) = *facts.node_power.get(node)?.iter().find(off)?;
    let back = |r: &&super::facts::Ready| r.node == node && r.t_us > start_us;
    let end_us = facts.ready.iter().find(back).map(|r| r.t_us);
    Some(Hit {
        fault: index,
        node: node.into(),
        start_us,
        end_us: end_us.unwrap_or(facts.last_us).max(start_us),
    })
}

/// A machine whose rack's switch is dark: nobody reaches it until the switch
/// forwards again.
fn cut_off(facts: &RunFacts, index: usize, fault: &Fault, node: &str) -> Option<Hit> {
    let window = fault.start_us()..=fault.end_us(facts.last_us);
    let moves = facts.uplinks.get(node)?;
    let (start_us, _) = *moves.iter().find(|(t, up)| !up && window.contains(t))?;
    let back = moves.iter().find(|(t, up)| *up && *t > start_us);
    Some(Hit {
        fault: index,
        node: node.into(),
        start_us,
        end_us: back.map_or(facts.last_us, |(t, _)| *t),
    })
}

fn link_victims<'a>(facts: &RunFacts, named: &'a [String]) -> Vec<&'a str> {
    let replicas = facts.replicas();
    let hit: BTreeSet<&str> = named.iter().map(|n| &**n).collect();
    if hit.iter().any(|n| replicas.contains(n)) {
        hit.into_iter().filter(|n| replicas.contains(n)).collect()
    } else {
        hit.into_iter().collect()
    }
}
