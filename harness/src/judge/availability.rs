//! The share of requests that were answered in full.

use super::facts::RunFacts;
use super::finding::{Finding, ids};
use super::quantity::share;
use super::scope;
use crate::load::Group;
use crate::playbook::AvailabilityAssert;

pub(crate) fn judge(facts: &RunFacts, asked: &AvailabilityAssert) -> Finding {
    let least = asked.at_least.get();
    let limit = format!("at least {} answered in full", share(least));
    let rows = match scope::select(facts, &asked.of) {
        Ok(rows) => rows,
        Err(why) => return Finding::invalid(why, limit),
    };
    let whole = rows.iter().filter(|r| r.group() == Group::Whole).count();
    let seen = whole as f64 / rows.len() as f64;
    let of = scope::words(&asked.of);
    let observed = format!("{}: {whole} of {}{of}", share(seen), rows.len());
    let failed = rows.iter().filter(|r| r.group() != Group::Whole);
    Finding::held(seen >= least, observed, limit)
        .margin((seen - least) * 100.0, "%")
        .evidence(ids(failed.copied()))
}
