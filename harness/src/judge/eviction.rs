//! How soon a gateway takes a failed replica out, and a healed one back.

use ridethrough_targets::clock::Micros;

use super::facts::{Hit, RunFacts};
use super::finding::{Finding, bounded};
use super::quantity::{room_ms, time};
use super::window::Window;
use crate::playbook::EvictionAssert;

/// Eviction: from the moment the replica was hit.
pub(crate) fn judge(facts: &RunFacts, asked: &EvictionAssert) -> Finding {
    let limit = format!("out within {}", asked.within);
    measure(facts, asked, limit, "taken out", |hit| {
        let out = turned(facts, &hit.node, "unhealthy", hit.start_us)?;
        Some(out.saturating_sub(hit.start_us))
    })
}

/// Readmission: from the replica's readiness after the heal, or from the heal
/// where it never went down.
pub(crate) fn readmission(facts: &RunFacts, asked: &EvictionAssert) -> Finding {
    let limit = format!("back within {}", asked.within);
    measure(facts, asked, limit, "taken back", |hit| {
        let out = turned(facts, &hit.node, "unhealthy", hit.start_us)?;
        let healed = facts.faults.get(hit.fault)?.healed_us?;
        let dark = facts.node_power.get(&hit.node).into_iter().flatten();
        let went_down = dark.clone().any(|(t, on)| !on && *t >= hit.start_us);
        let ready = if went_down {
            let mut starts = facts.ready.iter().filter(|r| r.node == hit.node);
            starts.find(|r| r.t_us > hit.start_us)?.t_us
        } else {
            healed
        };
        // A gateway may see it answer before its own word of readiness is
        // written down, or have taken it back before the heal for good: it is
        // then back at once.
        let from = out.max(ready.min(healed));
        let moves = facts.moves.iter().filter(|m| watches(&m.of, &hit.node));
        let view = moves.take_while(|m| m.t_us <= from).last();
        if view.is_some_and(|m| m.to == "healthy") {
            return Some(0);
        }
        let back = turned(facts, &hit.node, "healthy", from)?;
        Some(back.saturating_sub(ready))
    })
}

/// When a gateway's view of a replica first became this, from a time on.
fn turned(facts: &RunFacts, replica: &str, to: &str, from_us: Micros) -> Option<Micros> {
    let mut moves = facts.moves.iter();
    let found = moves.find(|m| m.t_us >= from_us && m.to == to && watches(&m.of, replica));
    found.map(|m| m.t_us)
}

/// This state machine is a gateway's view of that replica.
fn watches(of: &str, replica: &str) -> bool {
    of.strip_prefix("replica:") == Some(replica)
}

/// The slowest of the replicas that were hit; one that never got there fails.
fn measure(
    facts: &RunFacts,
    asked: &EvictionAssert,
    limit: String,
    done: &str,
    took: impl Fn(&Hit) -> Option<Micros>,
) -> Finding {
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let replicas = facts.replicas();
    let mut hits: Vec<&Hit> = window.hits(facts);
    match &asked.replica {
        Some(only) => hits.retain(|h| h.node == *only),
        None => hits.retain(|h| replicas.contains(&*h.node)),
    }
    if hits.is_empty() {
        let which = asked.replica.as_deref().unwrap_or("any replica");
        let during = window.words();
        return Finding::invalid(format!("no fault hit {which}{during}"), limit);
    }
    let times: Vec<(&str, Option<Micros>)> = hits.iter().map(|h| (&*h.node, took(h))).collect();
    let say = |(node, took): &(&str, Option<Micros>)| match took {
        Some(us) => format!("{node} {done} after {}", time(*us)),
        None => format!("{node} never {done}"),
    };
    let evidence = bounded(times.iter().map(say));
    let worst = times
        .iter()
        .max_by_key(|(_, took)| took.unwrap_or(Micros::MAX));
    let Some(worst) = worst else {
        return Finding::invalid("no fault hit any replica".into(), limit);
    };
    let held = worst.1.is_some_and(|us| us <= asked.within.micros());
    let room = worst
        .1
        .map_or(f64::NEG_INFINITY, |us| room_ms(asked.within.micros(), us));
    Finding::held(held, say(worst), limit)
        .margin(room, "ms")
        .evidence(evidence)
}
