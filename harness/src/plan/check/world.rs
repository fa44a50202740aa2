//! What a world cannot have.

use crate::playbook::WorldKind;

use super::checker::Checker;

pub(super) fn check(c: &mut Checker<'_>) {
    if c.playbook.world == Some(WorldKind::Virtual) {
        no_programs_of_the_host(c);
    }
}

/// A virtual world is in process: it has services of this binary and no host.
fn no_programs_of_the_host(c: &mut Checker<'_>) {
    for (name, service) in &c.playbook.stack.services {
        if service.command.is_some() {
            let message = format!(
                "service `{name}` runs a program of the host, which world `virtual` does not have"
            );
            c.wrong_key(
                &format!("stack.services.{name}.command"),
                message,
                "needs processes",
            );
            c.hint("run it in a world of processes: `--world embedded`");
        }
    }
}
