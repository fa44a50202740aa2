//! How many machines lost power or were braked: plant truth.

use super::facts::RunFacts;
use super::finding::{Finding, bounded};
use super::window::Window;
use crate::playbook::NodesAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &NodesAssert) -> Finding {
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, String::new()),
    };
    let lost = facts.nodes_lost_in(window.range());
    let braked = facts.nodes_braked_in(window.range());
    let (n_lost, n_braked) = (lost.len() as i64, braked.len() as i64);
    let bounds = [
        (asked.lost_at_most, true, n_lost, "lost"),
        (asked.lost_at_least, false, n_lost, "lost"),
        (asked.braked_at_most, true, n_braked, "braked"),
        (asked.braked_at_least, false, n_braked, "braked"),
    ];
    let mut limits = Vec::new();
    let mut room = i64::MAX;
    for (bound, most, seen, what) in bounds {
        let Some(bound) = bound else { continue };
        let side = if most { "most" } else { "least" };
        limits.push(format!("at {side} {bound} {what}"));
        let gap = i64::from(bound) - seen;
        room = room.min(if most { gap } else { -gap });
    }
    let limit = limits.join(", ");
    if limits.is_empty() {
        return Finding::invalid("no bound is given".into(), limit);
    }
    let names = lost.iter().map(|n| format!("{n} lost power"));
    let names = names.chain(braked.iter().map(|n| format!("{n} braked")));
    let observed = format!("{n_lost} lost, {n_braked} braked{}", window.words());
    Finding::held(room >= 0, observed, limit)
        .margin(room as f64, "machines")
        .evidence(bounded(names))
}
