//! What faults have hit at this moment, held against what they may hit.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use ridethrough_targets::plant::Change;

use super::hits::is_aimed;
use super::quantity::count;
use super::take::TOLD;
use crate::playbook::BlastRadius;
use crate::record::Body;

/// Below this a feed supplies nobody (IEEE 1159 calls it an interruption).
const DEAD_PU: f64 = 0.1;

/// Where machines and feeds are.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The rack of each machine.
    pub racks: IndexMap<String, String>,
    /// The first component of each feed.
    pub feeds: IndexMap<String, String>,
}

/// The blast radius of a run, as it goes on.
#[derive(Clone, Debug)]
pub(super) struct Blast {
    limit: BlastRadius,
    places: Places,
    /// Machines by the fault that is aimed at them.
    aimed: BTreeMap<usize, Vec<String>>,
    dark: BTreeSet<String>,
    dead: BTreeSet<String>,
}

impl Blast {
    pub(super) fn new(limit: BlastRadius, places: Places) -> Self {
        Self {
            limit,
            places,
            aimed: BTreeMap::new(),
            dark: BTreeSet::new(),
            dead: BTreeSet::new(),
        }
    }

    /// Takes the next event; returns what is too much, in words.
    pub(super) fn hear(&mut self, body: &Body) -> Option<String> {
        match body {
            Body::FaultInjected(receipt) if is_aimed(&receipt.fault_kind) => {
                let known = |node: &&String| self.places.racks.contains_key(*node);
                let nodes = receipt.nodes.iter().filter(known).cloned().collect();
                self.aimed.insert(receipt.fault, nodes);
            }
            Body::FaultHealed { fault } => {
                self.aimed.remove(fault);
                return None;
            }
            Body::Plant {
                component,
                cause,
                change: Change::NodePower { on },
            } => match on {
                true => {
                    self.dark.remove(component);
                }
                // What the site's own policy switches off is no blast.
                false if cause != TOLD => {
                    self.dark.insert(component.clone());
                }
                false => return None,
            },
            Body::Plant {
                component,
                change: Change::Bus { voltage_pu, .. } | Change::Supply { voltage_pu, .. },
                ..
            } => {
                let mut fed = self.places.feeds.iter().filter(|(_, by)| *by == component);
                let feed = fed.next().map(|(feed, _)| feed.clone())?;
                match *voltage_pu < DEAD_PU {
                    true => self.dead.insert(feed),
                    false => self.dead.remove(&feed),
                };
            }
            _ => return None,
        }
        self.too_much()
    }

    fn too_much(&self) -> Option<String> {
        let aimed = self.aimed.values().flatten();
        let nodes: BTreeSet<&String> = aimed.chain(&self.dark).collect();
        let racks = nodes.iter().filter_map(|node| self.places.racks.get(*node));
        let racks: BTreeSet<&String> = racks.collect();
        let dead: BTreeSet<&String> = self.dead.iter().collect();
        let limit = &self.limit;
        let kinds = [
            (limit.nodes, &nodes, "machine"),
            (limit.racks, &racks, "rack"),
            (limit.feeds, &dead, "feed"),
        ];
        kinds.into_iter().find_map(|(most, hit, what)| {
            let most = most? as usize;
            (hit.len() > most).then(|| {
                let names: Vec<&str> = hit.iter().map(|name| name.as_str()).collect();
                format!(
                    "{} hit at once ({}), and the blast radius allows {most}",
                    count(hit.len(), what),
                    names.join(", ")
                )
            })
        })
    }
}
