//! `ridethrough check`: is it a playbook, and can it be?

use std::fmt::Write;
use std::path::Path;

use ridethrough_targets::world::{WorldError, embedded};

use crate::plan::{Plan, plan_file_in};
use crate::playbook::WorldKind;

/// The outcome of a check.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    /// One line for a good playbook, with notes below; everything that is wrong for a bad one.
    pub(super) text: String,
    /// Whether it is good. A bad playbook is exit code 2.
    pub(super) good: bool,
}

/// Checks a playbook, its site, its stack and its controls. Starts nothing.
pub(super) fn check(path: &Path, world: Option<WorldKind>, color: bool) -> Checked {
    match plan_file_in(path, world) {
        Ok((_, plan)) => {
            let mut text = format!("{}: {}\n", path.display(), summary(&plan));
            for note in &plan.notes {
                let _ = writeln!(text, "  note: {note}");
            }
            text.extend(elsewhere(plan.playbook.world, embedded::supported()));
            Checked { text, good: true }
        }
        Err(errors) => Checked {
            text: errors.render(color),
            good: false,
        },
    }
}

/// A good playbook may ask for a world that this system does not have.
fn elsewhere(world: Option<WorldKind>, supported: Result<(), WorldError>) -> Option<String> {
    let error = supported.err()?;
    (world == Some(WorldKind::Embedded)).then(|| format!("  not on this machine: {error}\n"))
}

fn summary(plan: &Plan) -> String {
    let many = |n: usize, one: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    };
    let parts = [
        plan.total.to_string(),
        many(plan.loads.len(), "machine"),
        many(plan.faults.len(), "fault"),
        many(plan.assertions.len(), "promise"),
        many(plan.playbook.controls.len(), "control"),
    ];
    format!("ok ({})", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_that_this_system_does_not_have_is_told() {
        let lacking = || {
            Err(WorldError::Missing {
                what: "world `embedded` needs Linux".into(),
                remedy: "world `virtual` works here".into(),
            })
        };
        let told = elsewhere(Some(WorldKind::Embedded), lacking());
        let told = told.expect("a line");
        assert!(
            told.contains("needs Linux; world `virtual` works here"),
            "{told}"
        );
        assert_eq!(elsewhere(Some(WorldKind::Virtual), lacking()), None);
        assert_eq!(elsewhere(None, lacking()), None);
        assert_eq!(elsewhere(Some(WorldKind::Embedded), Ok(())), None);
    }
}
