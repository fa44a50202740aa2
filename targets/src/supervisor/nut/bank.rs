//! What all connections of one NUT server share.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use uuid::{Builder, Uuid};

use super::access::NutUser;
use super::device::Device;

/// Orders that may wait for the device at one time.
const MAX_ORDERS: usize = 64;
/// Tracked orders that are remembered; the oldest is forgotten first.
const MAX_TRACKED: usize = 1024;

/// Devices, users, logins, orders.
pub struct Bank {
    devices: Vec<Device>,
    users: Vec<NutUser>,
    logins: BTreeMap<u64, (usize, IpAddr)>,
    tracked: VecDeque<(Uuid, Tracked)>,
    orders: mpsc::Sender<Order>,
    rng: ChaCha8Rng,
    pace: Pace,
}

/// How a server answers: a fault of its own, not of its devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// It reads and never answers.
    pub silent: bool,
    /// Every answer takes this much longer.
    pub delay: Duration,
}

/// A bank that connections share. The lock is never held across a wait.
#[derive(Clone)]
pub struct SharedBank(Arc<Mutex<Bank>>);

/// What a client asked of a device, after every check of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// How to report the end, where the client wants to know.
    pub id: Option<Uuid>,
    /// The device's name as configured.
    pub device: String,
    /// What to do.
    pub kind: OrderKind,
}

/// The two kinds of orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// Set a variable.
    Set {
        /// Its name as the device spells it.
        variable: String,
        /// Its new value.
        value: String,
    },
    /// Run a command.
    Command {
        /// Its name as the device spells it.
        command: String,
        /// Its parameter.
        parameter: Option<String>,
    },
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracked {
    /// Not done yet.
    Pending,
    /// Done.
    Success,
    /// The device does not know how.
    Unknown,
    /// The device refused the value.
    Invalid,
    /// The device tried and failed.
    Failed,
}

impl Tracked {
    /// As `GET TRACKING` says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Success => "SUCCESS",
            Self::Unknown => "ERR UNKNOWN",
            Self::Invalid => "ERR INVALID-ARGUMENT",
            Self::Failed => "ERR FAILED",
        }
    }
}

impl SharedBank {
    /// A bank with these devices and users, and the queue on which orders of
    /// its clients arrive.
    pub fn new(
        devices: Vec<Device>,
        users: Vec<NutUser>,
        seed: u64,
    ) -> (Self, mpsc::Receiver<Order>) {
        let (orders, queue) = mpsc::channel(MAX_ORDERS);
        let bank = Bank {
            devices,
            users,
            logins: BTreeMap::new(),
            tracked: VecDeque::new(),
            orders,
            rng: ChaCha8Rng::seed_from_u64(seed),
            pace: Pace::default(),
        };
        (Self(Arc::new(Mutex::new(bank))), queue)
    }

    /// The bank, locked.
    pub fn lock(&self) -> MutexGuard<'_, Bank> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bank {
    /// All devices, as configured.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// A device by name, in any case of letters.
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.index(name).map(|index| &self.devices[index])
    }

    /// A device by name, to change it.
    pub fn device_mut(&mut self, name: &str) -> Option<&mut Device> {
        self.index(name).map(|index| &mut self.devices[index])
    }

    /// How the server answers from now on.
    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// How the server answers.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// How many clients are logged in to a device.
    pub fn logins(&self, device: &str) -> usize {
        self.clients(device).len()
    }

    /// Says what became of a tracked order.
    pub fn finish(&mut self, id: Option<Uuid>, outcome: Tracked) {
        let Some(id) = id else { return };
        if let Some(entry) = self.tracked.iter_mut().find(|(known, _)| *known == id) {
            entry.1 = outcome;
        }
    }

    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.devices
            .iter()
            .position(|d| d.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn clients(&self, device: &str) -> Vec<IpAddr> {
        let index = self.index(device);
        self.logins
            .values()
            .filter(|(of, _)| Some(*of) == index)
            .map(|(_, ip)| *ip)
            .collect()
    }

    pub(super) fn log_in(&mut self, connection: u64, index: usize, peer: IpAddr) {
        self.logins.insert(connection, (index, peer));
    }

    pub(super) fn log_out(&mut self, connection: u64) {
        self.logins.remove(&connection);
    }

    pub(super) fn is_logged_in(&self, connection: u64) -> bool {
        self.logins.contains_key(&connection)
    }

    /// The user that these credentials are of.
    pub(super) fn user(&self, name: &str, password: &str) -> Option<&NutUser> {
        self.users
            .iter()
            .find(|u| u.name == name && u.password == password)
    }

    pub(super) fn tracked(&self, id: &str) -> Option<Tracked> {
        let id = Uuid::parse_str(id).ok()?;
        self.tracked
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(_, outcome)| *outcome)
    }

    /// Hands an order over; `Err` when too many wait already.
    pub(super) fn order(
        &mut self,
        device: &str,
        kind: OrderKind,
        track: bool,
    ) -> Result<Option<Uuid>, ()> {
        let id = track.then(|| {
            let mut bytes = [0; 16];
            self.rng.fill_bytes(&mut bytes);
            Builder::from_random_bytes(bytes).into_uuid()
        });
        let order = Order {
            id,
            device: device.into(),
            kind,
        };
        self.orders.try_send(order).map_err(|_| ())?;
        if let Some(id) = id {
            if self.tracked.len() >= MAX_TRACKED {
                self.tracked.pop_front();
            }
            self.tracked.push_back((id, Tracked::Pending));
        }
        Ok(id)
    }
}
