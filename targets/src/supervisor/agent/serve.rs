//! Keeps a NUT bank up to what the board shows, and takes orders to it.

use std::collections::BTreeSet;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::describe::{describe, is_served, pdu_commands};
use super::orders::{Meaning, meaning};
use super::rows::rows;
use crate::net::Listener;
use crate::service::spawn_in;
use crate::supervisor::mapping::whole;
use crate::supervisor::nut::{
    Device, Limits, Link, NutUser, Order, OrderKind, Pace, SharedBank, Tracked, serve,
};
use crate::telemetry::{Answer, Board, CommandError, Protocol, Reading, UpsReading};
use crate::units::Span;

/// Orders that may be under way at one time.
const MAX_PENDING: usize = 64;

/// A NUT agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NutAgentConfig {
    /// The port it listens on (IANA: `nut`).
    pub port: u16,
    /// Readings older than this are stale (upsd's `MAXAGE`); without it the
    /// last one holds.
    pub stale_after: Option<Span>,
    /// Nominal voltage of a UPS's battery string.
    pub battery_nominal_v: f64,
    /// Who may set and command.
    pub users: Vec<NutUser>,
}

impl Default for NutAgentConfig {
    fn default() -> Self {
        Self {
            port: 3493,
            stale_after: None,
            battery_nominal_v: 192.0,
            users: vec![NutUser::all("supervisor", "supervisor")],
        }
    }
}

/// Serves the board's UPSs, transfer switches, PDUs and generators until it is
/// dropped. `seed` is for the numbers of tracked orders.
pub async fn nut_on(board: Board, config: NutAgentConfig, listener: Box<dyn Listener>, seed: u64) {
    let served: Vec<String> = board
        .devices()
        .iter()
        .filter(|identity| is_served(identity))
        .map(|identity| identity.name.clone())
        .collect();
    let devices = served
        .iter()
        .filter_map(|name| Some(describe(&*board.identity(name)?)))
        .collect();
    let (bank, mut orders) = SharedBank::new(devices, config.users.clone(), seed);
    let limits = Limits {
        connections: 4_096,
        ..Limits::default()
    };
    let mut agent = Agent {
        board,
        config,
        bank: bank.clone(),
        served,
        own_limits: BTreeSet::new(),
        nominal_hz: 50.0,
        pending: JoinSet::new(),
    };
    tokio::select! {
        biased;
        () = agent.run(&mut orders) => {}
        () = serve(listener, bank, limits) => {}
    }
}

struct Agent {
    board: Board,
    config: NutAgentConfig,
    bank: SharedBank,
    served: Vec<String>,
    /// UPSs whose thresholds a client has set: the agent decides what is low.
    own_limits: BTreeSet<String>,
    /// What an inverter makes: the grid's frequency, as last seen.
    nominal_hz: f64,
    pending: JoinSet<(Option<Uuid>, Result<(), CommandError>)>,
}

impl Agent {
    async fn run(&mut self, orders: &mut tokio::sync::mpsc::Receiver<Order>) {
        let mut seen = self.board.version();
        self.publish();
        loop {
            let board = self.board.clone();
            let stale = self.next_stale();
            tokio::select! {
                biased;
                version = board.changed(seen) => {
                    seen = version;
                    self.publish();
                }
                Some(order) = orders.recv() => self.order(order),
                Some(done) = self.pending.join_next(), if !self.pending.is_empty() => {
                    if let Ok((id, outcome)) = done {
                        self.bank.lock().finish(id, tracked(&outcome));
                    }
                }
                () = sleep_until(stale.unwrap_or_else(Instant::now)), if stale.is_some() => {
                    self.publish();
                }
            }
        }
    }

    /// When the next device's reading grows too old.
    fn next_stale(&self) -> Option<Instant> {
        let after = self.config.stale_after?;
        let clock = self.board.clock();
        let now = clock.now_us();
        let at = |name: &String| Some(self.board.read_at(name)? + after.micros());
        let due = self.served.iter().filter_map(at).filter(|at| *at > now);
        due.min().map(|at| clock.instant(at))
    }

