//! The stack: machines in racks, services on machines, a way in.

use std::collections::BTreeMap;

use crate::playbook::ServiceDef;

use super::super::address;
use super::super::machines::{entry_service, port, replicas};
use super::super::wiring::{CLIENTS, MONITOR, SUPERVISOR};
use super::checker::Checker;
use super::{foreign, storage};

pub(super) fn check(c: &mut Checker<'_>) {
    machines(c);
    services(c);
    ports(c);
    one_replica_a_machine(c);
    entry(c);
}

fn machines(c: &mut Checker<'_>) {
    let playbook = c.playbook;
    let (stack, site) = (&playbook.stack, &playbook.site);
    if stack.nodes.is_empty() {
        c.wrong_key("stack.nodes", "the stack has no machine", "empty");
    }
    if stack.nodes.len() > address::MOST {
        let message = format!("more than {} machines", address::MOST);
        c.wrong_key("stack.nodes", message, "too many");
    }
    for (name, node) in &stack.nodes {
        let path = format!("stack.nodes.{name}");
        c.host_name(&path, "machine", name);
        if [CLIENTS, MONITOR, SUPERVISOR].contains(&name.as_str()) {
            let message = format!("`{name}` is the name of a node that every run has");
            c.wrong_key(&path, message, "taken");
            c.hint("give the machine another name");
        }
        let racks = site.racks.keys().map(String::as_str);
        let owner = ("rack", "the site");
        c.exists(&format!("{path}.rack"), owner, &node.rack, racks);
    }
}

fn services(c: &mut Checker<'_>) {
    let stack = &c.playbook.stack;
    if stack.services.is_empty() {
        c.wrong_key("stack.services", "the stack has no service", "empty");
    }
    for (name, service) in &stack.services {
        let path = format!("stack.services.{name}");
        if service.on.is_empty() {
            let message = format!("service `{name}` runs on no machine");
            c.wrong_key(&format!("{path}.on"), message, "empty");
            c.hint("list machines of the stack: `on: [gpu-1]`");
        }
        for (i, machine) in service.on.iter().enumerate() {
            let nodes = stack.nodes.keys().map(String::as_str);
            let at = format!("{path}.on.{i}");
            if c.exists(&at, ("node", "the stack"), machine, nodes)
                && service.on[..i].contains(machine)
            {
                c.wrong(&at, format!("`{machine}` is listed twice"), "again");
            }
        }
        program(c, &path, name, service);
        foreign::service(c, &path, name, service);
        storage::service(c, &path, name, service);
    }
}

/// Exactly one program, and nothing that belongs to another kind.
fn program(c: &mut Checker<'_>, path: &str, name: &str, service: &ServiceDef) {
    let kinds = [
        ("gateway", service.gateway.is_some()),
        ("replica", service.replica.is_some()),
        ("journal", service.journal.is_some()),
        (
            "command",
            service.command.is_some() && !service.is_container(),
        ),
        ("image", service.is_container()),
    ];
    let has: Vec<&str> = kinds.iter().filter(|k| k.1).map(|k| k.0).collect();
    if service.guest {
        // It runs what it runs.
        if let Some(kind) = has.first() {
            let message = format!("service `{name}` is part of the project, and runs already");
            c.wrong_key(&format!("{path}.{kind}"), message, "not ours to choose");
        }
        return;
    }
    match has.as_slice() {
        [] => {
            c.wrong_key(path, format!("service `{name}` runs nothing"), "no program");
            c.hint(
                "give it one of `gateway: {}`, `replica: {}`, `journal: {}`, `command: [...]` or `image: ...`",
            );
        }
        [_] => {}
        [first, second, ..] => {
            let message = format!("service `{name}` is two programs: `{first}` and `{second}`");
            c.wrong_key(&format!("{path}.{second}"), message, "one too many");
            c.hint("make them two services, on the same machine if need be");
        }
    }
    if service.command.as_ref().is_some_and(Vec::is_empty) {
        let message = format!("the command of service `{name}` is empty");
        c.wrong_key(&format!("{path}.command"), message, "names no program");
    }
    let Some(kind) = has.first().filter(|_| !service.is_foreign()) else {
        return;
    };
    if service.port.is_some() {
        let message = format!("`port` of service `{name}` goes with `command` or `image`");
        c.wrong_key(&format!("{path}.port"), message, "not read");
        c.hint(format!("write it inside: `{kind}: {{port: ...}}`"));
    }
}

