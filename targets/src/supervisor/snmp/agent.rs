//! The agent: which devices it serves, and what it shows of each now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::Notify;

use super::alarms::{Alarms, raised};
use super::config::SnmpConfig;
use super::control::{Own, Timer};
use super::mib;
use super::table::Table;
use super::traps::{Event, Informs, Notice, Seen};
use super::usm::Engine;
use crate::clock::Micros;
use crate::telemetry::{Answer, Board, CommandError, DeviceCommand, Identity, Protocol, Reading};

/// Events that may wait to become traps.
const MAX_EVENTS: usize = 1_024;
/// Kinds of devices that have a MIB here.
const KINDS: [&str; 3] = ["ups", "transfer", "pdu"];

/// An SNMP agent over a board.
pub(super) struct Agent {
    pub(super) board: Board,
    pub(super) config: SnmpConfig,
    pub(super) engine: Engine,
    pub(super) informs: Informs,
    /// A countdown was started or called off.
    pub(super) timers_moved: Notify,
    /// There may be something to tell.
    pub(super) news: Notify,
    names: Vec<String>,
    started: Micros,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    devices: IndexMap<String, Slot>,
    events: Vec<Event>,
}

struct Slot {
    identity: Arc<Identity>,
    own: Own,
    alarms: Alarms,
    seen: Seen,
    shown: Option<Shown>,
}

/// A table and what it was made of.
struct Shown {
    reading: Option<Arc<Reading>>,
    own: u64,
    table: Arc<Table>,
}

impl Shown {
    fn is_of(&self, reading: Option<&Arc<Reading>>, own: u64) -> bool {
        let same = match (&self.reading, reading) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same && self.own == own
    }
}

impl Agent {
    pub(super) fn new(board: Board, config: SnmpConfig) -> Self {
        let served = |identity: &Arc<Identity>| {
            let named = config.devices.is_empty() || config.devices.contains(&identity.name);
            named && KINDS.contains(&identity.kind.as_str())
        };
        let slot = |identity: Arc<Identity>| {
            let own = Own::new(&identity, &config.contact, &config.location);
            let slot = Slot {
                identity: Arc::clone(&identity),
                own,
                alarms: Alarms::default(),
                seen: Seen::default(),
                shown: None,
            };
            (identity.name.clone(), slot)
        };
        let devices: IndexMap<_, _> = board
            .devices()
            .into_iter()
            .filter(served)
            .map(slot)
            .collect();
        let first = devices.keys().next().cloned().unwrap_or_default();
        let started = board.clock().now_us();
        Self {
            engine: Engine::new(&config, &first),
            informs: Informs::default(),
            board,
            config,
            timers_moved: Notify::new(),
            news: Notify::new(),
            names: devices.keys().cloned().collect(),
            started,
            state: Mutex::new(State {
                devices,
                events: Vec::new(),
            }),
        }
    }

    /// Hundredths of a second since it started.
    pub(super) fn uptime(&self) -> u64 {
        let now = self.board.clock().now_us();
        now.saturating_sub(self.started) / 10_000
    }

    /// The devices that it serves.
    pub(super) fn devices(&self) -> &[String] {
        &self.names
    }

    /// The device that a community or a context names; without a name the
    /// first UPS, or the first device.
    pub(super) fn select(&self, name: &str) -> Option<String> {
        let state = self.lock();
        if !name.is_empty() {
            return state.devices.get_key_value(name).map(|(n, _)| n.clone());
        }
        let ups = state.devices.iter().find(|(_, s)| s.identity.kind == "ups");
        ups.or(state.devices.first()).map(|(name, _)| name.clone())
    }

    /// Nothing of it may answer.
    pub(super) fn mute(&self) -> bool {
        let silent = |d: &String| self.board.peek(Protocol::Snmp, d) == Some(Answer::Silence);
        let all_silent = !self.names.is_empty() && self.names.iter().all(silent);
        all_silent || self.board.silent(Protocol::Snmp)
    }

    /// What it shows of a device now; nothing where it must stay silent.
    pub(super) fn look(&self, device: &str) -> Option<Arc<Table>> {
        let mut state = self.lock();
        let reading = match self.board.peek(Protocol::Snmp, device) {
            Some(Answer::Silence) => return None,
            Some(Answer::Reading(reading)) => Some(reading),
            Some(Answer::Stale) | None => None,
        };
        let State { devices, events } = &mut *state;
        let slot = devices.get_mut(device)?;
        if let Some(shown) = &slot.shown
            && shown.is_of(reading.as_ref(), slot.own.version)
        {
            return Some(Arc::clone(&shown.table));
        }
        if slot.identity.kind == "ups" {
            let notices = slot.notice(reading.as_deref(), self.uptime());
            let tells = !self.config.traps.is_empty() && !notices.is_empty();
            if tells && events.len() < MAX_EVENTS {
                self.news.notify_one();
                events.extend(notices.into_iter().map(|n| Event::new(device, n)));
            }
        }
        let view = mib::View {
            identity: &slot.identity,
            reading: reading.as_deref(),
            own: &slot.own,
            alarms: slot.alarms.rows(),
        };
        let table = Arc::new(mib::table(&view));
        slot.shown = Some(Shown {
            own: slot.own.version,
            reading,
            table: Arc::clone(&table),
        });
        Some(table)
    }

    /// A test of a device has ended, which is told.
    pub(super) fn test_completed(&self, device: &str) {
        let mut state = self.lock();
        if !self.config.traps.is_empty() && state.events.len() < MAX_EVENTS {
            state.events.push(Event::new(device, Notice::TestCompleted));
            self.news.notify_one();
        }
    }

    /// What has happened since it was last asked.
    pub(super) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.lock().events)
    }

    /// Reads or changes what it keeps for a device.
    pub(super) fn own<T>(&self, device: &str, with: impl FnOnce(&mut Own) -> T) -> Option<T> {
        let mut state = self.lock();
        let slot = state.devices.get_mut(device)?;
        let result = with(&mut slot.own);
        slot.own.version += 1;
        self.news.notify_one();
        Some(result)
    }

    /// Tells a device what to do.
    pub(super) async fn order(
        &self,
        device: &str,
        command: DeviceCommand,
    ) -> Result<(), CommandError> {
        self.board.command(device, command.clone()).await?;
        self.own(device, |own| own.obeyed(&command));
        Ok(())
    }

    /// The countdowns that have ended, which are countdowns no more.
    pub(super) fn take_due(&self) -> Vec<(String, Timer)> {
        let uptime = self.uptime();
        let mut due = Vec::new();
        for (device, slot) in &mut self.lock().devices {
            let before = slot.own.timers.len();
            slot.own.timers.retain(|&timer, &mut at| {
                if at <= uptime {
                    due.push((device.clone(), timer));
                }
                at > uptime
            });
            slot.own.version += u64::from(slot.own.timers.len() != before);
        }
        self.news.notify_one();
        due
    }

    /// How long until the next countdown ends.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let state = self.lock();
        let timers = state.devices.values().flat_map(|s| s.own.timers.values());
        let at = timers.min()?;
        Some(Duration::from_millis(at.saturating_sub(self.uptime()) * 10))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// The alarm table follows a reading; what there is to tell of it.
    fn notice(&mut self, reading: Option<&Reading>, uptime: u64) -> Vec<Notice> {
        let ups = match reading {
            Some(Reading::Ups(ups)) => Some(ups),
            _ => None,
        };
        let (came, gone) = self.alarms.sync(&raised(ups, &self.own), uptime);
        self.seen.notices(ups, &came, &gone)
    }
}
