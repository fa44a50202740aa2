//! The site: its physics knows best what cannot be.

use ridethrough_targets::plant::{Plant, SiteError};

use crate::playbook::{Loaded, Problem, closest};

use super::super::machines::loads;
use super::checker::Checker;

pub(super) fn check(c: &mut Checker<'_>) {
    let playbook = c.playbook;
    let mut loads = loads(&playbook.stack);
    // A machine in no rack was reported where it is written.
    loads.retain(|load| playbook.site.racks.contains_key(&load.rack));
    if let Err(errors) = Plant::new(&playbook.site, &loads) {
        for error in &errors {
            report(c, error);
        }
    }
    for name in playbook.site.ups.keys() {
        // A UPS's management card is a host of the UPS's name.
        c.host_name(&format!("site.ups.{name}"), "UPS", name);
    }
}

/// Problems of a site by itself, each at its place.
pub(crate) fn check_site(loaded: &Loaded, errors: &[SiteError]) -> Vec<Problem> {
    let mut checker = Checker::new(loaded);
    for error in errors {
        report(&mut checker, error);
    }
    checker.problems
}

/// A problem of the plant, at the component it names.
pub(crate) fn report(c: &mut Checker<'_>, error: &SiteError) {
    let SiteError { component, problem } = error;
    // The plant knows machines as loads of the site.
    let mut path = match component.as_str() {
        "" | "site" => "site".to_string(),
        machine if machine.starts_with("nodes.") => format!("stack.{machine}"),
        other => format!("site.{}", other.strip_prefix("site.").unwrap_or(other)),
    };
    let name = problem
        .split('`')
        .nth(1)
        .filter(|_| problem.starts_with("no "));
    if let Some(name) = name {
        path = item(c, path, name);
    }
    let continues = ["is ", "has ", "must "]
        .iter()
        .any(|w| problem.starts_with(w));
    let message = if name.is_some() {
        problem.replacen("no pdu ", "no PDU ", 1)
    } else if continues {
        format!("`{component}` {problem}")
    } else {
        format!("`{component}`: {problem}")
    };
    let label = if name.is_some() {
        "no such name"
    } else {
        "cannot be"
    };
    let noun = if problem.starts_with("no pdu ") {
        "PDU"
    } else {
        "component"
    };
    if name.is_some() && c.unsure(|gaps| !gaps.names_stand(noun)) {
        return;
    }
    c.wrong(&path, message, label);
    let site = &c.playbook.site;
    let components = site
        .utilities
        .keys()
        .chain(site.ups.keys())
        .chain(site.pdus.keys());
    let guess = name.and_then(|name| closest(name, components.map(String::as_str)));
    if let Some(guess) = guess {
        c.hint(format!("did you mean `{guess}`?"));
    }
}

/// The item of a list that holds the name, where the path is a list's.
fn item(c: &Checker<'_>, path: String, name: &str) -> String {
    (0..16)
        .map(|i| format!("{path}.{i}"))
        .find(|item| c.loaded.text_at(item) == Some(name))
        .unwrap_or(path)
}
