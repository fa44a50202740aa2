//! One playbook, two clocks: virtual time held against real time.
//!
//! Both runs send the same requests at the same times. What must agree, and how
//! closely, is stated here; what differs is printed, request by request.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::case::Run;

/// Real time has a scheduler and a poll in it: a transition may come this much
/// earlier or later.
const TRANSITION_MS: u64 = 1_000;
/// A state that lasts no longer than a few looks of the supervisor may be seen
/// in one world and not in the other (two cards heard one after the other, or at
/// once), and is not compared.
const PASSING_MS: u64 = 300;
/// Requests whose fate turns on milliseconds (which of two replicas was asked,
/// whether a stream had ended when the power went) may differ: this share of
/// all, and this many at least.
const FATES_SHARE: f64 = 0.05;
const FATES_FEW: usize = 3;

/// What is compared of a run.
pub(crate) struct Digest {
    verdict: String,
    /// Of the supervisor: the state entered, and when, after the first phase
    /// began.
    transitions: Vec<(String, u64)>,
    /// The fate of each request.
    fates: BTreeMap<String, String>,
}

impl Digest {
    /// Reads a run's record.
    pub(crate) fn of(run: &Run) -> Result<Self, String> {
        let record = String::from_utf8(run.record()?).map_err(|error| error.to_string())?;
        let mut digest = Self {
            verdict: format!("{:?}", run.outcome.judgement.verdict),
            transitions: Vec::new(),
            fates: BTreeMap::new(),
        };
        let (mut origin_us, mut transitions) = (None, Vec::new());
        for line in record.lines() {
            let event: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let text = |key: &str| event[key].as_str().unwrap_or_default().to_string();
            let t_us = event["t_us"].as_u64().unwrap_or_default();
            match event["kind"].as_str() {
                Some("phase") => drop(origin_us.get_or_insert(t_us)),
                Some("state") if text("of") == "supervisor" => {
                    transitions.push((text("to"), t_us));
                }
                Some("request") => drop(digest.fates.insert(text("id"), text("fate"))),
                _ => {}
            }
        }
        digest.transitions = lasting(&transitions, origin_us.unwrap_or_default());
        Ok(digest)
    }
}

/// The states that lasted, and when they were entered, in milliseconds after
/// the first phase began; what was before it counts as its beginning.
fn lasting(moves: &[(String, u64)], origin_us: u64) -> Vec<(String, u64)> {
    let mut lasting: Vec<(String, u64)> = Vec::new();
    for (i, (to, t_us)) in moves.iter().enumerate() {
        let until_us = moves.get(i + 1).map_or(u64::MAX, |(_, t_us)| *t_us);
        let passing = until_us.saturating_sub(*t_us) < PASSING_MS * 1_000;
        if passing || until_us <= origin_us || lasting.last().is_some_and(|(s, _)| s == to) {
            continue;
        }
        lasting.push((to.clone(), t_us.saturating_sub(origin_us) / 1_000));
    }
    lasting
}

/// Everything in which two runs differ more than they may, in words; and the
/// table of all that was compared.
pub(crate) fn compare(simulated: &Digest, real: &Digest) -> (Vec<String>, String) {
    let mut problems = Vec::new();
    if simulated.verdict != real.verdict {
        problems.push(format!(
            "the verdict is {} in virtual and {} in embedded",
            simulated.verdict, real.verdict
        ));
    }
    let names =
        |of: &Digest| -> Vec<String> { of.transitions.iter().map(|(to, _)| to.clone()).collect() };
    if names(simulated) != names(real) {
        problems.push(format!(
            "the supervisor went through {:?} in virtual and {:?} in embedded",
            names(simulated),
            names(real)
        ));
    }
    let pairs = simulated.transitions.iter().zip(&real.transitions);
    for ((to, a), (_, b)) in pairs.filter(|((a, _), (b, _))| a == b) {
        if a.abs_diff(*b) > TRANSITION_MS {
            problems.push(format!(
                "`{to}` came at {a} ms in virtual and {b} ms in embedded"
            ));
        }
    }
    let ids: Vec<&String> = simulated.fates.keys().collect();
    if ids != real.fates.keys().collect::<Vec<_>>() {
        problems.push(format!(
            "{} requests in virtual and {} in embedded",
            simulated.fates.len(),
            real.fates.len()
        ));
    }
    let few = FATES_FEW.max((simulated.fates.len() as f64 * FATES_SHARE) as usize);
    for fate in fates(simulated, real) {
        let (a, b) = (count(simulated, &fate), count(real, &fate));
        if a.abs_diff(b) > few {
            problems.push(format!(
                "{a} requests {fate} in virtual and {b} in embedded; {few} may differ"
            ));
        }
    }
    (problems, table(simulated, real))
}

fn fates(a: &Digest, b: &Digest) -> Vec<String> {
    let mut all: Vec<String> = a.fates.values().chain(b.fates.values()).cloned().collect();
    all.sort();
    all.dedup();
    all
}

fn count(of: &Digest, fate: &str) -> usize {
    of.fates.values().filter(|known| *known == fate).count()
}

/// Everything compared, side by side.
fn table(simulated: &Digest, real: &Digest) -> String {
    let mut rows = vec![["".to_string(), "virtual".into(), "embedded".into()]];
    rows.push([
        "verdict".into(),
        simulated.verdict.clone(),
        real.verdict.clone(),
    ]);
    let longest = simulated.transitions.len().max(real.transitions.len());
    let at = |of: &Digest, i: usize| {
        let moved = of.transitions.get(i);
        moved.map_or_else(|| "-".into(), |(to, ms)| format!("{to} at {ms} ms"))
    };
    for i in 0..longest {
        rows.push(["supervisor".into(), at(simulated, i), at(real, i)]);
    }
    for fate in fates(simulated, real) {
        let counts = [simulated, real].map(|of| count(of, &fate).to_string());
        let [a, b] = counts;
        rows.push([fate, a, b]);
    }
    for (id, fate) in &simulated.fates {
        let other = real.fates.get(id).map_or("-", String::as_str);
        if other != fate {
            rows.push([id.clone(), fate.clone(), other.into()]);
        }
    }
    let line = |row: &[String; 3]| format!("{:<16} {:<28} {}\n", row[0], row[1], row[2]);
    rows.iter().map(line).collect()
}