    /// Brings every device up to what the board shows.
    fn publish(&mut self) {
        let now = self.board.clock().now_us();
        let bank = self.bank.clone();
        let mut bank = bank.lock();
        let delay = self
            .served
            .iter()
            .map(|n| self.board.delay(Protocol::Nut, n));
        bank.set_pace(Pace {
            silent: self.board.silent(Protocol::Nut),
            delay: delay.max().unwrap_or(Duration::ZERO),
        });
        for name in self.served.clone() {
            let answer = self.board.peek(Protocol::Nut, &name);
            let read_at = self.board.read_at(&name).unwrap_or(0);
            let Some(device) = bank.device_mut(&name) else {
                continue;
            };
            let after = self.config.stale_after.map(|after| after.micros());
            let old = after.is_some_and(|after| now >= read_at + after);
            device.link = match answer {
                Some(Answer::Silence) => Link::Down,
                Some(Answer::Reading(_)) if !old => Link::Up,
                _ => Link::Stale,
            };
            if let Some(Answer::Reading(reading)) = answer {
                self.fill(device, &reading);
            }
        }
    }

    fn fill(&mut self, device: &mut Device, reading: &Reading) {
        let mut reading = reading.clone();
        if let Reading::Ups(ups) = &mut reading {
            if ups.input_hz > 40.0 {
                self.nominal_hz = if ups.input_hz > 55.0 { 60.0 } else { 50.0 };
            }
            if ups.output_hz <= 0.0 && ups.output_v > 0.0 {
                ups.output_hz = self.nominal_hz;
            }
            if self.own_limits.contains(&device.name) {
                ups.low_battery = is_low(device, ups);
            } else {
                device.put("battery.charge.low", whole(ups.charge_low * 100.0));
                device.put("battery.runtime.low", whole(ups.runtime_low_s));
            }
        }
        if let Reading::Pdu(pdu) = &reading {
            device.set_commands(pdu_commands(pdu.outlets.len()));
        }
        // An alarm is there only while it lasts.
        device.retain(|name| name != "ups.alarm");
        for (name, value) in rows(&reading, self.config.battery_nominal_v) {
            device.put(&name, value);
        }
    }

    fn order(&mut self, order: Order) {
        let Order { id, device, kind } = order;
        match kind {
            OrderKind::Set { variable, value } => {
                if let Some(device) = self.bank.lock().device_mut(&device) {
                    device.put(&variable, value);
                }
                self.own_limits.insert(device);
                self.publish();
                self.bank.lock().finish(id, Tracked::Success);
            }
            OrderKind::Command { command, .. } => self.command(id, device, &command),
        }
    }

    fn command(&mut self, id: Option<Uuid>, device: String, command: &str) {
        let outcome = match meaning(command) {
            Some(Meaning::Beeper(next)) => self.beeper(&device, next),
            Some(Meaning::Device(command)) if self.pending.len() < MAX_PENDING => {
                let board = self.board.clone();
                spawn_in(&mut self.pending, async move {
                    (id, board.command(&device, command).await)
                });
                return;
            }
            Some(Meaning::Device(_)) => Tracked::Failed,
            None => Tracked::Unknown,
        };
        self.bank.lock().finish(id, outcome);
    }

    fn beeper(&self, device: &str, next: Option<&str>) -> Tracked {
        let mut bank = self.bank.lock();
        let Some(device) = bank.device_mut(device) else {
            return Tracked::Failed;
        };
        let was = device
            .variable("ups.beeper.status")
            .map(|v| v.value.clone());
        let toggled = match was.as_deref() {
            Some("disabled") => "enabled",
            _ => "disabled",
        };
        device.put("ups.beeper.status", next.unwrap_or(toggled));
        Tracked::Success
    }
}

fn is_low(device: &Device, ups: &UpsReading) -> bool {
    let limit = |name: &str| -> f64 {
        let value = device.variable(name).map(|v| v.value.parse());
        value.and_then(Result::ok).unwrap_or(0.0)
    };
    ups.charge * 100.0 < limit("battery.charge.low") || ups.runtime_s < limit("battery.runtime.low")
}

fn tracked(outcome: &Result<(), CommandError>) -> Tracked {
    match outcome {
        Ok(()) => Tracked::Success,
        Err(CommandError::Unsupported(_) | CommandError::Unknown(_)) => Tracked::Unknown,
        Err(CommandError::OutOfRange(_)) => Tracked::Invalid,
        Err(CommandError::Refused(_) | CommandError::Gone) => Tracked::Failed,
    }
}
