//! Promises about the faults of one phase: some must begin in it.

use crate::playbook::Assertion;

use super::super::text::assertion_name;
use super::super::time::{interval, phases};
use super::checker::Checker;

/// A promise about the faults of a phase that has none would make every run
/// invalid.
pub(super) fn check(c: &mut Checker<'_>, path: &str, assertion: &Assertion) {
    let Some(name) = phase_of_faults(assertion) else {
        return;
    };
    let playbook = c.playbook;
    let phases = phases(&playbook.phases);
    let Some(phase) = phases.iter().find(|phase| phase.name == name) else {
        return;
    };
    // Where a fault lies that could not be read, or in what phase, is open.
    if c.unsure(|gaps| gaps.below("faults") || gaps.below("phases")) {
        return;
    }
    let times: Option<Vec<_>> = playbook
        .faults
        .iter()
        .filter(|fault| !fault.manual)
        .map(|fault| interval(fault, &phases).ok())
        .collect();
    // A fault without a time is told as such.
    let Some(times) = times else {
        return;
    };
    if !times
        .iter()
        .any(|(at, _)| (phase.start..phase.end).contains(at))
    {
        let kind = assertion_name(assertion);
        let message = format!("`{kind}` speaks of faults that begin during `{name}`: none does");
        c.wrong(&format!("{path}.during"), message, "nothing begins here");
    }
}

/// The phase whose faults a promise speaks of.
fn phase_of_faults(assertion: &Assertion) -> Option<&str> {
    let during = match assertion {
        Assertion::Failover(a) => &a.during,
        Assertion::Supervisor(a) => &a.during,
        Assertion::Recovery(a) => &a.during,
        Assertion::Eviction(a) | Assertion::Readmission(a) => &a.during,
        Assertion::Detection(a) => &a.during,
        Assertion::Retransfer(a) => &a.during,
        Assertion::Recharge(a) => &a.during,
        Assertion::Continuity(_)
        | Assertion::Latency(_)
        | Assertion::Availability(_)
        | Assertion::Goodput(_)
        | Assertion::Battery(_)
        | Assertion::Nodes(_)
        | Assertion::NoCommonMode(_)
        | Assertion::RideThrough(_)
        | Assertion::Energy(_)
        | Assertion::Generator(_)
        | Assertion::Temperature(_)
        | Assertion::NoFalseShutdown(_)
        | Assertion::ShutdownOrder(_)
        | Assertion::TruthLag(_)
        | Assertion::Durability(_) => &None,
    };
    during.as_deref()
}
