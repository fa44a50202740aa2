//! Single components that both feeds of a rack hang on.

use std::collections::{BTreeMap, BTreeSet};

use super::site::{BatteryCondition, Site};

/// What a component needs to have an output.
struct Need<'a> {
    name: &'a str,
    /// It is dead when all of these are.
    from: Vec<&'a str>,
    /// A battery carries its output when its inputs are dead.
    carried: bool,
}

/// Every single component whose loss drops every cord of a rack with two, as
/// (rack, component), in order of the site. What a battery carries is not
/// dropped; a generator comes too late to count.
pub fn common_modes(site: &Site) -> Vec<(String, String)> {
    let needs = needs(site);
    let dead_without: Vec<(&str, BTreeSet<&str>)> = needs
        .iter()
        .filter(|lost| !site.generators.contains_key(lost.name))
        .map(|lost| (lost.name, dead(site, &needs, lost.name)))
        .collect();
    let mut found = Vec::new();
    for (rack, written) in &site.racks {
        if written.cords.len() < 2 {
            continue;
        }
        for (name, dead) in &dead_without {
            if written
                .cords
                .iter()
                .all(|cord| dead.contains(cord.as_str()))
            {
                found.push((rack.clone(), (*name).to_string()));
            }
        }
    }
    found
}

fn needs(site: &Site) -> Vec<Need<'_>> {
    let need = |name, from, carried| Need {
        name,
        from,
        carried,
    };
    let mut all: Vec<Need<'_>> = Vec::new();
    let roots = site.utilities.keys().chain(site.generators.keys());
    all.extend(roots.map(|name| need(name, Vec::new(), false)));
    for (name, it) in &site.transfers {
        let from = it.from.iter().map(String::as_str).collect();
        all.push(need(name, from, false));
    }
    for (name, it) in &site.ups {
        let mut from = vec![it.from.as_str()];
        from.extend(it.bypass_from.as_deref());
        let carried = it.battery.condition == BatteryCondition::Ok;
        all.push(need(name, from, carried));
    }
    for (name, it) in &site.bess {
        all.push(need(name, vec![&it.from], it.inline));
    }
    for (name, it) in &site.pdus {
        all.push(need(name, vec![&it.from], false));
    }
    all
}

/// What has no output once a component is lost.
fn dead<'a>(site: &'a Site, needs: &[Need<'a>], lost: &'a str) -> BTreeSet<&'a str> {
    let generators = site.generators.keys().map(String::as_str);
    let mut dead: BTreeSet<&str> = generators.collect();
    dead.insert(lost);
    let mut children: BTreeMap<&str, Vec<&Need<'a>>> = BTreeMap::new();
    for need in needs {
        for from in &need.from {
            children.entry(from).or_default().push(need);
        }
    }
    let mut fresh: Vec<&str> = dead.iter().copied().collect();
    while let Some(name) = fresh.pop() {
        for need in children.get(name).into_iter().flatten() {
            let starved = need.from.iter().all(|from| dead.contains(from));
            if starved && !need.carried && dead.insert(need.name) {
                fresh.push(need.name);
            }
        }
    }
    dead
}
