//! Phases and faults on the run's clock.

use indexmap::IndexMap;

use ridethrough_targets::units::Span;

use crate::playbook::FaultSpec;

use super::model::PlannedPhase;

/// The longest run.
pub(crate) const LONGEST: Span = Span::from_secs(24 * 3600);

/// The phases one after the other. Times beyond what can be counted stay at the
/// largest number; the check of the total refuses them.
pub(crate) fn phases(written: &IndexMap<String, Span>) -> Vec<PlannedPhase> {
    let mut start = Span::default();
    let place = |(name, length): (&String, &Span)| {
        let end = add(start, *length);
        let phase = PlannedPhase {
            name: name.clone(),
            start,
            end,
        };
        start = end;
        phase
    };
    written.iter().map(place).collect()
}

/// The sum, at most the largest number.
pub(crate) fn add(a: Span, b: Span) -> Span {
    Span::from_micros(a.micros().saturating_add(b.micros()))
}

/// Why a fault has no interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Untimed {
    /// Neither `during` nor `at`.
    Nothing,
    /// `for` without a beginning.
    NoBeginning,
    /// `at` without an end.
    NoEnd,
    /// `during` names no phase.
    NoPhase,
}

/// More repetitions of one fault are a mistake, and their number a bound.
pub(crate) const MOST_TIMES: u64 = 10_000;

/// When each injection of a fault begins and ends at the latest.
pub(crate) fn occurrences(
    fault: &FaultSpec,
    phases: &[PlannedPhase],
) -> Result<Vec<(Span, Span)>, Untimed> {
    let (at, until) = interval(fault, phases)?;
    let until = match fault.when {
        Some(_) => add(until, wait(fault, phases)),
        None => until,
    };
    let Some(every) = fault.every.filter(|every| *every > Span::default()) else {
        return Ok(vec![(at, until)]);
    };
    let fits = || {
        let phase = phases
            .iter()
            .find(|p| Some(&p.name) == fault.during.as_ref());
        let room = phase.map_or(0, |p| p.end.micros().saturating_sub(until.micros()));
        1 + room / every.micros()
    };
    let times = fault.times.map_or_else(fits, u64::from).min(MOST_TIMES + 1);
    let later = |by: u64| Span::from_micros(every.micros().saturating_mul(by));
    let one = |n| (add(at, later(n)), add(until, later(n)));
    Ok((0..times).map(one).collect())
}

/// How long a fault waits for its occasion at most.
pub(crate) fn wait(fault: &FaultSpec, phases: &[PlannedPhase]) -> Span {
    if let Some(within) = fault.within {
        return within;
    }
    let phase = phases
        .iter()
        .find(|p| Some(&p.name) == fault.during.as_ref());
    let Some(phase) = phase else {
        return Span::default();
    };
    // What is left of its phase once it has had its time.
    let lasts = add(
        fault.lasts.unwrap_or_default(),
        fault.at.unwrap_or_default(),
    );
    let length = phase.end.micros() - phase.start.micros();
    Span::from_micros(length.saturating_sub(lasts.micros()))
}

/// When a fault begins and ends, the first time.
pub(crate) fn interval(
    fault: &FaultSpec,
    phases: &[PlannedPhase],
) -> Result<(Span, Span), Untimed> {
    if fault.manual {
        return Ok((Span::default(), fault.lasts.ok_or(Untimed::NoEnd)?));
    }
    let Some(name) = &fault.during else {
        return match (fault.at, fault.lasts) {
            (Some(at), Some(lasts)) => Ok((at, add(at, lasts))),
            (Some(_), None) => Err(Untimed::NoEnd),
            (None, Some(_)) => Err(Untimed::NoBeginning),
            (None, None) => Err(Untimed::Nothing),
        };
    };
    let phase = phases.iter().find(|p| &p.name == name);
    let phase = phase.ok_or(Untimed::NoPhase)?;
    let at = add(phase.start, fault.at.unwrap_or_default());
    let until = fault.lasts.map_or(phase.end, |lasts| add(at, lasts));
    Ok((at, until))
}
