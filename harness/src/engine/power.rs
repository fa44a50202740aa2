//! The plant's driver: lets its time pass with the run's clock, tells the world
//! what loses power, tells each card what its devices' meters read, and carries
//! out the orders that come from there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::{IndexMap, IndexSet};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use ridethrough_faults::StepRate;
use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::plant::{
    Change, EnergyLedger, GeneratorState, Plant, PlantAction, PlantEvent,
};
use ridethrough_targets::service::{Draw, ToService};
use ridethrough_targets::telemetry::{CommandError, DeviceCommand, Reading};
use ridethrough_targets::world::World;

use super::cards::{Cards, Told};
use super::meters::MeterLog;
use super::nodes::NodeKeeper;
use super::recorder::Recorder;
use super::sampler::{Readings, Sampler};
use super::switches::Switches;
use crate::record::Body;

/// The power supply of a card or a switch gives up below this voltage (typical).
const CARD_DIES_PU: f64 = 0.5;

/// A handle to the running plant.
#[derive(Clone)]
pub(crate) struct PowerGrid {
    pub(super) commands: mpsc::UnboundedSender<Command>,
    shared: Arc<Mutex<Shared>>,
}

pub(super) struct Shared {
    pub(super) plant: Plant,
    pub(super) meters: MeterLog,
    pub(super) steps: IndexMap<String, StepRate>,
}

pub(super) enum Command {
    Act(PlantAction, Option<oneshot::Sender<Micros>>),
    StartProfiles(Micros),
    Greet(String),
    Order(Order),
    Energy(oneshot::Sender<EnergyLedger>),
}

/// An order that a device's client gave to its card.
pub(crate) struct Order {
    /// The card's node.
    pub(crate) node: String,
    /// The card's number for it.
    pub(crate) ticket: u64,
    /// The device.
    pub(crate) device: String,
    /// What to do.
    pub(crate) command: DeviceCommand,
}

/// What the driver needs beside the plant.
pub(crate) struct Wiring {
    pub(crate) clock: Clock,
    pub(crate) world: Arc<dyn World>,
    pub(crate) recorder: Recorder,
    pub(crate) keeper: Arc<NodeKeeper>,
    /// UPSs.
    pub(crate) ups: Vec<String>,
    /// The node of each device's card.
    pub(crate) cards: IndexMap<String, String>,
    /// What each card was told last.
    pub(crate) told: Told,
    /// Nodes of cards that a component of the site feeds.
    pub(crate) fed: IndexMap<String, String>,
    /// Top-of-rack switches.
    pub(crate) switches: Switches,
    /// Every component with a meter.
    pub(crate) metered: Vec<String>,
    /// Cooling units, whose air is recorded.
    pub(crate) cooling: Vec<String>,
    /// Machines whose draw is recorded.
    pub(crate) machines: Vec<String>,
    /// Services by machine, which hear of brakes.
    pub(crate) services: IndexMap<String, Vec<String>>,
}

impl PowerGrid {
    /// Starts the driver; it ends with `stop`.
    pub(crate) fn start(plant: Plant, wiring: Wiring, stop: CancellationToken) -> Self {
        let mut meters = MeterLog::default();
        for component in &wiring.metered {
            if let Some(pu) = plant.voltage_pu(component) {
                meters.read(component, 0, pu);
            }
        }
        let shared = Arc::new(Mutex::new(Shared {
            plant,
            meters,
            steps: IndexMap::new(),
        }));
        let (commands, inbox) = mpsc::unbounded_channel();
        let cards = Cards::new(
            Arc::clone(&wiring.world),
            wiring.cards.clone(),
            Arc::clone(&wiring.told),
        );
        let driver = Driver {
            wiring,
            cards,
            shared: Arc::clone(&shared),
            sampler: Sampler::new(Instant::now()),
        };
        tokio::spawn(driver.drive(inbox, stop));
        Self { commands, shared }
    }

    /// The first phase begins: voltage profiles count from here.
    pub(crate) fn start_profiles(&self, at_us: Micros) {
        let _ = self.commands.send(Command::StartProfiles(at_us));
    }

    /// A device's client gave an order.
    pub(crate) fn order(&self, order: Order) {
        let _ = self.commands.send(Command::Order(order));
    }

