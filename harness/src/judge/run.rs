//! One run, judged.

use super::facts::RunFacts;
use super::finding::{Finding, Judged};
use super::verdict::{INTERRUPTED, Verdict};
use super::{
    availability, battery, common_mode, continuity, detection, durability, energy, eviction,
    failover, generator, goodput, latency, no_false_shutdown, nodes, recharge, recovery,
    retransfer, ride_through, shutdown_order, supervisor, temperature, truth_lag, validity,
};
use crate::playbook::Assertion;

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The exit code: the verdict's, or [`INTERRUPTED`].
    pub exit: u8,
    /// Every assertion, in the order given.
    pub assertions: Vec<Judged>,
    /// Why the run is invalid; empty where it is not.
    pub invalid: Vec<String>,
    /// What the record says.
    pub facts: RunFacts,
}

/// Judges a run by assertions, each with a text that a person can read.
///
/// Within one run an experiment that did not hold makes the verdict invalid
/// even where an assertion failed: the failure may be that of the experiment.
/// An assertion whose requests are too few is such a case.
pub fn judge(facts: RunFacts, promises: &[(String, Assertion)]) -> Judgement {
    let mut assertions = Vec::new();
    for (text, assertion) in promises {
        let (kind, finding) = hold(&facts, assertion);
        assertions.push(Judged {
            kind: kind.into(),
            text: text.clone(),
            verdict: finding.verdict,
            observed: finding.observed,
            limit: finding.limit,
            margin: finding.margin,
            evidence: finding.evidence,
        });
    }
    let mut invalid = validity::problems(&facts);
    let unknown = assertions.iter().filter(|a| a.verdict == Verdict::Invalid);
    invalid.extend(unknown.map(|a| format!("{}: {}", a.kind, a.observed)));
    let failed = assertions.iter().any(|a| a.verdict == Verdict::Fail);
    let verdict = match (invalid.is_empty(), failed) {
        (false, _) => Verdict::Invalid,
        (true, true) => Verdict::Fail,
        (true, false) => Verdict::Pass,
    };
    let interrupted = facts
        .end
        .as_ref()
        .is_some_and(|end| end.how == "interrupted");
    Judgement {
        verdict,
        exit: if interrupted {
            INTERRUPTED
        } else {
            verdict.exit()
        },
        assertions,
        invalid,
        facts,
    }
}

pub(super) fn hold(facts: &RunFacts, assertion: &Assertion) -> (&'static str, Finding) {
    match assertion {
        Assertion::Failover(a) => ("failover", failover::judge(facts, a)),
        Assertion::Supervisor(a) => ("supervisor", supervisor::judge(facts, a)),
        Assertion::Continuity(a) => ("continuity", continuity::judge(facts, a)),
        Assertion::Latency(a) => ("latency", latency::judge(facts, a)),
        Assertion::Availability(a) => ("availability", availability::judge(facts, a)),
        Assertion::Goodput(a) => ("goodput", goodput::judge(facts, a)),
        Assertion::Recovery(a) => ("recovery", recovery::judge(facts, a)),
        Assertion::Eviction(a) => ("eviction", eviction::judge(facts, a)),
        Assertion::Readmission(a) => ("readmission", eviction::readmission(facts, a)),
        Assertion::Battery(a) => ("battery", battery::judge(facts, a)),
        Assertion::Detection(a) => ("detection", detection::judge(facts, a)),
        Assertion::Nodes(a) => ("nodes", nodes::judge(facts, a)),
        Assertion::NoCommonMode(_) => ("no_common_mode", common_mode::judge()),
        Assertion::RideThrough(a) => ("ride_through", ride_through::judge(facts, a)),
        Assertion::Energy(a) => ("energy", energy::judge(facts, a)),
        Assertion::Generator(a) => ("generator", generator::judge(facts, a)),
        Assertion::Temperature(a) => ("temperature", temperature::judge(facts, a)),
        Assertion::Retransfer(a) => ("retransfer", retransfer::judge(facts, a)),
        Assertion::Recharge(a) => ("recharge", recharge::judge(facts, a)),
        Assertion::ShutdownOrder(a) => ("shutdown_order", shutdown_order::judge(facts, a)),
        Assertion::NoFalseShutdown(a) => ("no_false_shutdown", no_false_shutdown::judge(facts, a)),
        Assertion::TruthLag(a) => ("truth_lag", truth_lag::judge(facts, a)),
        Assertion::Durability(a) => ("durability", durability::judge(facts, a)),
    }
}
