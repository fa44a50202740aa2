//! The board between meters and protocols: the meters write on it, every agent
//! reads from it, and orders go the other way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::command::{CommandError, DeviceCommand};
use super::distortion::{Distorted, Distortion, Memory, Protocol, Shown};
use super::identity::Identity;
use super::reading::Reading;
use crate::clock::{Clock, Micros};

/// Orders that may wait for the plant.
const MAX_ORDERS: usize = 1_024;
/// How often a distortion that moves with time is looked at again.
const TIMED_LOOK: Duration = Duration::from_millis(20);

/// An order on its way to the plant.
#[derive(Debug)]
pub struct DeviceOrder {
    /// The device.
    pub device: String,
    /// What to do.
    pub command: DeviceCommand,
    /// Where to say what became of it.
    pub done: oneshot::Sender<Result<(), CommandError>>,
}

/// What an agent may answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// With this reading.
    Reading(Arc<Reading>),
    /// That it has no fresh data of the device.
    Stale,
    /// Nothing at all: it must stay silent.
    Silence,
}

/// The board. Cheap to clone; every clone is the same board.
#[derive(Clone)]
pub struct Board {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    orders: mpsc::Sender<DeviceOrder>,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    version: u64,
    devices: IndexMap<String, Slot>,
    distortions: BTreeMap<u64, Distorted>,
}

struct Slot {
    identity: Arc<Identity>,
    reading: Option<Arc<Reading>>,
    /// By the distortion's number and the protocol.
    memories: BTreeMap<u64, Memory>,
}

impl Board {
    /// A board for these devices, and the end at which their orders arrive.
    pub fn new(clock: Clock, devices: Vec<Identity>) -> (Self, mpsc::Receiver<DeviceOrder>) {
        let (orders, inbox) = mpsc::channel(MAX_ORDERS);
        let slot = |identity: Identity| {
            let slot = Slot {
                identity: Arc::new(identity.clone()),
                reading: None,
                memories: BTreeMap::new(),
            };
            (identity.name, slot)
        };
        let state = State {
            version: 0,
            devices: devices.into_iter().map(slot).collect(),
            distortions: BTreeMap::new(),
        };
        let inner = Inner {
            clock,
            orders,
            state: Mutex::new(state),
            changed: Notify::new(),
        };
        let board = Self {
            inner: Arc::new(inner),
        };
        (board, inbox)
    }

    /// The run's clock.
    pub fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// Every device, in the order of the site.
    pub fn devices(&self) -> Vec<Arc<Identity>> {
        let state = self.lock();
        state
            .devices
            .values()
            .map(|slot| Arc::clone(&slot.identity))
            .collect()
    }

    /// One device's name plate.
    pub fn identity(&self, device: &str) -> Option<Arc<Identity>> {
        let state = self.lock();
        let slot = state.devices.get(device)?;
        Some(Arc::clone(&slot.identity))
    }

    /// The meters show these readings; readers hear of it once.
    pub fn publish(&self, readings: impl IntoIterator<Item = (String, Reading)>) {
        let t_us = self.inner.clock.now_us();
        let mut moved = false;
        {
            let mut state = self.lock();
            let State {
                devices,
                distortions,
                version,
            } = &mut *state;
            for (device, reading) in readings {
                let Some(slot) = devices.get_mut(&device) else {
                    continue;
                };
                let reading = Arc::new(reading);
                for (number, memory) in &mut slot.memories {
                    if let Some(distorted) = distortions.get(number) {
                        memory.hear(&distorted.how, t_us, &reading);
                    }
                }
                slot.reading = Some(reading);
                moved = true;
            }
            *version += u64::from(moved);
        }
        if moved {
            self.inner.changed.notify_waiters();
        }
    }

    /// A distortion begins; `number` is its own.
    pub fn distort(&self, number: u64, distorted: Distorted) {
        let t_us = self.inner.clock.now_us();
        {
            let mut state = self.lock();
            for (name, slot) in &mut state.devices {
                if distorted.devices.is_empty() || distorted.devices.contains(name) {
                    let memory = Memory::new(t_us, slot.reading.clone());
                    slot.memories.insert(number, memory);
                }
            }
            state.distortions.insert(number, distorted);
            state.version += 1;
        }
        self.inner.changed.notify_waiters();
    }

