//! Whether every acknowledged write is there when the last phase is over.

use std::collections::BTreeMap;

use super::facts::RunFacts;
use super::finding::{Finding, bounded};
use super::quantity::count;
use super::window::Window;
use crate::playbook::DurabilityAssert;
use crate::writer::{WriteOutcome, WriteRow};

pub(crate) fn judge(facts: &RunFacts, asked: &DurabilityAssert) -> Finding {
    let limit = format!("at most {} lost", asked.lost);
    let window = match Window::of(facts, asked.during.as_ref()) {
        Ok(window) => window,
        Err(why) => return Finding::invalid(why, limit),
    };
    let here = facts.writes.iter().filter(|w| w.service == asked.service);
    let acknowledged: Vec<(&WriteRow, u64)> = here
        .filter(|row| window.has(row.sent_us))
        .filter_map(|row| match row.outcome {
            WriteOutcome::Acknowledged { sequence } => Some((row, sequence)),
            _ => None,
        })
        .collect();
    let least = asked.at_least.unwrap_or(1).max(1) as usize;
    let all = count(acknowledged.len(), "acknowledged write");
    if acknowledged.len() < least {
        let during = window.words();
        return Finding::invalid(format!("{all}{during}, fewer than {least}"), limit);
    }
    let mut told = BTreeMap::new();
    for found in &facts.read_back {
        let lists = [
            (&found.missing, "missing"),
            (&found.changed, "not as it was written"),
            (&found.unread, "not to be reached until the end"),
        ];
        let fates = told.entry(&*found.writer).or_insert_with(BTreeMap::new);
        for (list, fate) in lists {
            fates.extend(list.iter().map(|index| (*index, fate)));
        }
    }
    if let Some((row, _)) = acknowledged
        .iter()
        .find(|(row, _)| !told.contains_key(&*row.writer))
    {
        let why = format!("writer {} never told what it read back", row.writer);
        return Finding::invalid(why, limit);
    }
    let untried = facts
        .read_back
        .iter()
        .map(|found| (&*found.writer, found.untried.len()));
    if let Some((writer, n)) = untried.clone().find(|(_, n)| *n > 0) {
        let records = count(n, "record");
        let why =
            format!("writer {writer} had no time to read {records} back before the end of the run");
        return Finding::invalid(why, limit);
    }
    let fate = |row: &WriteRow| told.get(&*row.writer)?.get(&row.index).copied();
    let lost: Vec<_> = acknowledged
        .iter()
        .filter_map(|(row, sequence)| Some((*row, *sequence, fate(row)?)))
        .collect();
    let say = |(row, sequence, fate): &(&WriteRow, u64, &str)| {
        let (writer, index) = (&row.writer, row.index);
        let at = facts.moment(row.end_us);
        format!("#{sequence} ({writer}-{index}, acknowledged at {at}): {fate}")
    };
    let observed = format!("{} of {all} lost{}", lost.len(), window.words());
    Finding::held(lost.len() <= asked.lost as usize, observed, limit)
        .margin(f64::from(asked.lost) - lost.len() as f64, "writes")
        .evidence(bounded(lost.iter().map(say)))
}
