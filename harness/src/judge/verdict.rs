//! What a judge is given and what it says.

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::playbook::Assertion;
use crate::record::Event;

/// What a judge is given.
#[derive(Clone, Copy, Debug)]
pub struct JudgeInput<'a> {
    /// The whole record.
    pub events: &'a [Event],
    /// The promises, each with its readable text.
    pub assertions: &'a [(String, Assertion)],
}

/// How a promise or a run came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It held.
    Pass,
    /// It was broken.
    Fail,
    /// The experiment itself did not hold.
    Invalid,
}

/// The distance to the limit, positive on the good side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    /// How much.
    pub value: f64,
    /// Of what: `ms`, `requests`, `%`, `/s`, `nodes`.
    pub unit: String,
}

/// One promise, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The assertion's kind as written in a playbook, `failover`.
    pub kind: String,
    /// The promise in words.
    pub text: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was observed, in words with units.
    pub observed: String,
    /// The limit, in words with units.
    pub limit: String,
    /// The distance to the limit, where it is a number.
    pub margin: Option<Margin>,
    /// Request ids or `event N`, at most 20 and then how many more.
    pub evidence: Vec<String>,
}

/// A run, judged.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The run's verdict: `invalid` where the experiment did not hold, whatever
    /// the promises came to; else `fail` where one was broken.
    pub verdict: Verdict,
    /// 0 pass, 1 fail, 3 invalid, 130 interrupted.
    pub exit: u8,
    /// Every promise, in the playbook's order.
    pub assertions: Vec<Judged>,
    /// Why the experiment did not hold; empty when it did.
    pub invalid: Vec<String>,
    /// What the record holds, indexed; reports read it.
    pub facts: Facts,
}

/// Of several runs: fail over invalid over pass.
pub fn combine(verdicts: &[Verdict]) -> Verdict {
    if verdicts.contains(&Verdict::Fail) {
        Verdict::Fail
    } else if verdicts.contains(&Verdict::Invalid) {
        Verdict::Invalid
    } else {
        Verdict::Pass
    }
}
