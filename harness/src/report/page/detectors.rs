//! How soon after each fault each detector noticed.

use ridethrough_targets::clock::Micros;

use super::follow::word;
use crate::judge::{Fault, RunFacts, show_time};

/// Who noticed a fault, when and how. A detector that never did is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noticed {
    /// The fault's kind and target.
    pub(crate) fault: String,
    /// What each detector said first, in the order of [`DETECTORS`].
    pub(crate) by: [Option<(Micros, String)>; 5],
}

/// The detectors, from the power to the reader.
pub(crate) const DETECTORS: [&str; 5] =
    ["equipment", "telemetry", "supervisor", "gateway", "client"];

/// One line for each fault.
pub(crate) fn noticed(facts: &RunFacts) -> Vec<Noticed> {
    let one = |fault: &Fault| {
        let start = fault.start_us();
        let window = start..until(facts, start);
        let within = |t_us: Micros| window.contains(&t_us);
        let named = |name: &str| {
            let receipt = &fault.receipt;
            let known = receipt.ups.is_empty() && receipt.nodes.is_empty();
            known || receipt.ups.iter().chain(&receipt.nodes).any(|n| n == name)
        };
        let mut ups = facts.ups_moves.iter();
        let ups = ups.find(|m| within(m.t_us) && named(&m.ups));
        let mut seen = facts.seen.iter();
        let seen = seen.find(|s| within(s.t_us) && named(&s.device));
        let mut moves = facts.moves.iter().filter(|m| within(m.t_us));
        let supervisor = moves.clone().find(|m| m.of == "supervisor");
        let gateway = moves.find(|m| match m.of.strip_prefix("replica:") {
            Some(_) => m.to == "unhealthy",
            None => m.of == "shedding",
        });
        let client = facts.rows.iter();
        let client = client.filter_map(|row| Some((row.first_error_us?, row)));
        let client = client.filter(|(t_us, _)| within(*t_us));
        let client = client.min_by_key(|(t_us, _)| *t_us);
        let after = |t_us: Micros, text: String| (t_us - start, text);
        Noticed {
            fault: format!("{} of {}", fault.receipt.fault_kind, fault.receipt.target),
            by: [
                ups.map(|m| after(m.t_us, format!("{}: {}", m.ups, word(&m.to)))),
                seen.map(|s| after(s.t_us, format!("{} {} = {}", s.device, s.variable, s.value))),
                supervisor.map(|m| after(m.t_us, m.to.clone())),
                gateway.map(|m| after(m.t_us, format!("{}: {}", m.of, m.to))),
                client.map(|(t_us, row)| after(t_us, format!("{}: {}", row.id, row.fate))),
            ],
        }
    };
    facts.faults.iter().map(one).collect()
}

/// What comes after the next fault's start may be that one's doing.
fn until(facts: &RunFacts, start: Micros) -> Micros {
    let starts = facts.faults.iter().map(Fault::start_us);
    starts
        .filter(|t_us| *t_us > start)
        .min()
        .unwrap_or(Micros::MAX)
}

/// A latency in words.
pub(crate) fn show(noticed: Option<&(Micros, String)>) -> String {
    match noticed {
        Some((us, _)) => show_time(*us),
        None => "–".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::noticed;
    use crate::judge::RunFacts;
    use crate::judge::testkit::{FAULT, MS, Record};

    #[test]
    fn each_detector_is_timed_from_the_fault() {
        let record = Record::loss().with(|r| {
            r.edit("chat-21", |row| row.first_error_us = Some(FAULT + 520 * MS));
        });
        let found = noticed(&RunFacts::of(record.events()));
        let gateway = found[0].by[3].clone().expect("an eviction");
        assert_eq!(gateway, (600 * MS, "replica:gpu-2: unhealthy".into()));
        assert_eq!(found[0].by[4].clone().map(|by| by.0), Some(520 * MS));
        assert_eq!(found[0].by[2], None);
    }
}
