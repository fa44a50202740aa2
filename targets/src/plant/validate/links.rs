//! Whether the components of a site fit together.

use std::collections::{BTreeMap, BTreeSet};

use super::super::event::NodeLoad;
use super::super::site::Site;
use super::check::{Check, unknown};

/// Every component that others can name as their source, by kind.
fn sources(site: &Site) -> Vec<(&'static str, Vec<&String>)> {
    vec![
        ("utilities", site.utilities.keys().collect()),
        ("generators", site.generators.keys().collect()),
        ("transfers", site.transfers.keys().collect()),
        ("ups", site.ups.keys().collect()),
        ("bess", site.bess.keys().collect()),
        ("pdus", site.pdus.keys().collect()),
    ]
}

/// A link: the field that names it, and whom it names.
type Link<'a> = (&'static str, &'a str);

/// Every component that is fed by another: kind, name and its links.
fn links(site: &Site) -> Vec<(&'static str, &str, Vec<Link<'_>>)> {
    let mut all = Vec::new();
    for (name, transfer) in &site.transfers {
        let [a, b] = &transfer.from;
        let both = vec![("from.0", a.as_str()), ("from.1", b.as_str())];
        all.push(("transfers", name.as_str(), both));
    }
    for (name, ups) in &site.ups {
        let mut both = vec![("from", ups.from.as_str())];
        both.extend(ups.bypass_from.as_deref().map(|from| ("bypass_from", from)));
        all.push(("ups", name, both));
    }
    for (name, bess) in &site.bess {
        all.push(("bess", name, vec![("from", bess.from.as_str())]));
    }
    for (name, pdu) in &site.pdus {
        all.push(("pdus", name, vec![("from", pdu.from.as_str())]));
    }
    for (name, cooling) in &site.cooling {
        all.push(("cooling", name, vec![("from", cooling.from.as_str())]));
    }
    all
}

impl Check<'_> {
    pub(super) fn names(&mut self, loads: &[NodeLoad]) {
        let site = self.site;
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        let mut kinds = sources(site);
        kinds.push(("cooling", site.cooling.keys().collect()));
        for (kind, names) in &kinds {
            for name in names {
                if let Some(first) = seen.insert(name, kind) {
                    self.say(
                        format!("{kind}.{name}"),
                        format!("the name is taken: {first}.{name}"),
                    );
                }
            }
        }
        for name in site.racks.keys() {
            if let Some(first) = seen.get(name.as_str()) {
                let problem = format!("the name is taken: {first}.{name}");
                self.say(format!("racks.{name}"), problem);
            }
        }
        for load in loads {
            if let Some(first) = seen.insert(&load.name, "nodes") {
                let problem = format!("the name is taken: {first}.{}", load.name);
                self.say(format!("nodes.{}", load.name), problem);
            }
        }
        if site.utilities.is_empty() {
            self.say("utilities".to_string(), "a site needs at least one");
        }
    }

    fn source(&mut self, path: String, name: &str) {
        let known = sources(self.site);
        let mut all = known.iter().flat_map(|(_, names)| names.iter().copied());
        if !all.any(|known| known == name) {
            let all = known.iter().flat_map(|(_, names)| names.iter().copied());
            self.say(path, unknown("component", name, all));
        }
    }

    pub(super) fn references(&mut self) {
        let site = self.site;
        for (kind, name, links) in links(site) {
            for (field, source) in links {
                self.source(format!("{kind}.{name}.{field}"), source);
            }
        }
        for (name, root) in &site.feeds {
            self.source(format!("feeds.{name}"), root);
        }
        for (name, cooling) in &site.cooling {
            let path = format!("cooling.{name}.racks");
            for rack in cooling
                .racks
                .iter()
                .filter(|r| !site.racks.contains_key(*r))
            {
                self.say(path.clone(), unknown("rack", rack, site.racks.keys()));
            }
            if cooling.racks.is_empty() {
                self.say(path, "it cools nothing");
            }
        }
        for (name, generator) in &site.generators {
            let path = format!("generators.{name}.backs");
            match &generator.backs {
                Some(utility) if !site.utilities.contains_key(utility) => {
                    self.say(path, unknown("utility", utility, site.utilities.keys()));
                }
                _ => {}
            }
        }
    }

    /// A component that no source is above, though every link exists.
    pub(super) fn cycles(&mut self) {
        let all = links(self.site);
        let above: BTreeMap<&str, &Vec<Link<'_>>> =
            all.iter().map(|(_, name, links)| (*name, links)).collect();
        for (kind, name, links) in &all {
            for (field, _) in links {
                let mut path = vec![*name];
                let mut seen = BTreeSet::new();
                if climb(&above, name, field, &mut path, &mut seen) {
                    let problem = format!("it feeds itself: {}", path.join(" from "));
                    self.say(format!("{kind}.{name}.{field}"), problem);
                }
            }
        }
    }
}

/// Looks for a way up from the end of a path back to where it began, by this
/// field first.
fn climb<'a>(
    above: &BTreeMap<&'a str, &'a Vec<Link<'a>>>,
    name: &'a str,
    first: &str,
    path: &mut Vec<&'a str>,
    seen: &mut BTreeSet<&'a str>,
) -> bool {
    let links = above.get(name).map_or(&[][..], |links| links.as_slice());
    for (_, next) in links
        .iter()
        .filter(|(field, _)| first.is_empty() || *field == first)
    {
        path.push(next);
        if path.first() == Some(next) {
            return true;
        }
        if seen.insert(next) && climb(above, next, "", path, seen) {
            return true;
        }
        path.pop();
    }
    false
}
