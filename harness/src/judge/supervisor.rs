//! A state is reported in time: telemetry, not truth.

use std::collections::BTreeMap;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::supervisor::SupervisorState;

use super::facts::RunFacts;
use super::finding::Finding;
use super::quantity::{room_ms, time};
use super::window::Window;
use crate::playbook::{Source, SupervisorAssert};

pub(crate) fn judge(facts: &RunFacts, asked: &SupervisorAssert) -> Finding {
    let state = asked.reports;
    let via = match asked.via {
        Source::Nut => "NUT",
        Source::Supervisor => "the supervisor",
    };
    let settling = matches!(state, SupervisorState::Recovered | SupervisorState::Utility);
    let since = if settling { "the heal" } else { "the fault" };
    let limit = format!("{state} within {} of {since}", asked.within);
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let origin = if settling {
        window.last_heal_us(facts)
    } else {
        window.first_fault_us(facts)
    };
    let Some(origin) = origin else {
        let why = format!("no fault to count from{}", window.words());
        return Finding::invalid(why, limit);
    };
    let spells = match asked.via {
        Source::Supervisor => by_supervisor(facts, state),
        Source::Nut => match by_nut(facts, state) {
            Some(spells) => spells,
            None => {
                let why = format!("NUT has no word for {state}; ask the supervisor");
                return Finding::invalid(why, limit);
            }
        },
    };
    // A settled state counts from where it holds for good, or until another
    // phase's fault ends it. Where the state went on from there (recovered
    // becomes utility), its first word counts.
    let first = spells.iter().find(|s| s.0 >= origin);
    let until = window.disturbed_us(facts, origin);
    let last = spells.iter().rfind(|s| s.0 < until);
    let held = last.filter(|s| settling && s.1.is_none_or(|end| end >= until));
    match held.or(first) {
        Some((at, _)) => {
            let took = at.saturating_sub(origin);
            let observed = format!("{state} by {via} after {}", time(took));
            Finding::held(took <= asked.within.micros(), observed, limit)
                .margin(room_ms(asked.within.micros(), took), "ms")
                .evidence(vec![format!("{state} at {}", facts.moment(*at))])
        }
        None => Finding::held(false, format!("{via} never reported {state}"), limit),
    }
}

/// When a state began, and when it ended (`None`: it held to the end).
type Spell = (Micros, Option<Micros>);

fn spells(changes: impl Iterator<Item = (Micros, bool)>) -> Vec<Spell> {
    let mut all: Vec<Spell> = Vec::new();
    for (t_us, holds) in changes {
        let open = all.last_mut().filter(|s| s.1.is_none());
        match (open, holds) {
            (None, true) => all.push((t_us, None)),
            (Some(spell), false) => spell.1 = Some(t_us),
            _ => {}
        }
    }
    all
}

fn by_supervisor(facts: &RunFacts, state: SupervisorState) -> Vec<Spell> {
    let moves = facts.moves.iter().filter(|m| m.of == "supervisor");
    spells(moves.map(|m| (m.t_us, m.to == state.to_string())))
}

/// What `ups.status` says of the whole site, or `None` where it has no word
/// for the state. A device's words hold until it says others.
fn by_nut(facts: &RunFacts, state: SupervisorState) -> Option<Vec<Spell>> {
    use SupervisorState as S;
    if matches!(state, S::Transferring | S::Retransfer) {
        return None;
    }
    let words = facts
        .seen
        .iter()
        .filter(|s| s.via == "nut" && s.variable == "ups.status");
    let mut latest: BTreeMap<&str, &str> = BTreeMap::new();
    let mut changes = Vec::new();
    for word in words {
        latest.insert(&word.device, &word.value);
        let has = |value: &str, token: &str| {
            value
                .split(|c: char| c.is_whitespace() || c == ',')
                .any(|t| t == token)
        };
        let any = |token: &str| latest.values().any(|value| has(value, token));
        let mute = |value: &str| value.contains("DATA-STALE") || value.contains("UNREACHABLE");
        let holds = match state {
            S::OnBattery => any("OB"),
            S::LowBattery => latest.values().any(|v| has(v, "OB") && has(v, "LB")),
            S::ShuttingDown => any("FSD"),
            S::Blind => latest.values().all(|v| mute(v)),
            _ => latest.values().all(|v| has(v, "OL") && !has(v, "FSD")),
        };
        changes.push((word.t_us, holds));
    }
    Some(spells(changes.into_iter()))
}
