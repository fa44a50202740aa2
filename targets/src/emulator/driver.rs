//! Lets the plant's time pass with the clock, shows its meters on the board and
//! carries out the orders of its devices' clients.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::clock::{Clock, Micros};
use crate::plant::{NodeLoad, Plant, PlantAction, PlantEvent, Site, SiteError};
use crate::telemetry::{Board, DeviceCommand, DeviceOrder, Reading};

/// How often meters are read while nothing happens.
const SAMPLE: Duration = Duration::from_millis(100);
/// Acts that may wait for the plant.
const MAX_ACTS: usize = 1_024;

/// A word of the emulator to whoever follows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Story {
    /// The plant moved.
    Event(PlantEvent),
    /// A device's client gave an order.
    Order {
        /// When.
        t_us: Micros,
        /// The device.
        device: String,
        /// What it was told.
        command: DeviceCommand,
        /// What it said.
        outcome: String,
    },
}

/// A running site. Cheap to clone; it runs until the last clone and the board
/// are gone.
#[derive(Clone)]
pub struct Emulator {
    clock: Clock,
    board: Board,
    plant: Arc<Mutex<Plant>>,
    acts: mpsc::Sender<Act>,
}

struct Act {
    action: PlantAction,
    done: oneshot::Sender<Vec<PlantEvent>>,
}

impl Emulator {
    /// Starts a site in steady state. What happens is told on the returned
    /// queue.
    pub fn start(
        site: &Site,
        loads: &[NodeLoad],
        clock: Clock,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Story>), Vec<SiteError>> {
        let mut plant = Plant::new(site, loads)?;
        plant.advance(clock.now_us());
        let (board, orders) = Board::new(clock, plant.identities());
        board.publish(plant.readings());
        let (acts, inbox) = mpsc::channel(MAX_ACTS);
        let (story, told) = mpsc::unbounded_channel();
        let emulator = Self {
            clock,
            board: board.clone(),
            plant: Arc::new(Mutex::new(plant)),
            acts,
        };
        let driver = Driver {
            clock,
            shown: Vec::new(),
            board,
            plant: Arc::clone(&emulator.plant),
            story,
        };
        tokio::spawn(driver.drive(inbox, orders));
        Ok((emulator, told))
    }

    /// Its clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The board that its devices' agents read.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Does something to the plant; returns what happened at once.
    pub async fn act(&self, action: PlantAction) -> Vec<PlantEvent> {
        let (done, events) = oneshot::channel();
        let sent = self.acts.send(Act { action, done }).await;
        match sent {
            Ok(()) => events.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    /// Looks at the plant as it is.
    pub fn look<T>(&self, look: impl FnOnce(&Plant) -> T) -> T {
        look(&lock(&self.plant))
    }
}

fn lock(plant: &Mutex<Plant>) -> MutexGuard<'_, Plant> {
    plant.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Driver {
    clock: Clock,
    shown: Vec<(String, Reading)>,
    board: Board,
    plant: Arc<Mutex<Plant>>,
    story: mpsc::UnboundedSender<Story>,
}

impl Driver {
    async fn drive(
        mut self,
        mut acts: mpsc::Receiver<Act>,
        mut orders: mpsc::Receiver<DeviceOrder>,
    ) {
        let mut look = Instant::now() + SAMPLE;
        loop {
            let next = lock(&self.plant).next_event_us();
            let due = next.map(|t_us| self.clock.instant(t_us));
            let wake = due.map_or(look, |due| due.min(look));
            tokio::select! {
                biased;
                act = acts.recv() => match act {
                    Some(act) => self.act(act),
                    None => return,
                },
                Some(order) = orders.recv() => self.order(order),
                () = sleep_until(wake) => self.pass(),
            }
            if Instant::now() >= look {
                look = Instant::now() + SAMPLE;
                self.show();
            }
        }
    }

    /// Lets time pass until now.
    fn pass(&mut self) {
        let now = self.clock.now_us();
        let events = lock(&self.plant).advance(now);
        self.tell(events);
    }

    fn act(&mut self, act: Act) {
        self.pass();
        let events = lock(&self.plant).act(&act.action);
        self.tell(events.clone());
        self.show();
        let _ = act.done.send(events);
    }

    fn order(&mut self, order: DeviceOrder) {
        self.pass();
        let outcome = lock(&self.plant).command(&order.device, &order.command);
        let (word, events, said) = match outcome {
            Ok(events) => ("done".to_string(), events, Ok(())),
            Err(error) => (error.to_string(), Vec::new(), Err(error)),
        };
        let _ = self.story.send(Story::Order {
            t_us: self.clock.now_us(),
            device: order.device,
            command: order.command,
            outcome: word,
        });
        self.tell(events);
        let _ = order.done.send(said);
    }

    /// Tells what happened, once the meters show it: who hears of an event and
    /// looks must see it.
    fn tell(&mut self, events: Vec<PlantEvent>) {
        if events.is_empty() {
            return;
        }
        self.show();
        for event in events {
            let _ = self.story.send(Story::Event(event));
        }
    }

    /// Reads the meters; the board is told where one moved.
    fn show(&mut self) {
        let readings = {
            let mut plant = lock(&self.plant);
            let late = plant.advance(self.clock.now_us());
            for event in late {
                let _ = self.story.send(Story::Event(event));
            }
            plant.readings()
        };
        if readings != self.shown {
            self.board.publish(readings.clone());
            self.shown = readings;
        }
    }
}
