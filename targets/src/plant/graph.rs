//! From a site as written to components that know each other by index.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::bess::BessModel;
use super::bus::{Bus, Kind, Output, Source};
use super::cooling::CoolingModel;
use super::event::NodeLoad;
use super::generator::GeneratorModel;
use super::ledger::milliwatts;
use super::node::NodeModel;
use super::pdu::PduModel;
use super::psu::PsuModel;
use super::rack::RackModel;
use super::room::RoomModel;
use super::site::{self, Site};
use super::transfer::TransferModel;
use super::ups::UpsModel;
use super::utility::UtilityModel;

/// A device of the site, as its operator counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    /// A component with an output, by its index among the buses.
    Bus(usize),
    /// The power shelf of a rack that has a backup unit.
    Shelf(usize),
    /// A machine.
    Node(usize),
}

/// The components of a site. A bus comes after what feeds it.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub(super) buses: Vec<Bus>,
    pub(super) racks: Vec<RackModel>,
    pub(super) rooms: Vec<RoomModel>,
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
            rooms: Vec::new(),
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
            let cords = rack.cords.iter();
            let cords = cords.filter_map(|pdu| graph.bus_names.get(pdu).copied());
            let model = RackModel::new(name, rack, cords.collect());
            graph.racks.push(model);
        }
        for (name, cooling) in &site.cooling {
            graph.add_cooling(name, cooling);
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
            .chain(site.generators.keys())
            .chain(site.transfers.keys())
            .chain(site.ups.keys())
            .chain(site.bess.keys())
            .chain(site.pdus.keys());
        let buses = buses.filter_map(|name| self.bus_names.get(name).copied());
        let nodes = 0..self.nodes.len();
        let cooling = site.cooling.keys();
        let cooling = cooling.filter_map(|name| self.bus_names.get(name).copied());
        let racks = self.racks.iter().enumerate();
        let shelves = racks.filter(|(_, rack)| rack.bbu.is_some());
        buses
            .map(Device::Bus)
            .chain(shelves.map(|(index, _)| Device::Shelf(index)))
            .chain(cooling.map(Device::Bus))
            .chain(nodes.map(Device::Node))
            .collect()
    }

    fn add_buses(&mut self, site: &Site) {
        let hz = site.nominal.frequency.get();
        for (name, utility) in &site.utilities {
            self.add_bus(
                name,
                [None; 2],
                Kind::Utility(UtilityModel::new(utility, hz)),
            );
        }
        for (name, generator) in &site.generators {
            let model = Box::new(GeneratorModel::new(generator, hz));
            let index = self.add_bus(name, [None; 2], Kind::Generator(model));
            let watched = backed_by(site, name).and_then(|name| self.bus_names.get(name));
            if let Some(&watched) = watched {
                self.buses[index].watches = Some(watched);
                self.buses[watched].watchers.push(index);
            }
        }
        // What is fed by known buses joins, until nothing more does. A chain is
        // a few components long, so that few rounds are needed.
        loop {
            let before = self.buses.len();
            self.join_buses(site, hz);
            if self.buses.len() == before {
                return;
            }
        }
    }

    fn join_buses(&mut self, site: &Site, hz: f64) {
        for (name, transfer) in &site.transfers {
            let [a, b] = transfer.from.each_ref().map(|from| self.joins(name, from));
            if a.is_some() && b.is_some() {
                let model = Box::new(TransferModel::new(transfer, hz));
                self.add_bus(name, [a, b], Kind::Transfer(model));
            }
        }
        for (name, ups) in &site.ups {
            let Some(parent) = self.joins(name, &ups.from) else {
                continue;
            };
            let other = ups.bypass_from.as_ref();
            let bypass = other.and_then(|from| self.joins(name, from));
            if other.is_none() || bypass.is_some() {
                let model = Box::new(UpsModel::new(ups, hz));
                self.add_bus(name, [Some(parent), bypass], Kind::Ups(model));
            }
        }
        for (name, bess) in &site.bess {
            if let Some(parent) = self.joins(name, &bess.from) {
                let model = Box::new(BessModel::new(bess, hz));
                self.add_bus(name, [Some(parent), None], Kind::Bess(model));
            }
        }
        for (name, pdu) in &site.pdus {
            if let Some(parent) = self.joins(name, &pdu.from) {
                self.add_bus(name, [Some(parent), None], Kind::Pdu(PduModel::new(pdu)));
            }
        }
    }

    fn joins(&self, name: &str, from: &str) -> Option<usize> {
        if self.bus_names.contains_key(name) {
            return None;
        }
        self.bus_names.get(from).copied()
    }

    fn add_bus(&mut self, name: &str, parents: [Option<usize>; 2], kind: Kind) -> usize {
        let index = self.buses.len();
        for parent in parents.into_iter().flatten() {
            self.buses[parent].children.push(index);
        }
        self.bus_names.insert(name.to_string(), index);
        self.buses.push(Bus {
            name: name.to_string(),
            parent: parents[0],
            second: parents[1],
            watches: None,
            watchers: Vec::new(),
            children: Vec::new(),
            nodes: Vec::new(),
            cuts: 0,
            out: Output::DEAD,
            load: 0,
            draws: [0; 2],
            kind,
        });
        index
    }

    /// A cooling unit, in the room that one of its racks is already in, or in
    /// one of its own.
    fn add_cooling(&mut self, name: &str, cooling: &site::Cooling) {
        let Some(parent) = self.joins(name, &cooling.from) else {
            return;
        };
        let racks = cooling.racks.iter();
        let racks: Vec<usize> = racks
            .filter_map(|r| self.rack_names.get(r).copied())
            .collect();
        let known = racks.iter().find_map(|rack| self.racks[*rack].room);
        let room = known.unwrap_or(self.rooms.len());
        if known.is_none() {
            self.rooms.push(RoomModel::new(name, &cooling.room));
        }
        for rack in racks {
            match self.racks[rack].room {
                None => {
                    self.racks[rack].room = Some(room);
                    self.rooms[room].racks.push(rack);
                }
                Some(other) if other != room => self.merge_rooms(room, other),
                Some(_) => {}
            }
        }
        let model = Box::new(CoolingModel::new(cooling, room));
        let index = self.add_bus(name, [Some(parent), None], Kind::Cooling(model));
        self.rooms[room].units.push(index);
    }

    /// A unit that cools racks of two rooms makes them one.
    fn merge_rooms(&mut self, room: usize, other: usize) {
        let (racks, units) = {
            let other = &mut self.rooms[other];
            (
                std::mem::take(&mut other.racks),
                std::mem::take(&mut other.units),
            )
        };
        for rack in &racks {
            self.racks[*rack].room = Some(room);
        }
        for unit in &units {
            if let Kind::Cooling(unit) = &mut self.buses[*unit].kind {
                unit.room = room;
            }
        }
        self.rooms[room].racks.extend(racks);
        self.rooms[room].units.extend(units);
    }

    fn add_node(&mut self, site: &Site, load: &NodeLoad) {
        let (Some(&rack), Some(written)) =
            (self.rack_names.get(&load.rack), site.racks.get(&load.rack))
        else {
            return;
        };
        let index = self.nodes.len();
        if let Some(room) = self.racks[rack].room {
            let [peak, idle] = [load.peak, load.idle].map(|power| milliwatts(power.get()));
            self.rooms[room].add_machine(peak, idle);
        }
        let cords = self.racks[rack].cords.clone();
        let mut outlets = Vec::with_capacity(cords.len());
        for (i, pdu) in cords.iter().enumerate() {
            if !cords[..i].contains(pdu) {
                self.buses[*pdu].nodes.push(index);
            }
            if let Kind::Pdu(pdu) = &mut self.buses[*pdu].kind {
                outlets.push(pdu.plug_in());
            }
        }
        let psu = PsuModel::new(&written.psu);
        self.racks[rack].nodes.push(index);
        self.node_names.insert(load.name.clone(), index);
        self.nodes
            .push(NodeModel::new(load, rack, (cords, outlets), psu));
    }

    /// A bus and every bus below it, by any way, in order.
    pub(super) fn reach(&self, root: usize) -> Vec<usize> {
        self.spread(root, |_, _| true)
    }

    /// A bus and every bus that nothing else feeds, in order: what another
    /// input can carry does not hang on it.
    pub(super) fn depends_on(&self, root: usize) -> Vec<usize> {
        self.spread(root, |bus, found| {
            bus.parents().all(|parent| found.contains(&parent))
        })
    }

    fn spread(&self, root: usize, joins: impl Fn(&Bus, &BTreeSet<usize>) -> bool) -> Vec<usize> {
        let mut found = BTreeSet::from([root]);
        let mut fresh = BTreeSet::from([root]);
        // A bus comes after what feeds it, so that all its inputs are decided.
        while let Some(bus) = fresh.pop_first() {
            for &child in &self.buses[bus].children {
                if !found.contains(&child) && joins(&self.buses[child], &found) {
                    found.insert(child);
                    fresh.insert(child);
                }
            }
        }
        found.into_iter().collect()
    }

    /// What a source is called: a utility or a generator by its name, a battery as
    /// `<ups>.battery`, nothing when dead.
    pub(super) fn source_name(&self, source: Source) -> String {
        match source {
            Source::Dead => String::new(),
            Source::Utility(i) | Source::Generator(i) => self.buses[i].name.clone(),
            Source::Battery(i) => format!("{}.battery", self.buses[i].name),
        }
    }
}

/// The utility that a generator backs up: what its site says, or the utility
/// on the other input of the transfer switch that it feeds.
fn backed_by<'a>(site: &'a Site, name: &str) -> Option<&'a str> {
    if let Some(backs) = &site.generators.get(name)?.backs {
        return Some(backs);
    }
    let other = |from: &'a [String; 2]| match from {
        [a, b] if b == name => Some(a.as_str()),
        [a, b] if a == name => Some(b.as_str()),
        _ => None,
    };
    let mut others = site.transfers.values().filter_map(|t| other(&t.from));
    others.find(|other| site.utilities.contains_key(*other))
}
