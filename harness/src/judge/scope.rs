//! Which requests an assertion speaks of.

use super::cohort::cohort_name;
use super::facts::RunFacts;
use super::quantity::count;
use super::window::Window;
use crate::load::LedgerRow;
use crate::playbook::{Cohort, Scope};

/// The requests of a scope; an error, in words, where they are too few to mean
/// anything.
pub(crate) fn select<'a>(facts: &'a RunFacts, scope: &Scope) -> Result<Vec<&'a LedgerRow>, String> {
    let window = Window::of(facts, scope.during.as_ref())?;
    let of_cohort = |row: &LedgerRow, cohort| facts.cohorts.get(&row.id) == Some(&cohort);
    let fits = |row: &&LedgerRow| {
        window.has(row.scheduled_us)
            && scope.class.as_ref().is_none_or(|class| *class == row.class)
            && scope.cohort.is_none_or(|cohort| of_cohort(row, cohort))
    };
    let rows: Vec<&LedgerRow> = facts.rows.iter().filter(fits).collect();
    // Zero requests never mean anything, whatever the playbook asks for.
    let least = scope.at_least.unwrap_or(1).max(1) as usize;
    if rows.len() < least {
        let what = words(scope);
        let found = count(rows.len(), "request");
        return Err(format!("{found}{what}; at least {least} needed"));
    }
    Ok(rows)
}

/// A scope without a floor of its own.
pub(crate) fn of(during: Option<&String>, class: Option<&String>, cohort: Option<Cohort>) -> Scope {
    Scope {
        during: during.cloned(),
        class: class.cloned(),
        cohort,
        at_least: None,
    }
}

/// A scope in words, with a leading space, empty for all requests.
pub(crate) fn words(scope: &Scope) -> String {
    let mut text = String::new();
    if let Some(class) = &scope.class {
        text = format!("{text} of class {class}");
    }
    if let Some(cohort) = scope.cohort {
        text = format!("{text} of cohort {}", cohort_name(cohort));
    }
    if let Some(phase) = &scope.during {
        text = format!("{text} during {phase}");
    }
    text
}
