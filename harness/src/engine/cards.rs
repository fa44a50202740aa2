//! The wires between the plant's devices and their cards: readings one way,
//! what became of orders the other. No fault of the network touches them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::Plant;
use ridethrough_targets::service::ToService;
use ridethrough_targets::telemetry::{CommandError, Reading};
use ridethrough_targets::world::World;

/// The service of a card's node.
pub(crate) const CARD: &str = "card";

/// How often the powers of PDUs, machines and storage are read (typical).
const LEISURE_US: Micros = 1_000_000;

/// Tells cards what their devices read.
pub(crate) struct Cards {
    world: Arc<dyn World>,
    /// The node of each device's card.
    nodes: IndexMap<String, String>,
    told: Told,
}

/// What each device's card was told last.
pub(crate) type Told = Arc<Mutex<IndexMap<String, Reading>>>;

impl Cards {
    pub(crate) fn new(world: Arc<dyn World>, nodes: IndexMap<String, String>, told: Told) -> Self {
        Self { world, nodes, told }
    }

    fn lock(&self) -> MutexGuard<'_, IndexMap<String, Reading>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the devices that have a card show of themselves.
    pub(crate) fn read(&self, plant: &Plant) -> IndexMap<String, Reading> {
        let readings = plant.readings().into_iter();
        readings
            .filter(|(device, _)| self.nodes.contains_key(device))
            .collect()
    }

    /// Tells each card what moved at its devices.
    pub(crate) fn tell(&self, readings: IndexMap<String, Reading>) {
        for (device, reading) in readings {
            let moved = match self.lock().get(&device) {
                Some(before) => reading.moved_from(before),
                None => true,
            };
            if moved {
                self.send(device, reading);
            }
        }
    }

    /// Tells each card what its devices read, moved or not: meters have spoken,
    /// and what does not move is not stale.
    pub(crate) fn refresh(&self, readings: IndexMap<String, Reading>) {
        for (device, reading) in readings {
            if !self.just_creeps(&device, &reading) {
                self.send(device, reading);
            }
        }
    }

    /// A device that was read lately shows nothing new but numbers that creep.
    /// UPSs count seconds of runtime; the others are read at leisure.
    fn just_creeps(&self, device: &str, reading: &Reading) -> bool {
        let told = self.lock();
        let Some(before) = told.get(device) else {
            return false;
        };
        let since_us = reading.t_us().saturating_sub(before.t_us());
        !matches!(reading, Reading::Ups(_))
            && since_us < LEISURE_US
            && reading.steps_from(before).is_finite()
    }

    /// A card can be talked to: it must not wait until its meters move.
    pub(crate) fn greet(&self, node: &str, readings: IndexMap<String, Reading>) {
        for (device, reading) in readings {
            if self.nodes.get(&device).is_some_and(|at| at == node) {
                self.send(device, reading);
            }
        }
    }

    fn send(&self, device: String, reading: Reading) {
        let Some(node) = self.nodes.get(&device) else {
            return;
        };
        let word = ToService::Reading {
            device: device.clone(),
            reading: reading.clone(),
        };
        self.lock().insert(device, reading);
        self.world.say(node, CARD, word);
    }

    /// Tells a card what its device made of an order.
    pub(crate) fn obeyed(&self, node: &str, ticket: u64, outcome: Result<(), CommandError>) {
        let word = ToService::Obeyed { ticket, outcome };
        self.world.say(node, CARD, word);
    }
}
