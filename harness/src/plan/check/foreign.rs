//! Services that nobody here wrote: what goes with what.

use crate::playbook::{FileSpec, ServiceDef};

use super::super::foreign::ground;
use super::super::stand_in::named;
use super::checker::Checker;

/// Paths that are the node's own.
const OURS: [&str; 4] = ["/proc", "/sys", "/dev", "/etc/resolv.conf"];

pub(super) fn service(c: &mut Checker<'_>, path: &str, name: &str, service: &ServiceDef) {
    if !service.is_foreign() {
        for (key, there) in only_foreign(service) {
            if there {
                let message = format!("`{key}` of service `{name}` goes with `command` or `image`");
                c.wrong_key(&format!("{path}.{key}"), message, "not read");
            }
        }
        return;
    }
    if service.needs.is_some() && service.is_container() {
        let message = format!("`needs` of service `{name}` goes with a `command` of this machine");
        c.wrong_key(&format!("{path}.needs"), message, "not read");
    }
    if service.image.is_some() && service.build.is_some() {
        let message = format!("service `{name}` has an `image` and a `build`");
        c.wrong_key(&format!("{path}.build"), message, "one too many");
        c.hint("an image that is built needs no name");
    }
    health(c, path, name, service);
    files(c, path, service);
    stand_ins(c, path, service);
}

fn only_foreign(service: &ServiceDef) -> [(&'static str, bool); 6] {
    [
        ("env", !service.env.is_empty()),
        ("files", !service.files.is_empty()),
        ("ports", !service.ports.is_empty()),
        ("health", service.health.is_some()),
        ("draw", service.draw.is_some()),
        ("needs", service.needs.is_some()),
    ]
}

/// Exactly one way to know, and what it needs.
fn health(c: &mut Checker<'_>, path: &str, name: &str, service: &ServiceDef) {
    let Some(health) = &service.health else {
        return;
    };
    let path = format!("{path}.health");
    let ways = [
        ("http", health.http.is_some()),
        ("tcp", health.tcp.is_some()),
        ("command", health.command.is_some()),
        ("log", health.log.is_some()),
    ];
    let has: Vec<&str> = ways.iter().filter(|way| way.1).map(|way| way.0).collect();
    match has.as_slice() {
        [_] => {}
        [] => {
            let message = format!("the health of service `{name}` is not looked at");
            c.wrong_key(&path, message, "no way to know");
            c.hint("give it one of `http: /health`, `tcp: 8000`, `command: [...]`, `log: ready`");
        }
        [first, second, ..] => {
            let message = format!(
                "the health of service `{name}` is known two ways: `{first}` and `{second}`"
            );
            c.wrong_key(&format!("{path}.{second}"), message, "one too many");
        }
    }
    if let Some(http) = &health.http {
        if !http.starts_with('/') {
            let message = format!("`{http}` is no path");
            c.wrong(&format!("{path}.http"), message, "begins with `/`");
        }
        if service.port.is_none() {
            let message = format!("the health of service `{name}` is asked at its port");
            c.wrong_key(&format!("{path}.http"), message, "no `port`");
            c.hint("say where it listens: `port: 8000`");
        }
    }
    if health.command.as_ref().is_some_and(Vec::is_empty) {
        let message = format!("the health command of service `{name}` is empty");
        c.wrong_key(&format!("{path}.command"), message, "names no program");
    }
    if health.log.as_ref().is_some_and(String::is_empty) {
        let message = "every line holds an empty text";
        c.wrong_key(&format!("{path}.log"), message, "says nothing");
    }
    if health.interval.micros() == 0 || health.timeout.micros() == 0 {
        c.wrong_key(&path, "a health check without time", "longer than 0s");
    }
}

fn files(c: &mut Checker<'_>, path: &str, service: &ServiceDef) {
    for file in service.files.keys() {
        let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        let parts = file.strip_prefix('/').map(|rest| rest.split('/'));
        if !parts.is_some_and(|mut parts| parts.all(plain)) {
            let message = format!("`{file}` is no path of a file");
            c.wrong_key(
                &format!("{path}.files"),
                message,
                "from the root, as in `/etc/x.conf`",
            );
        }
        let within = |of: &str| file == of || file.starts_with(&format!("{of}/"));
        if let Some(ours) = OURS.into_iter().find(|of| within(of)) {
            let message = format!("`{file}` is in `{ours}`, which is the node's own");
            c.wrong_key(&format!("{path}.files"), message, "not a service's");
        }
    }
}

/// Every machine that a text names is one of the stack.
fn stand_ins(c: &mut Checker<'_>, path: &str, service: &ServiceDef) {
    let nodes = ground(&c.playbook.stack).nodes;
    let mut texts: Vec<(String, &str)> = Vec::new();
    for (i, word) in service.command.iter().flatten().enumerate() {
        texts.push((format!("{path}.command.{i}"), word));
    }
    for (name, value) in &service.env {
        texts.push((format!("{path}.env.{name}"), value));
    }
    for file in service.files.values() {
        if let FileSpec::Text(text) = file {
            // A path has dots of its own, and so cannot be part of ours.
            texts.push((format!("{path}.files"), text));
        }
    }
    for (at, text) in texts {
        for node in named(text) {
            let all = nodes.keys().map(String::as_str);
            c.exists(&at, ("node", "the stack"), node, all);
        }
    }
}
