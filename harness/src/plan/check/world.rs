//! What a world cannot have.

use ridethrough_faults::catalogue::FaultKind;

use crate::playbook::WorldKind;

use super::checker::Checker;

pub(super) fn check(c: &mut Checker<'_>) {
    if c.playbook.world == Some(WorldKind::Virtual) {
        no_programs_of_the_host(c);
        no_memory_of_their_own(c);
    }
}

/// Services in process share the harness's memory.
fn no_memory_of_their_own(c: &mut Checker<'_>) {
    for (i, fault) in c.playbook.faults.iter().enumerate() {
        let others = fault.or.iter().enumerate();
        let others = others.map(|(j, kind)| (format!("or.{j}"), kind));
        let all = std::iter::once(("inject".to_string(), &fault.inject)).chain(others);
        for (path, _) in all.filter(|(_, k)| matches!(k, FaultKind::MemoryPressure(_))) {
            c.wrong_key(
                &format!("faults.{i}.{path}.memory_pressure"),
                "services of world `virtual` have no memory of their own to run short of",
                "needs processes",
            );
            c.hint("run it in a world of processes: `--world embedded`");
        }
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
