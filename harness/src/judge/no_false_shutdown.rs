//! No ordered shutdown while every UPS could carry its load.

use std::collections::BTreeSet;

use ridethrough_targets::clock::Micros;

use super::facts::{RunFacts, Weakness};
use super::finding::{Finding, bounded};
use super::quantity::count;
use super::window::Window;
use crate::playbook::NoFalseShutdownAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &NoFalseShutdownAssert) -> Finding {
    let limit = "no shutdown while every UPS can carry its load".to_string();
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let orders = orders(facts);
    let own: Vec<_> = orders
        .iter()
        .filter(|(t_us, _)| window.has(*t_us))
        .collect();
    let unfounded = own.iter().filter(|(t_us, _)| weak(facts, *t_us).is_none());
    let unfounded: Vec<_> = unfounded.collect();
    let evidence = unfounded
        .iter()
        .map(|(t_us, who)| format!("{who} at {}", facts.moment(*t_us)));
    let observed = match (own.len(), unfounded.len()) {
        (0, _) => format!("no shutdown was ordered{}", window.words()),
        (all, 0) => format!(
            "{}, each with a UPS that was running out",
            count(all, "order")
        ),
        (_, n) => format!(
            "{} with every UPS able to carry its load",
            count(n, "order")
        ),
    };
    Finding::held(unfounded.is_empty(), observed, limit).evidence(bounded(evidence))
}

/// When a shutdown was ordered, and who said so: the supervisor, or a UPS's
/// status when it first says so.
fn orders(facts: &RunFacts) -> Vec<(Micros, String)> {
    let moves = facts.moves.iter();
    let own = moves.filter(|m| m.of == "supervisor" && m.to == "shutting_down");
    let mut all: Vec<_> = own.map(|m| (m.t_us, m.of.clone())).collect();
    let mut ordered: BTreeSet<&str> = BTreeSet::new();
    let words = facts.seen.iter();
    for word in words.filter(|s| s.via == "nut" && s.variable == "ups.status") {
        let order = word.value.split_whitespace().any(|token| token == "FSD");
        if !order {
            ordered.remove(&*word.device);
        } else if ordered.insert(&word.device) {
            all.push((word.t_us, format!("FSD of {}", word.device)));
        }
    }
    all.sort();
    all
}

/// A UPS that was running out at a moment, if there was one.
fn weak(facts: &RunFacts, t_us: Micros) -> Option<&(String, Weakness)> {
    let at = |changes: &[(Micros, bool)]| {
        let last = changes.iter().rfind(|(t, _)| *t <= t_us);
        last.is_some_and(|(_, is)| *is)
    };
    let mut all = facts.weak.iter();
    all.find(|(_, changes)| at(changes)).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use ridethrough_targets::plant::Change;

    use super::super::testkit::{FAULT, Record, S};
    use super::super::{Judged, Verdict};

    fn judged(record: &Record) -> Judged {
        let asked = json!({"no_false_shutdown": {}});
        record.judge(&[asked]).assertions.remove(0)
    }

    fn low(record: &mut Record, at: u64, low: bool) {
        let change = Change::LowBattery {
            low,
            charge: 0.2,
            runtime_s: 50.0,
        };
        record.plant(at, "ups-a", change);
    }

    #[test]
    fn a_shutdown_needs_a_reason() {
        let quiet = Record::outage();
        assert_eq!(judged(&quiet).observed, "no shutdown was ordered");
        let order = |r: &mut Record| r.state(FAULT + 5 * S, "supervisor", "shutting_down");
        let false_alarm = judged(&quiet.clone().with(order));
        assert_eq!(false_alarm.verdict, Verdict::Fail);
        assert_eq!(false_alarm.evidence, ["supervisor at t = 10 s"]);
        let founded = quiet
            .clone()
            .with(order)
            .with(|r| low(r, FAULT + 4 * S, true));
        assert_eq!(judged(&founded).verdict, Verdict::Pass);
        let over = founded.with(|r| low(r, FAULT + 4 * S + 1, false));
        assert_eq!(judged(&over).verdict, Verdict::Fail);
    }

    #[test]
    fn a_forced_shutdown_over_nut_is_an_order() {
        let forced = Record::outage().with(|r| r.status(FAULT + 2 * S, "FSD OB DISCHRG"));
        assert_eq!(judged(&forced).verdict, Verdict::Fail);
        let founded = forced.with(|r| low(r, FAULT + S, true));
        assert_eq!(judged(&founded).verdict, Verdict::Pass);
    }
}