    /// A distortion ends.
    pub fn restore(&self, number: u64) {
        {
            let mut state = self.lock();
            state.distortions.remove(&number);
            for slot in state.devices.values_mut() {
                slot.memories.remove(&number);
            }
            state.version += 1;
        }
        self.inner.changed.notify_waiters();
    }

    /// What a protocol's agent shows of a device now, without delay; nothing
    /// where there is no such device or it has not been read yet.
    pub fn peek(&self, protocol: Protocol, device: &str) -> Option<Answer> {
        let t_us = self.inner.clock.now_us();
        let mut state = self.lock();
        let State {
            devices,
            distortions,
            ..
        } = &mut *state;
        let slot = devices.get_mut(device)?;
        let mut reading = Arc::clone(slot.reading.as_ref()?);
        let mut stale = false;
        for (number, distorted) in distortions.iter() {
            if !distorted.reaches(protocol, device) {
                continue;
            }
            if distorted.how == Distortion::Lost {
                return Some(Answer::Silence);
            }
            if let Some(memory) = slot.memories.get_mut(number) {
                match memory.show(&distorted.how, t_us, Arc::clone(&reading)) {
                    Shown::Reading(shown) => reading = shown,
                    Shown::Stale => stale = true,
                }
            }
        }
        Some(match stale {
            true => Answer::Stale,
            false => Answer::Reading(reading),
        })
    }

    /// As [`Board::peek`], as long as it takes.
    pub async fn ask(&self, protocol: Protocol, device: &str) -> Option<Answer> {
        let wait = self.delay(protocol, device);
        if !wait.is_zero() {
            sleep(wait).await;
        }
        self.peek(protocol, device)
    }

    /// How much longer an answer takes than it should.
    pub fn delay(&self, protocol: Protocol, device: &str) -> Duration {
        let state = self.lock();
        let slow = |distorted: &Distorted| match distorted.how {
            Distortion::Slow { by } if distorted.reaches(protocol, device) => by.duration(),
            _ => Duration::ZERO,
        };
        state.distortions.values().map(slow).sum()
    }

    /// Whether a protocol's agent must not answer for any device at all.
    pub fn silent(&self, protocol: Protocol) -> bool {
        let state = self.lock();
        let silences = |d: &Distorted| {
            d.how == Distortion::Lost
                && d.devices.is_empty()
                && (d.protocols.is_empty() || d.protocols.contains(&protocol))
        };
        state.distortions.values().any(silences)
    }

    /// A number that grows with every change.
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Waits until the version is past `seen`, and returns it. It also returns
    /// while a distortion moves with time, with the same version.
    pub async fn changed(&self, seen: u64) -> u64 {
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let (version, timed) = {
                let state = self.lock();
                (state.version, state.distortions.values().any(is_timed))
            };
            if version > seen {
                return version;
            }
            if timed {
                let _ = timeout(TIMED_LOOK, changed).await;
                return self.version();
            }
            changed.await;
        }
    }

    /// Tells a device what to do and waits for what becomes of it.
    pub async fn command(&self, device: &str, command: DeviceCommand) -> Result<(), CommandError> {
        if self.identity(device).is_none() {
            return Err(CommandError::Unknown(device.into()));
        }
        let (done, outcome) = oneshot::channel();
        let order = DeviceOrder {
            device: device.into(),
            command,
            done,
        };
        let sent = self.inner.orders.send(order).await;
        sent.map_err(|_| CommandError::Gone)?;
        outcome.await.unwrap_or(Err(CommandError::Gone))
    }

    /// When a device was last read.
    pub fn read_at(&self, device: &str) -> Option<Micros> {
        let state = self.lock();
        let slot = state.devices.get(device)?;
        slot.reading.as_ref().map(|r| r.t_us())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let state = self.inner.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_timed(distorted: &Distorted) -> bool {
    matches!(
        distorted.how,
        Distortion::Delayed { .. } | Distortion::Flapping { .. }
    )
}

#[cfg(test)]
mod tests;