/// No two services of a machine on one port.
fn ports(c: &mut Checker<'_>) {
    let stack = &c.playbook.stack;
    let mut taken: BTreeMap<(&str, u16), &str> = BTreeMap::new();
    let all = stack.services.iter().flat_map(|(name, service)| {
        let further = service.ports.iter().copied();
        let all = port(service).into_iter().chain(further);
        all.map(move |port| (name, service, port))
    });
    for (name, service, port) in all {
        if port == 0 {
            c.wrong_key(
                &format!("stack.services.{name}"),
                format!("service `{name}` listens on port 0"),
                "no port",
            );
        }
        for (i, machine) in service.on.iter().enumerate() {
            if service.on[..i].contains(machine) {
                continue;
            }
            if let Some(first) = taken.insert((machine, port), name) {
                let message = match first == name {
                    true => format!("service `{name}` has port {port} twice"),
                    false => {
                        format!("`{first}` and `{name}` both listen on port {port} of `{machine}`")
                    }
                };
                c.wrong(
                    &format!("stack.services.{name}.on.{i}"),
                    message,
                    "port taken",
                );
                c.hint("give one of them another `port`, or another machine");
            }
        }
    }
}

/// A replica is known by its machine.
fn one_replica_a_machine(c: &mut Checker<'_>) {
    let stack = &c.playbook.stack;
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let services = stack.services.iter().filter(|(_, s)| s.replica.is_some());
    for (name, service) in services {
        for (i, machine) in service.on.iter().enumerate() {
            if let Some(other) = first.insert(machine, name)
                && other != name
            {
                let message =
                    format!("two replicas on `{machine}`: services `{other}` and `{name}`");
                c.wrong(
                    &format!("stack.services.{name}.on.{i}"),
                    message,
                    "second replica",
                );
                c.hint("a replica is named after its machine; give each its own");
            }
        }
    }
}

fn entry(c: &mut Checker<'_>) {
    let stack = &c.playbook.stack;
    let gateways: Vec<&str> = stack
        .services
        .iter()
        .filter(|(_, s)| s.gateway.is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    // A service that could not be read may be any.
    let unsure = c.unsure(|gaps| gaps.near("stack.services", 1));
    if replicas(stack).next().is_none() && !unsure {
        for gateway in &gateways {
            let message = format!("gateway `{gateway}` has no replica to send requests to");
            c.wrong_key(
                &format!("stack.services.{gateway}"),
                message,
                "nothing behind it",
            );
            c.hint("add a service with `replica: {}`");
        }
    }
    if let Some(name) = &stack.entry {
        let services = stack.services.keys().map(String::as_str);
        let owner = ("service", "the stack");
        c.exists("stack.entry", owner, name, services);
    } else if gateways.is_empty() && !unsure {
        c.wrong_key("stack.services", "no service is a gateway", "no way in");
        c.hint("add a service with `gateway: {}`, or name the service that clients talk to with `entry:`");
    } else if gateways.len() > 1 {
        let message = format!("{} gateways: {}", gateways.len(), gateways.join(", "));
        c.wrong_key("stack.services", message, "which one do clients talk to?");
        c.hint(format!("name it: `entry: {}`", gateways[0]));
    }
    if let Some((name, service)) = entry_service(stack)
        && port(service).is_none()
        && service.is_foreign()
    {
        let message = format!("clients cannot reach `{name}`: it has no port");
        c.wrong_key(&format!("stack.services.{name}"), message, "no `port`");
        c.hint("say where it listens: `port: 8000`");
    }
}
