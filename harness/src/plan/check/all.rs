//! All checks, in the order of a playbook.

use crate::playbook::{Loaded, Problem};

use super::checker::Checker;
use super::{blast, controls, faults, load, promises, site, stack, storage, world};

/// Everything that is wrong with a playbook.
pub(crate) fn check(loaded: &Loaded) -> Vec<Problem> {
    let mut problems = check_without_controls(loaded);
    let sound = problems.is_empty() && !loaded.gaps.any(|_| true);
    let mut checker = Checker::new(loaded);
    controls::check(&mut checker, sound);
    problems.append(&mut checker.problems);
    problems
}

/// Everything that is wrong with what is left of a playbook that cannot be read
/// in full, given with one and with other placeholders. What is wrong with both
/// is wrong whatever is put there; a message that quotes a placeholder is never
/// the same twice.
pub(crate) fn check_rest(rest: &[Loaded]) -> Vec<Problem> {
    let mut all = rest.iter().map(check);
    let Some(mut found) = all.next() else {
        return Vec::new();
    };
    for other in all {
        found.retain_mut(|problem| {
            let same = |o: &&Problem| o.place == problem.place && o.message == problem.message;
            let Some(twin) = other.iter().find(same) else {
                return false;
            };
            problem.help = problem
                .help
                .take()
                .filter(|h| Some(h) == twin.help.as_ref());
            true
        });
    }
    found
}

/// Everything but the controls, which are playbooks of their own.
pub(super) fn check_without_controls(loaded: &Loaded) -> Vec<Problem> {
    let mut checker = Checker::new(loaded);
    stack::check(&mut checker);
    world::check(&mut checker);
    site::check(&mut checker);
    load::check(&mut checker);
    storage::writers(&mut checker);
    faults::check(&mut checker);
    promises::check(&mut checker);
    blast::check(&mut checker);
    checker.problems
}
