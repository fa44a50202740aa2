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

/// When a fault begins and ends.
pub(crate) fn interval(
    fault: &FaultSpec,
    phases: &[PlannedPhase],
) -> Result<(Span, Span), Untimed> {
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
