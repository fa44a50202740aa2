//! The controls: each changes something, stays a playbook, and names an
//! assertion that the playbook has.

use crate::playbook::{Control, Loaded};

use super::super::text::assertion_name;
use super::all::check_without_controls;
use super::checker::Checker;

/// `sound`: the playbook itself has no problem, so those of a changed copy are
/// the control's own.
pub(super) fn check(c: &mut Checker<'_>, sound: bool) {
    let playbook = c.playbook;
    for (i, control) in playbook.controls.iter().enumerate() {
        let before = &playbook.controls[..i];
        if let Some(first) = before.iter().position(|b| b.name == control.name) {
            let message = format!("two controls are called `{}`", control.name);
            c.wrong(&format!("controls.{i}.name"), message, "again here");
            c.also(&format!("controls.{first}.name"), "first here");
            continue;
        }
        fails(c, i, control);
        changes(c, i, control, sound);
    }
}

fn fails(c: &mut Checker<'_>, i: usize, control: &Control) {
    let mut promised: Vec<&str> = Vec::new();
    for assertion in &c.playbook.assert {
        let name = assertion_name(assertion);
        if !promised.contains(&name) {
            promised.push(name);
        }
    }
    let path = format!("controls.{i}.fails");
    let name = &control.fails;
    c.exists(&path, ("assertion", "the playbook"), name, promised);
}

fn changes(c: &mut Checker<'_>, i: usize, control: &Control, sound: bool) {
    let name = &control.name;
    if control.set.is_empty() {
        let message = format!("control `{name}` changes nothing");
        c.wrong_key(&format!("controls.{i}.set"), message, "empty");
        return;
    }
    let changed = match c.loaded.changed(control) {
        Ok(changed) => changed,
        Err(problems) => {
            // Those of the playbook itself were reported when it was read.
            c.problems.extend(problems);
            return;
        }
    };
    if same(c.loaded, &changed) {
        let message = format!("control `{name}` changes nothing");
        c.wrong_key(&format!("controls.{i}.set"), message, "as it was");
        c.hint("every value is already what the control sets");
    } else if sound {
        let problems = check_without_controls(&changed);
        c.problems.extend(problems.into_iter().map(|mut problem| {
            problem.message = format!("with control `{name}`: {}", problem.message);
            problem
        }));
    }
}

fn same(a: &Loaded, b: &Loaded) -> bool {
    let mut a = a.playbook.clone();
    a.controls.clear();
    a == b.playbook
}
