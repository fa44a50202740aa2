//! Volumes, journals and their writers.

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::world::Backing;

use crate::playbook::{DurabilityAssert, ServiceDef};

use super::super::text::{fault_kind_name, nodes};
use super::checker::Checker;
use super::faults::node_target;

/// A smaller volume has no room for the file system's own journal, in bytes.
const LEAST: f64 = 16.0 * 1024.0 * 1024.0;
/// A larger one is more than a run should hold in memory, in bytes.
const MOST: f64 = 1024.0 * 1024.0 * 1024.0;
/// The most writes a second.
const MOST_A_SECOND: f64 = 1000.0;
/// The largest record, in bytes: as large as a journal takes.
const RECORD_MOST: f64 = 1024.0 * 1024.0;

/// The volume of a service, and what needs one.
pub(super) fn service(c: &mut Checker<'_>, path: &str, name: &str, service: &ServiceDef) {
    match &service.volume {
        Some(volume) => {
            let size = volume.size;
            if !(LEAST..=MOST).contains(&size.get()) {
                let message = format!("the volume of `{name}` holds {size}");
                c.wrong(&format!("{path}.volume.size"), message, "16MiB to 1GiB");
            }
            if volume.torn && volume.backing == Backing::Ext4 {
                let message = format!("the volume of `{name}` cannot tear");
                c.wrong(&format!("{path}.volume.torn"), message, "ext4 does not");
                c.hint("leave `backing` out, or write `backing: fuse`");
            }
        }
        None if service.journal.is_some() => {
            let message = format!("journal `{name}` has nothing to write to");
            c.wrong_key(path, message, "no volume");
            c.hint("give it one: `volume: {size: 64MiB}`");
        }
        None => {}
    }
}

pub(super) fn writers(c: &mut Checker<'_>) {
    let playbook = c.playbook;
    for (i, writer) in playbook.writers.iter().enumerate() {
        let path = format!("writers.{i}");
        let name = &writer.name;
        if let Some(first) = playbook.writers[..i].iter().position(|w| &w.name == name) {
            c.wrong(
                &format!("{path}.name"),
                format!("two writers are called `{name}`"),
                "again here",
            );
            c.also(&format!("writers.{first}.name"), "first here");
        }
        if name.is_empty() {
            c.wrong(&format!("{path}.name"), "a writer without a name", "empty");
        }
        journal(c, &format!("{path}.service"), &writer.service);
        let rate = writer.rate.get();
        if rate <= 0.0 || rate > MOST_A_SECOND {
            let message = format!("writer `{name}` writes {} records", writer.rate);
            let label = format!("above 0 and at most {MOST_A_SECOND}/s");
            c.wrong(&format!("{path}.rate"), message, &label);
        }
        if writer.payload.get() > RECORD_MOST {
            let message = format!(
                "a record of {} is more than a journal takes",
                writer.payload
            );
            c.wrong(&format!("{path}.payload"), message, "at most 1MiB");
        }
        if writer.timeout.is_zero() {
            let message = format!("writer `{name}` gives up at once");
            c.wrong(&format!("{path}.timeout"), message, "longer than 0s");
        }
    }
}

/// A writer must know where its records are.
fn journal(c: &mut Checker<'_>, path: &str, name: &str) {
    let services = &c.playbook.stack.services;
    let all = services.keys().map(String::as_str);
    if !c.exists(path, ("service", "the stack"), name, all) {
        return;
    }
    let Some(service) = services.get(name) else {
        return;
    };
    if service.journal.is_none() {
        c.wrong(
            path,
            format!("service `{name}` is no journal"),
            "takes no records",
        );
    } else if service.on.len() > 1 {
        let message = format!("journal `{name}` runs on {} machines", service.on.len());
        c.wrong(path, message, "which one has a record?");
        c.hint("make them services of their own, each with its writer");
    }
}

/// A promise is about what somebody writes.
pub(super) fn durability(c: &mut Checker<'_>, path: &str, a: &DurabilityAssert) {
    let playbook = c.playbook;
    let path = format!("{path}.service");
    let all = playbook.stack.services.keys().map(String::as_str);
    if !c.exists(&path, ("service", "the stack"), &a.service, all) {
        return;
    }
    let unsure = c.unsure(|gaps| gaps.near("writers", 0));
    if !unsure && !playbook.writers.iter().any(|w| w.service == a.service) {
        let message = format!("nobody writes to `{}`", a.service);
        c.wrong(&path, message, "nothing to lose");
        c.hint(format!(
            "add `writers: [{{name: ledger, service: {}, rate: 20/s}}]`",
            a.service
        ));
    }
}

/// A fault of volumes hits some, all of which can fail in that way.
pub(super) fn target(c: &mut Checker<'_>, path: &str, kind: &FaultKind) {
    let Some(target) = kind.volumes() else {
        return;
    };
    let path = format!("{path}.target");
    let before = c.problems.len();
    node_target(c, &path, target, false);
    if c.problems.len() > before {
        return;
    }
    let volumes = c.wiring.volumes_of(target);
    if volumes.is_empty() {
        if c.unsure(|gaps| gaps.near("stack.services", 2)) {
            return;
        }
        let message = format!("{} has no volume", nodes(target));
        c.wrong_key(&path, message, "nothing to break");
        c.hint("give a service one: `volume: {size: 64MiB}`");
        return;
    }
    let torn = |(_, service): &&(String, String)| {
        let volume = c.playbook.stack.services[service].volume;
        volume.is_some_and(|volume| volume.torn)
    };
    if matches!(kind, FaultKind::TornWrites(_))
        && let Some((_, service)) = volumes.iter().find(torn)
    {
        let place = format!("stack.services.{service}.volume.torn");
        let message = format!("the volume of `{service}` tears at every cut already");
        c.wrong_key(&path, message, "nothing would change");
        c.also(&place, "here");
        return;
    }
    if !kind.needs_own_drive() {
        return;
    }
    for (_, service) in volumes {
        let volume = c.playbook.stack.services[&service].volume;
        if volume.is_some_and(|v| v.backing == Backing::Ext4) {
            let name = fault_kind_name(kind);
            let message = format!("`{name}`: a real file system does not fail to order");
            c.wrong_key(&path, message, "of an ext4 volume");
            let backing = format!("stack.services.{service}.volume.backing");
            c.also(&backing, "ext4");
            c.hint("leave `backing` out, or write `backing: fuse`");
            return;
        }
    }
}
