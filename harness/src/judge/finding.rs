//! What one assertion came to, and what speaks for it.

use serde::{Deserialize, Serialize};

use super::verdict::Verdict;
use crate::load::LedgerRow;

/// At most so many request ids are listed as evidence; the rest is a count.
const EVIDENCE: usize = 20;

/// How far from its limit an observation is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    /// Room left; negative beyond the limit.
    pub value: f64,
    /// `ms`, `requests`, `%`, `req/s`, `machines`.
    pub unit: String,
}

/// One assertion, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its kind, `failover`.
    #[serde(rename = "assertion")]
    pub kind: String,
    /// The assertion in words a person can read.
    pub text: String,
    /// What it came to.
    pub verdict: Verdict,
    /// What was seen, with its unit.
    pub observed: String,
    /// What was promised, with its unit.
    pub limit: String,
    /// Room left, where that is a number.
    pub margin: Option<Margin>,
    /// What shows it: request ids, buses, moments.
    pub evidence: Vec<String>,
}

/// An assertion's answer, before it is given its name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    pub(crate) observed: String,
    pub(crate) limit: String,
    pub(crate) margin: Option<Margin>,
    pub(crate) evidence: Vec<String>,
}

impl Finding {
    /// Pass or fail.
    pub(crate) fn held(held: bool, observed: String, limit: String) -> Self {
        Self {
            verdict: if held { Verdict::Pass } else { Verdict::Fail },
            observed,
            limit,
            margin: None,
            evidence: Vec::new(),
        }
    }

    /// Nothing could be learned; `why` says so.
    pub(crate) fn invalid(why: String, limit: String) -> Self {
        Self {
            verdict: Verdict::Invalid,
            ..Self::held(false, why, limit)
        }
    }

    pub(crate) fn margin(mut self, value: f64, unit: &str) -> Self {
        if value.is_finite() {
            self.margin = Some(Margin {
                value: (value * 1e3).round() / 1e3,
                unit: unit.into(),
            });
        }
        self
    }

    pub(crate) fn evidence(mut self, evidence: Vec<String>) -> Self {
        self.evidence = evidence;
        self
    }
}

/// The ids of requests, cut to a length that can be read.
pub(crate) fn ids<'a>(rows: impl Iterator<Item = &'a LedgerRow>) -> Vec<String> {
    bounded(rows.map(|row| row.id.clone()))
}

/// A list, cut to a length that can be read.
pub(crate) fn bounded(mut items: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = items.by_ref().take(EVIDENCE).collect();
    let more = items.count();
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    all
}
