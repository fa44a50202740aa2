//! All checks, in the order of a playbook.

use crate::playbook::{Loaded, Problem};

use super::checker::Checker;
use super::{controls, faults, load, promises, site, stack, world};

/// Everything that is wrong with a playbook.
pub(crate) fn check(loaded: &Loaded) -> Vec<Problem> {
    let mut problems = check_without_controls(loaded);
    let sound = problems.is_empty();
    let mut checker = Checker::new(loaded);
    controls::check(&mut checker, sound);
    problems.append(&mut checker.problems);
    problems
}

/// Everything but the controls, which are playbooks of their own.
pub(super) fn check_without_controls(loaded: &Loaded) -> Vec<Problem> {
    let mut checker = Checker::new(loaded);
    stack::check(&mut checker);
    world::check(&mut checker);
    site::check(&mut checker);
    load::check(&mut checker);
    faults::check(&mut checker);
    promises::check(&mut checker);
    checker.problems
}