    /// A node can be talked to. Where it is a card it is told what the meters
    /// show.
    pub(crate) fn greet(&self, node: &str) {
        let _ = self.commands.send(Command::Greet(node.to_string()));
    }

    /// Where the energy went until now; `None` once the driver has ended.
    pub(crate) async fn energy(&self) -> Option<EnergyLedger> {
        let (done, ledger) = oneshot::channel();
        let _ = self.commands.send(Command::Energy(done));
        ledger.await.ok()
    }

    /// The true state of charge of a UPS's battery.
    pub(crate) fn charge(&self, ups: &str) -> Option<f64> {
        self.lock().plant.charge(ups)
    }

    /// A machine reports its work.
    pub(crate) fn draw(&self, node: &str, draw: &Draw) {
        if draw.step_ms > 0.0 {
            let rate = StepRate {
                t_us: draw.t_us,
                step_ms: draw.step_ms,
            };
            self.lock().steps.insert(node.to_string(), rate);
        }
        let action = PlantAction::Draw {
            node: node.to_string(),
            utilisation: draw.utilisation,
        };
        let _ = self.commands.send(Command::Act(action, None));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Driver {
    wiring: Wiring,
    cards: Cards,
    shared: Arc<Mutex<Shared>>,
    sampler: Sampler,
}

impl Driver {
    async fn drive(mut self, mut inbox: mpsc::UnboundedReceiver<Command>, stop: CancellationToken) {
        let clock = self.wiring.clock;
        loop {
            let look = self.sampler.due();
            let next = self
                .lock()
                .plant
                .next_event_us()
                .map(|t_us| clock.instant(t_us));
            let wake = next.map_or(look, |t| t.min(look));
            let command = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                command = inbox.recv() => match command {
                    Some(command) => Some(command),
                    None => return,
                },
                () = tokio::time::sleep_until(wake) => None,
            };
            self.pass(command).await;
            if Instant::now() >= self.sampler.due() {
                self.sample();
            }
        }
    }

    /// Lets time pass up to now, does what was asked, and tells everybody.
    async fn pass(&mut self, command: Option<Command>) {
        let (mut reply, mut card, mut obeyed) = (None, None, None);
        let acted = matches!(
            command,
            Some(Command::Act(..) | Command::StartProfiles(_) | Command::Order(_))
        );
        let events = {
            let mut shared = self.lock();
            // The plant's time never runs back, also where two readings of the
            // clock fall into one microsecond.
            let now_us = self.wiring.clock.now_us();
            let mut events = shared.plant.advance(now_us);
            match command {
                Some(Command::Act(action, done)) => {
                    events.extend(shared.plant.act(&action));
                    reply = done.map(|done| (done, now_us));
                }
                Some(Command::StartProfiles(at_us)) => shared.plant.start_profiles(at_us),
                Some(Command::Greet(node)) => card = Some(node),
                Some(Command::Order(order)) => {
                    let outcome = shared.plant.command(&order.device, &order.command);
                    let said = outcome.map(|moved| events.extend(moved));
                    obeyed = Some((order, said));
                }
                Some(Command::Energy(done)) => {
                    let _ = done.send(shared.plant.energy());
                }
                None => {}
            }
            events.iter().for_each(|event| shared.meters.hear(event));
            events
        };
        if let Some((done, now_us)) = reply {
            let _ = done.send(now_us);
        }
        if acted || !events.is_empty() {
            self.sampler.stir(Instant::now(), !events.is_empty());
        }
        self.tell(events).await;
        if let Some(node) = card {
            let readings = self.cards.read(&self.lock().plant);
            self.cards.greet(&node, readings);
        }
        if let Some((order, outcome)) = obeyed {
            self.answer(order, outcome);
        }
    }

    /// Tells who gave an order what became of it, once the meters show it.
    fn answer(&mut self, order: Order, outcome: Result<(), CommandError>) {
        let readings = self.cards.read(&self.lock().plant);
        self.cards.tell(readings);
        // A heart that beats is no news.
        if order.command != DeviceCommand::Heartbeat || outcome.is_err() {
            let body = Body::Order {
                device: order.device,
                command: order.command,
                refused: outcome.as_ref().err().map(ToString::to_string),
            };
            self.wiring.recorder.now(&order.node, body);
        }
        self.cards.obeyed(&order.node, order.ticket, outcome);
    }

    async fn tell(&mut self, events: Vec<PlantEvent>) {
        if events.is_empty() {
            return;
        }
        let mut dead = Vec::new();
        let mut alive = Vec::new();
        let mut moved_ups = IndexSet::new();
        for event in events {
            match &event.change {
                Change::NodePower { on: false } => dead.push(event.component.clone()),
                Change::NodePower { on: true } => alive.push(event.component.clone()),
                Change::Bus { voltage_pu, .. } => {
                    let fed = self.wiring.fed.iter();
                    let fed = fed.filter(|(_, by)| **by == event.component);
                    let fed = fed.map(|(card, _)| card.clone());
                    let on = *voltage_pu >= CARD_DIES_PU;
                    match on {
                        false => dead.extend(fed),
                        true => alive.extend(fed),
                    }
                    self.wiring.switches.supply(&event.component, on);
                }
                Change::Brake { clocks } => self.brake(&event.component, *clocks),
                Change::Ups { .. } | Change::LowBattery { .. } => {
                    moved_ups.insert(event.component.clone());
                }
                _ => {}
            }
            let accepts = matches!(
                event.change,
                Change::Generator {
                    to: GeneratorState::Loaded,
                    ..
                }
            );
            let body = Body::Plant {
                component: event.component,
                cause: event.cause,
                change: event.change,
            };
            self.wiring.recorder.at(event.t_us, "plant", body);
            if accepts {
                let runtime_s = self.each(&self.wiring.ups, Plant::runtime_s);
                let body = Body::Reserve { runtime_s };
                self.wiring.recorder.at(event.t_us, "plant", body);
            }
        }
        if !dead.is_empty() {
            self.wiring.keeper.cut(&dead).await;
        }
        for node in alive {
            self.wiring.keeper.power_on(&node);
        }
        let readings = self.cards.read(&self.lock().plant);
        for ups in moved_ups {
            if let Some(Reading::Ups(reading)) = readings.get(&ups) {
                let reading = reading.clone();
                let body = Body::UpsReading { ups, reading };
                self.wiring.recorder.now("plant", body);
            }
        }
        self.cards.tell(readings);
    }

    fn brake(&self, node: &str, clocks: f64) {
        let reasons = self.lock().plant.clock_reasons(node).unwrap_or_default();
        for service in self.wiring.services.get(node).into_iter().flatten() {
            let word = ToService::Clocks {
                ratio: clocks,
                reasons,
            };
            self.wiring.world.say(node, service, word);
        }
    }

    /// Reads every meter; what is new is told to the record and to the cards.
    fn sample(&mut self) {
        let shown = self.read();
        if !self.sampler.look(Instant::now(), &shown) {
            return;
        }
        self.cards.refresh(shown.devices);
        let body = Body::Meters {
            voltage_pu: shown.voltage_pu,
            charge: shown.charge,
            watts: shown.watts,
        };
        self.wiring.recorder.now("plant", body);
        if !self.wiring.cooling.is_empty() {
            let celsius = self.each(&self.wiring.cooling, Plant::air_c);
            self.wiring.recorder.now("plant", Body::Air { celsius });
        }
    }

    /// A reading of each of these.
    fn each(
        &self,
        names: &[String],
        meter: fn(&Plant, &str) -> Option<f64>,
    ) -> IndexMap<String, f64> {
        let shared = self.lock();
        let read = |name: &String| Some((name.clone(), meter(&shared.plant, name)?));
        names.iter().filter_map(read).collect()
    }

    fn read(&self) -> Readings {
        let shared = self.lock();
        let plant = &shared.plant;
        let read = |names: &[String], meter: &dyn Fn(&str) -> Option<f64>| {
            names
                .iter()
                .filter_map(|n| Some((n.clone(), meter(n)?)))
                .collect()
        };
        Readings {
            voltage_pu: read(&self.wiring.metered, &|n| plant.voltage_pu(n)),
            charge: read(&self.wiring.ups, &|n| plant.charge(n)),
            watts: read(&self.wiring.machines, &|n| plant.node_watts(n)),
            devices: self.cards.read(plant),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
