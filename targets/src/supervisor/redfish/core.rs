//! What every part of the service shares.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::config::RedfishConfig;
use super::events::Event;
use super::look::Look;
use super::site::Site;
use super::state::State;
use crate::net::Net;
use crate::supervisor::web::Seats;
use crate::telemetry::{Board, CommandError, DeviceCommand};

/// Longest wait for what becomes of an order.
const ORDER_PATIENCE: Duration = Duration::from_secs(10);

/// The service's heart.
pub(super) struct Core {
    pub(super) board: Board,
    pub(super) config: RedfishConfig,
    /// The network that events are posted to, where there is one.
    pub(super) net: Option<Arc<dyn Net>>,
    state: Mutex<State>,
    /// Told when there are events, or a subscription is gone.
    pub(super) told: Notify,
    pub(super) seats: Seats,
    /// Places for power cycles under way.
    pub(super) cycles: Arc<Semaphore>,
    /// What goes on behind answered requests; it ends with the service.
    pub(super) tasks: Mutex<JoinSet<()>>,
}

impl Core {
    pub(super) fn new(board: Board, config: RedfishConfig, net: Option<Arc<dyn Net>>) -> Self {
        Self {
            state: Mutex::new(State::new(&config)),
            told: Notify::new(),
            seats: Seats::new(config.web.streams),
            cycles: Arc::new(Semaphore::new(config.limits.cycles)),
            tasks: Mutex::new(JoinSet::new()),
            board,
            config,
            net,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The site as it is now.
    pub(super) fn site<'a>(&'a self, state: &'a State) -> Site<'a> {
        Site {
            board: &self.board,
            config: &self.config,
            memory: &state.memory,
        }
    }

    /// Warning, critical and fatal temperatures of the room.
    pub(super) fn room_limits(&self) -> Option<[f64; 3]> {
        self.site(&self.lock()).room_limits()
    }

    /// A device as it is seen now.
    pub(super) fn look(&self, name: &str) -> Option<Look> {
        let kind = self.board.identity(name)?.kind.clone();
        self.site(&self.lock()).device(name, &[&kind])
    }

    /// Tells a device what to do; one that does not say what became of it in
    /// time counts as gone.
    pub(super) async fn order(
        &self,
        device: &str,
        command: DeviceCommand,
    ) -> Result<(), CommandError> {
        let told = self.board.command(device, command);
        let told = timeout(ORDER_PATIENCE, told).await;
        told.unwrap_or(Err(CommandError::Gone))
    }

    /// Events happened.
    pub(super) fn tell(&self, events: Vec<Event>) {
        {
            let mut state = self.lock();
            for event in events {
                state.log.push(event);
            }
        }
        self.told.notify_waiters();
    }

    /// Goes on with something after the request is answered.
    pub(super) fn behind(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        crate::service::spawn_in(&mut tasks, task);
    }
}
