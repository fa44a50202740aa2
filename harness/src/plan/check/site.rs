//! The site: its physics knows best what cannot be.

use indexmap::IndexMap;

use ridethrough_targets::plant::{Plant, RackSwitch, Site, SiteError};

use crate::playbook::{Loaded, Problem, closest};

use super::super::address;
use super::super::cards::cards;
use super::super::machines::loads;
use super::checker::Checker;
use super::supervisor;

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
    hosts(c);
    supervisor::check(c);
}

/// A device's card is a host of the device's name; a rack has its manager.
fn hosts(c: &mut Checker<'_>) {
    let (site, stack) = (&c.playbook.site, &c.playbook.stack);
    for (part, noun, names) in [
        ("ups", "UPS", names(&site.ups)),
        ("bess", "BESS", names(&site.bess)),
        ("transfers", "transfer switch", names(&site.transfers)),
        ("generators", "generator", names(&site.generators)),
        ("pdus", "PDU", names(&site.pdus)),
        ("racks", "rack", names(&site.racks)),
    ] {
        for name in names {
            c.host_name(&format!("site.{part}.{name}"), noun, name);
        }
    }
    let cards = cards(site, stack);
    for (i, card) in cards.iter().enumerate() {
        if cards[..i].iter().any(|other| other.node == card.node) {
            let message = format!("two cards are called `{}`", card.node);
            c.wrong_key("site.racks", message, "taken");
            c.hint("a rack's manager is called after its rack");
        }
    }
    for (node, by) in &site.cards {
        let path = format!("site.cards.{node}");
        let nodes = cards.iter().map(|card| card.node.as_str());
        c.exists(&path, ("card", "the site"), node, nodes);
        c.exists(&path, ("component", "the site"), by, components(site));
    }
    for (name, switch) in &site.switches {
        let path = |key: &str| format!("site.switches.{name}.{key}");
        let racks = names(&site.racks).into_iter().map(String::as_str);
        c.exists(&path("rack"), ("rack", "the site"), &switch.rack, racks);
        let all = components(site);
        c.exists(&path("from"), ("component", "the site"), &switch.from, all);
        let twice = |(other, it): &(&String, &RackSwitch)| *other != name && it.rack == switch.rack;
        if let Some((other, _)) = site.switches.iter().find(twice) {
            let message = format!("`{other}` connects rack `{}` already", switch.rack);
            c.wrong(&path("rack"), message, "one switch a rack");
        }
    }
    if cards.len() > address::MOST {
        let message = format!("more than {} devices with a card", address::MOST);
        c.wrong_key("site", message, "too many");
    }
    for card in &cards {
        if stack.nodes.contains_key(&card.node) {
            let message = format!("`{}` is the name of a card's node", card.node);
            c.wrong_key(&format!("stack.nodes.{}", card.node), message, "taken");
            c.hint("give the machine another name");
        }
    }
}

/// Everything that can feed something.
fn components(site: &Site) -> Vec<&str> {
    let all = [
        names(&site.utilities),
        names(&site.generators),
        names(&site.transfers),
        names(&site.ups),
        names(&site.bess),
        names(&site.pdus),
    ];
    all.into_iter().flatten().map(String::as_str).collect()
}

fn names<T>(map: &IndexMap<String, T>) -> Vec<&String> {
    map.keys().collect()
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
