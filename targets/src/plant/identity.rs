//! The name plates of a site's devices.

use super::bus::{Bus, Kind};
use super::engine::Plant;
use super::graph::Device;
use crate::telemetry::Identity;
use crate::units::{Amps, Hertz, Volts, WattHours, Watts};

impl Plant {
    /// Who every device is, in the order of the site.
    pub fn identities(&self) -> Vec<Identity> {
        let plate = |device: &Device| match *device {
            Device::Bus(index) => self.bus_identity(index),
            Device::Shelf(index) => self.shelf_identity(index),
            Device::Node(index) => self.machine_identity(index),
        };
        self.graph.devices.iter().map(plate).collect()
    }

    fn bus_identity(&self, index: usize) -> Identity {
        let bus = &self.graph.buses[index];
        let (kind, headline) = match &bus.kind {
            Kind::Utility(utility) => {
                let (v, hz) = (Volts(self.nominal_v), Hertz(utility.nominal_hz));
                ("utility", format!("{v} {hz}"))
            }
            Kind::Generator(it) => {
                let rating = Watts(it.rating as f64 / 1e3);
                ("generator", format!("generator {rating}"))
            }
            Kind::Transfer(it) => {
                let kind = if it.fast { "STS" } else { "ATS" };
                ("transfer", kind.to_string())
            }
            Kind::Ups(ups) => ("ups", ups.headline()),
            Kind::Bess(it) => {
                let (power, energy) = (Watts(it.rating as f64 / 1e3), it.energy_wh());
                ("bess", format!("BESS {power} {}", WattHours(energy)))
            }
            Kind::Cooling(it) => {
                let capacity = Watts(it.capacity as f64 / 1e3);
                ("cooling", format!("cooling {capacity}"))
            }
            Kind::Pdu(pdu) => ("pdu", Amps(pdu.rating_a).to_string()),
        };
        Identity {
            from: self.names(bus.parents()),
            feeds: self.feeds_of(bus),
            ..Identity::new(&bus.name, kind, &headline)
        }
    }

    fn names(&self, buses: impl IntoIterator<Item = usize>) -> Vec<String> {
        let name = |bus: usize| self.graph.buses[bus].name.clone();
        buses.into_iter().map(name).collect()
    }

    fn feeds_of(&self, bus: &Bus) -> Vec<String> {
        match bus.kind {
            Kind::Ups(_) | Kind::Bess(_) => self.load_buses(&bus.name),
            _ => Vec::new(),
        }
    }

    fn shelf_identity(&self, index: usize) -> Identity {
        let rack = &self.graph.racks[index];
        let energy = rack.bbu.as_ref().map_or(0.0, |bbu| bbu.energy_wh());
        let headline = format!("BBU {}", WattHours(energy));
        let mut cords = rack.cords.clone();
        cords.dedup();
        Identity {
            from: self.names(cords),
            ..Identity::new(&self.shelf_name(index), "shelf", &headline)
        }
    }

    fn machine_identity(&self, index: usize) -> Identity {
        let node = &self.graph.nodes[index];
        let mut cords = node.cords.clone();
        cords.dedup();
        Identity {
            from: self.names(cords),
            ..Identity::new(
                &node.name,
                "machine",
                &Watts(node.peak as f64 / 1e3).to_string(),
            )
        }
    }
}
