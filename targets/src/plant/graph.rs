//! From a site as written to components that know each other by index.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::bus::{Bus, Kind, Output, Source};
use super::event::NodeLoad;
use super::node::NodeModel;
use super::pdu::PduModel;
use super::psu::PsuModel;
use super::rack::RackModel;
use super::site::Site;
use super::ups::UpsModel;
use super::utility::UtilityModel;

/// A device of the site, as its operator counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    /// A component with an output, by its index among the buses.
    Bus(usize),
    /// A machine.
    Node(usize),
}

/// The components of a site. A bus comes after what feeds it.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub(super) buses: Vec<Bus>,
    pub(super) racks: Vec<RackModel>,
    pub(super) nodes: Vec<NodeModel>,
    pub(super) bus_names: BTreeMap<String, usize>,
    pub(super) rack_names: BTreeMap<String, usize>,
    pub(super) node_names: BTreeMap<String, usize>,
    pub(super) feeds: IndexMap<String, usize>,
    /// Every device, in the order of the site.
    pub(super) devices: Vec<Device>,
}

impl Graph {
    /// Of a site without problems.
    pub(super) fn build(site: &Site, loads: &[NodeLoad]) -> Self {
        let mut graph = Self {
            buses: Vec::new(),
            racks: Vec::new(),
            nodes: Vec::new(),
            bus_names: BTreeMap::new(),
            rack_names: BTreeMap::new(),
            node_names: BTreeMap::new(),
            feeds: IndexMap::new(),
            devices: Vec::new(),
        };
        graph.add_buses(site);
        for (name, rack) in &site.racks {
            graph.rack_names.insert(name.clone(), graph.racks.len());
            graph
                .racks
                .push(RackModel::new(name, rack.stagger.micros()));
        }
        for load in loads {
            graph.add_node(site, load);
        }
        for (feed, root) in &site.feeds {
            if let Some(bus) = graph.bus_names.get(root) {
                graph.feeds.insert(feed.clone(), *bus);
            }
        }
        graph.devices = graph.count_devices(site);
        graph
    }

    fn count_devices(&self, site: &Site) -> Vec<Device> {
        let buses = site
            .utilities
            .keys()
            .chain(site.ups.keys())
            .chain(site.pdus.keys());
        let buses = buses.filter_map(|name| self.bus_names.get(name).copied());
        let nodes = 0..self.nodes.len();
        buses
            .map(Device::Bus)
            .chain(nodes.map(Device::Node))
            .collect()
    }

    fn add_buses(&mut self, site: &Site) {
        let hz = site.nominal.frequency.get();
        for (name, utility) in &site.utilities {
            self.add_bus(name, None, Kind::Utility(UtilityModel::new(utility, hz)));
        }
        // What is fed by a known bus joins, until nothing more does. A chain is
        // a few components long, so that few rounds are needed.
        let total = site.utilities.len() + site.ups.len() + site.pdus.len();
        while self.buses.len() < total {
            let before = self.buses.len();
            for (name, ups) in &site.ups {
                if let Some(parent) = self.joins(name, &ups.from) {
                    let model = Box::new(UpsModel::new(ups, hz));
                    self.add_bus(name, Some(parent), Kind::Ups(model));
                }
            }
            for (name, pdu) in &site.pdus {
                if let Some(parent) = self.joins(name, &pdu.from) {
                    self.add_bus(name, Some(parent), Kind::Pdu(PduModel::new(pdu)));
                }
            }
            if self.buses.len() == before {
                break;
            }
        }
    }

    fn joins(&self, name: &str, from: &str) -> Option<usize> {
        if self.bus_names.contains_key(name) {
            return None;
        }
        self.bus_names.get(from).copied()
    }

    fn add_bus(&mut self, name: &str, parent: Option<usize>, kind: Kind) {
        let index = self.buses.len();
        if let Some(parent) = parent {
            self.buses[parent].children.push(index);
        }
        self.bus_names.insert(name.to_string(), index);
        self.buses.push(Bus {
            name: name.to_string(),
            parent,
            children: Vec::new(),
            nodes: Vec::new(),
            cuts: 0,
            out: Output::DEAD,
            load: 0,
            draw: 0,
            kind,
        });
    }

    fn add_node(&mut self, site: &Site, load: &NodeLoad) {
        let (Some(&rack), Some(written)) =
            (self.rack_names.get(&load.rack), site.racks.get(&load.rack))
        else {
            return;
        };
        let index = self.nodes.len();
        let cords: Vec<usize> = written
            .cords
            .iter()
            .filter_map(|pdu| self.bus_names.get(pdu).copied())
            .collect();
        for (i, pdu) in cords.iter().enumerate() {
            if !cords[..i].contains(pdu) {
                self.buses[*pdu].nodes.push(index);
            }
        }
        let psu = PsuModel::new(&written.psu);
        self.racks[rack].nodes.push(index);
        self.node_names.insert(load.name.clone(), index);
        self.nodes.push(NodeModel::new(load, rack, cords, psu));
    }

    /// A bus and every bus below it, in order.
    pub(super) fn reach(&self, root: usize) -> Vec<usize> {
        let mut found = vec![root];
        let mut next = 0;
        while next < found.len() {
            found.extend(&self.buses[found[next]].children);
            next += 1;
        }
        found.sort_unstable();
        found
    }

    /// What a source is called: a utility by its name, a battery as
    /// `<ups>.battery`, nothing when dead.
    pub(super) fn source_name(&self, source: Source) -> String {
        match source {
            Source::Dead => String::new(),
            Source::Utility(i) => self.buses[i].name.clone(),
            Source::Battery(i) => format!("{}.battery", self.buses[i].name),
        }
    }
}
