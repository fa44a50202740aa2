//! What became of the requests.

use super::facts::RunFacts;
use super::finding::{Finding, ids};
use super::quantity::count;
use super::scope;
use crate::load::{Fate, Group, LedgerRow};
use crate::playbook::ContinuityAssert;

/// A count with its bounds.
struct Bound {
    what: &'static str,
    seen: u32,
    most: Option<u32>,
    least: Option<u32>,
}

impl Bound {
    /// Requests left before a bound is broken; negative beyond it.
    fn room(&self) -> Option<i64> {
        let seen = i64::from(self.seen);
        let most = self.most.map(|most| i64::from(most) - seen);
        let least = self.least.map(|least| seen - i64::from(least));
        most.into_iter().chain(least).min()
    }

    fn limit(&self) -> Option<String> {
        let most = self.most.map(|n| match n {
            0 => format!("no {}", self.what),
            n => format!("at most {n} {}", self.what),
        });
        let least = self.least.map(|n| format!("at least {n} {}", self.what));
        let both: Vec<String> = most.into_iter().chain(least).collect();
        (!both.is_empty()).then(|| both.join(", "))
    }
}

pub(crate) fn judge(facts: &RunFacts, asked: &ContinuityAssert) -> Finding {
    let rows = scope::select(facts, &asked.of);
    let all: &[&LedgerRow] = rows.as_deref().unwrap_or(&[]);
    let group = |group: Group| all.iter().filter(|r| r.group() == group).count() as u32;
    let resumed = all.iter().filter(|r| r.fate == Fate::Resumed).count() as u32;
    let bound = |what, seen, most, least| Bound {
        what,
        seen,
        most,
        least,
    };
    let bounds = [
        bound("lost", group(Group::Lost), Some(asked.lost), None),
        bound("torn", group(Group::Torn), Some(asked.torn), None),
        bound(
            "corrupted",
            group(Group::Corrupted),
            Some(asked.corrupted),
            None,
        ),
        bound("shed", group(Group::Shed), asked.shed, asked.shed_at_least),
        bound("resumed", resumed, None, asked.resumed_at_least),
    ];
    let limit: Vec<String> = bounds.iter().filter_map(Bound::limit).collect();
    let limit = limit.join(", ");
    if let Err(why) = rows {
        return Finding::invalid(why, limit);
    }
    let shown = bounds.iter().filter(|b| b.seen > 0 || b.limit().is_some());
    let shown: Vec<String> = shown.map(|b| format!("{} {}", b.seen, b.what)).collect();
    let of = scope::words(&asked.of);
    let observed = format!(
        "{} of {}{of}",
        shown.join(", "),
        count(all.len(), "request")
    );
    let room = bounds.iter().filter_map(Bound::room).min().unwrap_or(0);
    let broken: Vec<&str> = bounds
        .iter()
        .filter(|b| b.room() < Some(0))
        .map(|b| b.what)
        .collect();
    let bad = |row: &&&LedgerRow| {
        let group = row.group();
        match group {
            Group::Whole => false,
            Group::Shed => broken.contains(&"shed") && asked.shed.is_some(),
            _ => true,
        }
    };
    Finding::held(room >= 0, observed, limit)
        .margin(room as f64, "requests")
        .evidence(ids(all.iter().filter(bad).copied()))
}
