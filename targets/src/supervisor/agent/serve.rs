//! Keeps a NUT bank up to what the board shows, and takes orders to it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::describe::{describe, is_served};
use super::keep::{Keeper, Todo, begin, tracked};
use crate::net::Listener;
use crate::service::spawn_in;
use crate::supervisor::nut::{Limits, NutUser, Order, OrderKind, Pace, SharedBank, Tracked, serve};
use crate::telemetry::{Board, CommandError, Protocol};
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
        keeper: Keeper::new(config.stale_after, config.battery_nominal_v),
        board,
        config,
        bank: bank.clone(),
        served,
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
    keeper: Keeper,
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
        for name in &self.served {
            if let Some(device) = bank.device_mut(name) {
                self.keeper.refresh(&self.board, device);
            }
        }
    }

    fn order(&mut self, order: Order) {
        let Order { id, device, kind } = order;
        match kind {
            OrderKind::Set { variable, value } => {
                if let Some(device) = self.bank.lock().device_mut(&device) {
                    self.keeper.set(device, &variable, value);
                }
                self.publish();
                self.bank.lock().finish(id, Tracked::Success);
            }
            OrderKind::Command { command, .. } => self.command(id, device, &command),
        }
    }

    fn command(&mut self, id: Option<Uuid>, device: String, command: &str) {
        let todo = begin(self.bank.lock().device_mut(&device), command);
        let outcome = match todo {
            Todo::Order(command) if self.pending.len() < MAX_PENDING => {
                let board = self.board.clone();
                spawn_in(&mut self.pending, async move {
                    (id, board.command(&device, command).await)
                });
                return;
            }
            Todo::Order(_) => Tracked::Failed,
            Todo::Done(outcome) => outcome,
        };
        self.bank.lock().finish(id, outcome);
    }
}
