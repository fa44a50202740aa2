//! The one-line diagram of a plan's site, as parts that name what feeds them.

use indexmap::IndexMap;
use serde::Serialize;

use ridethrough_targets::units::Watts;

use crate::plan::{NodeRole, Plan};

/// One box of the diagram.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Part {
    /// Its name, which is its component's in the record.
    pub(crate) name: String,
    /// `utility`, `generator`, `transfer`, `ups`, `bess`, `pdu`, `cooling`,
    /// `switch`, `rack` or `machine`.
    pub(crate) kind: &'static str,
    /// What feeds it; of a machine, its rack.
    pub(crate) from: Vec<String>,
    /// What is worth knowing of it, in a few words.
    pub(crate) note: String,
}

/// Every part of the site and the machines in its racks, sources first.
pub(crate) fn parts(plan: &Plan) -> Vec<Part> {
    let site = &plan.playbook.site;
    let mut all = Vec::new();
    let mut add = |name: &str, kind, from: &[String], note: String| {
        all.push(Part {
            name: name.into(),
            kind,
            from: from.to_vec(),
            note,
        });
    };
    let one = std::slice::from_ref;
    for name in site.utilities.keys() {
        add(name, "utility", &[], String::new());
    }
    for (name, it) in &site.generators {
        add(name, "generator", &[], watts(it.rating));
    }
    for (name, it) in &site.transfers {
        let kind = format!("{:?}", it.kind).to_uppercase();
        add(name, "transfer", &it.from, kind);
    }
    for (name, it) in &site.ups {
        let class = format!("{:?}", it.class).to_uppercase();
        let mut from = vec![it.from.clone()];
        from.extend(it.bypass_from.clone());
        add(name, "ups", &from, format!("{class}, {}", watts(it.rating)));
    }
    for (name, it) in &site.bess {
        add(name, "bess", one(&it.from), watts(it.rating));
    }
    for (name, it) in &site.pdus {
        add(name, "pdu", one(&it.from), String::new());
    }
    for (name, it) in &site.cooling {
        add(name, "cooling", one(&it.from), String::new());
    }
    for (name, it) in &site.switches {
        add(name, "switch", one(&it.from), format!("rack {}", it.rack));
    }
    for (name, it) in &site.racks {
        let bbu = if it.bbu.is_some() { "BBU" } else { "" };
        add(name, "rack", &it.cords, bbu.into());
    }
    for node in plan.nodes.iter().filter(|n| n.role == NodeRole::Machine) {
        let rack: Vec<String> = node.rack.iter().cloned().collect();
        let services: Vec<&str> = node.services.iter().map(|s| &*s.name).collect();
        add(&node.name, "machine", &rack, services.join(", "));
    }
    all
}

/// The supply that a part has when a record says nothing of it yet: a utility's
/// by its profile begins at 1.
pub(crate) fn nominal(plan: &Plan) -> IndexMap<&'static str, f64> {
    let nominal = &plan.playbook.site.nominal;
    IndexMap::from([("volts", nominal.voltage.0), ("hertz", nominal.frequency.0)])
}

fn watts(power: Watts) -> String {
    match power.0 {
        w if w >= 1e6 => format!("{} MW", w / 1e6),
        w if w >= 1e3 => format!("{} kW", w / 1e3),
        w => format!("{w} W"),
    }
}

#[cfg(test)]
mod tests {
    use super::parts;
    use crate::plan::plan;
    use crate::playbook::load_playbook;

    #[test]
    fn every_part_names_what_feeds_it() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks");
        let loaded = load_playbook(&root.join("power/utility-outage.yaml")).expect("a playbook");
        let parts = parts(&plan(&loaded).expect("a plan"));
        let names: Vec<&str> = parts.iter().map(|p| &*p.name).collect();
        for part in &parts {
            for feeder in &part.from {
                let known = names.iter().position(|name| name == feeder);
                let own = names.iter().position(|name| *name == part.name);
                assert!(
                    known.is_some() && known < own,
                    "{feeder} feeds {}",
                    part.name
                );
            }
        }
        let ups = parts.iter().find(|p| p.name == "ups-a").expect("a UPS");
        assert_eq!((ups.kind, &*ups.note), ("ups", "VFI, 12 kW"));
        assert!(
            parts
                .iter()
                .any(|p| p.kind == "machine" && p.from == ["r1"])
        );
    }
}
