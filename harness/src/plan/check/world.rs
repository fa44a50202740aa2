//! What a world cannot have.

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::world::Backing;

use crate::playbook::WorldKind;

use super::super::text::fault_kind_name;
use super::checker::Checker;

pub(super) fn check(c: &mut Checker<'_>) {
    if c.playbook.world == Some(WorldKind::Virtual) {
        no_programs_of_the_host(c);
        no_disks_of_a_kernel(c);
        nothing_of_their_own(c);
    }
    if matches!(
        c.playbook.world,
        Some(WorldKind::Virtual | WorldKind::Embedded)
    ) {
        no_images(c);
    }
    if c.playbook.world == Some(WorldKind::Docker) {
        only_images(c);
        if c.playbook.stack.compose.is_some() {
            nothing_inside(c);
        }
    }
}

/// What is somebody else's can lose its power, hang or be cut off; nothing inside
/// of it is ours to change.
fn nothing_inside(c: &mut Checker<'_>) {
    for (i, fault) in c.playbook.faults.iter().enumerate() {
        let others = fault.or.iter().enumerate();
        let others = others.map(|(j, kind)| (format!("or.{j}"), kind));
        let all = std::iter::once(("inject".to_string(), &fault.inject)).chain(others);
        for (path, kind) in all {
            let inside = matches!(
                kind,
                FaultKind::MemoryPressure(_)
                    | FaultKind::ClockJump(_)
                    | FaultKind::CpuTheft(_)
                    | FaultKind::FdExhaustion(_)
                    | FaultKind::CrashLoop(_)
                    | FaultKind::Dns(_)
                    | FaultKind::PowerCap(_)
                    | FaultKind::PowerBrake(_)
            );
            if inside {
                let kind = fault_kind_name(kind);
                c.wrong_key(
                    &format!("faults.{i}.{path}.{kind}"),
                    "this fault changes what is inside of a container, and those of a `compose` project are somebody else's".to_string(),
                    "not on a project",
                );
                c.hint("power, hang and network faults can be had there");
            }
        }
    }
}

/// Nodes of containers have no programs of the machine that runs them.
fn only_images(c: &mut Checker<'_>) {
    for (name, service) in &c.playbook.stack.services {
        if service.is_container() {
            if service.volume.is_some() {
                c.wrong_key(
                    &format!("stack.services.{name}.volume"),
                    format!("service `{name}` is an image, and images have no volumes yet"),
                    "not to be had",
                );
            }
        } else if service.command.is_some() {
            c.wrong_key(
                &format!("stack.services.{name}.command"),
                format!("service `{name}` is a program of this machine"),
                "not in a container",
            );
            c.hint("give it an `image:`, or run it with `--world embedded`");
        }
    }
}

/// Images are run by a container engine, which one world alone has.
fn no_images(c: &mut Checker<'_>) {
    for (name, service) in &c.playbook.stack.services {
        let kind = match service {
            of if of.image.is_some() => "image",
            of if of.build.is_some() => "build",
            _ => continue,
        };
        c.wrong_key(
            &format!("stack.services.{name}.{kind}"),
            format!("service `{name}` is an image; run it with `--world docker`"),
            "needs a container engine",
        );
    }
}

/// Services in process share the harness's memory and clock.
fn nothing_of_their_own(c: &mut Checker<'_>) {
    for (i, fault) in c.playbook.faults.iter().enumerate() {
        let others = fault.or.iter().enumerate();
        let others = others.map(|(j, kind)| (format!("or.{j}"), kind));
        let all = std::iter::once(("inject".to_string(), &fault.inject)).chain(others);
        for (path, kind) in all {
            let lacks = match kind {
                FaultKind::MemoryPressure(_) => "no memory of their own to run short of",
                FaultKind::ClockJump(_) => "no clock of their own to jump",
                _ => continue,
            };
            let kind = fault_kind_name(kind);
            c.wrong_key(
                &format!("faults.{i}.{path}.{kind}"),
                format!("services of world `virtual` have {lacks}"),
                "needs processes",
            );
            c.hint("run it in a world of processes: `--world embedded`");
        }
    }
}

/// A virtual world is in process: it has services of this binary and no host.
fn no_programs_of_the_host(c: &mut Checker<'_>) {
    for (name, service) in &c.playbook.stack.services {
        if service.command.is_some() && !service.is_container() {
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

/// Its volumes are a model in memory.
fn no_disks_of_a_kernel(c: &mut Checker<'_>) {
    for (name, service) in &c.playbook.stack.services {
        let backing = service.volume.as_ref().map(|volume| volume.backing);
        if backing == Some(Backing::Ext4) {
            c.wrong(
                &format!("stack.services.{name}.volume.backing"),
                format!("service `{name}` has an ext4 volume, which world `virtual` does not have"),
                "needs a kernel's disk",
            );
            c.hint("run it with `--world embedded`, or leave the backing to the world: `auto`");
        }
    }
}
