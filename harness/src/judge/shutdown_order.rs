//! Machines go off one after the other because they were told to: plant truth.

use ridethrough_targets::clock::Micros;

use super::facts::RunFacts;
use super::finding::{Finding, bounded};
use super::window::Window;
use crate::playbook::ShutdownOrderAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &ShutdownOrderAssert) -> Finding {
    let limit = format!("told off in order: {}", asked.machines.join(", "));
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let range = window.range();
    let told = |machine: &String| {
        let own = |(t_us, name): &&(Micros, String)| name == machine && range.contains(t_us);
        facts.told_off.iter().find(own).map(|(t_us, _)| *t_us)
    };
    let times: Vec<(&String, Option<Micros>)> =
        asked.machines.iter().map(|m| (m, told(m))).collect();
    let evidence = times.iter().filter_map(|(machine, at)| {
        let at = facts.moment((*at)?);
        Some(format!("{machine} told off at {at}"))
    });
    let evidence = bounded(evidence);
    let lost = facts.nodes_lost_in(window.range());
    let problem = times.iter().find_map(|(machine, at)| match at {
        _ if lost.contains(machine.as_str()) => Some(format!("the power took {machine}")),
        None => Some(format!("{machine} was never told to go off")),
        Some(_) => None,
    });
    let early = times.windows(2).find(|pair| pair[0].1 > pair[1].1);
    let problem = problem
        .or_else(|| early.map(|pair| format!("{} went off before {}", pair[1].0, pair[0].0)));
    let held = problem.is_none();
    let observed = problem.unwrap_or_else(|| {
        let count = times.len();
        format!("{count} of {count} in order{}", window.words())
    });
    Finding::held(held, observed, limit).evidence(evidence)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use ridethrough_targets::plant::Change;

    use super::super::Verdict;
    use super::super::testkit::{FAULT, Record, S};
    use crate::record::Body;

    /// A record in which these machines go off, told to or not.
    fn record(off: &[(u64, &str, &str)]) -> Record {
        let mut record = Record::clean();
        for (at, node, cause) in off {
            let body = Body::Plant {
                component: (*node).into(),
                cause: (*cause).into(),
                change: Change::NodePower { on: false },
            };
            record.add(FAULT + at * S, body);
        }
        record
    }

    #[test]
    fn the_order_and_the_reason_count() {
        let told = "told to";
        for (off, verdict, observed) in [
            (
                vec![(1, "gpu-2", told), (2, "gpu-1", told)],
                Verdict::Pass,
                "2 of 2 in order",
            ),
            (
                vec![(1, "gpu-1", told), (2, "gpu-2", told)],
                Verdict::Fail,
                "gpu-1 went off before gpu-2",
            ),
            (
                vec![(1, "gpu-2", told)],
                Verdict::Fail,
                "gpu-1 was never told to go off",
            ),
            (
                vec![(1, "gpu-2", told), (2, "gpu-1", "hold-up spent")],
                Verdict::Fail,
                "the power took gpu-1",
            ),
        ] {
            let asked = json!({"shutdown_order": {"machines": ["gpu-2", "gpu-1"]}});
            let judged = record(&off).judge(&[asked]).assertions.remove(0);
            assert_eq!((judged.verdict, &*judged.observed), (verdict, observed));
        }
    }
}
