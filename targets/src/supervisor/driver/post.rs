//! One device's driver: keeps it up to what the board shows and takes the orders
//! of its clients.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::connection::{self, Ask};
use super::socket::{DriverSockets, Socket};
use crate::service::spawn_in;
use crate::supervisor::agent::{Keeper, Todo, begin, describe, tracked};
use crate::supervisor::nut::{Device, Link, OrderKind, Tracked, check_value};
use crate::telemetry::{Board, CommandError, Protocol};

/// Clients of one driver at one time; more are closed at once.
const MAX_CLIENTS: usize = 16;
/// Orders that may wait or be under way for one device at one time.
const MAX_ORDERS: usize = 64;

/// What the clients of a driver are shown now.
#[derive(Clone, Default)]
pub(super) struct Face {
    /// The device.
    pub(super) device: Device,
    /// Every answer takes this much longer.
    pub(super) delay: Duration,
}

impl Face {
    /// The driver hangs: it neither reads nor writes, as a stopped process.
    pub(super) fn hangs(&self) -> bool {
        self.device.link == Link::Down
    }
}

/// Serves the devices of a board to upsd until it is dropped, which removes the
/// sockets. `battery_nominal_v` is the nominal voltage of a UPS's battery
/// string. A device whose telemetry is lost has a driver that hangs; upsd calls
/// its data stale after its `MAXAGE`.
pub async fn run_driver_on(board: Board, battery_nominal_v: f64, sockets: DriverSockets) {
    let mut tasks = JoinSet::new();
    let mut paths = Vec::new();
    for socket in sockets.sockets {
        let Socket {
            device,
            listener,
            path,
        } = socket;
        paths.push(path);
        let mut post = Post {
            board: board.clone(),
            keeper: Keeper::new(None, battery_nominal_v),
            device: describe(&device),
            pending: JoinSet::new(),
        };
        spawn_in(&mut tasks, async move { post.serve(listener).await });
    }
    while tasks.join_next().await.is_some() {}
    drop(paths);
}

struct Post {
    board: Board,
    keeper: Keeper,
    device: Device,
    pending: JoinSet<(Option<Answerer>, Result<(), CommandError>)>,
}

/// Whom to tell the end of an order.
pub(super) struct Answerer {
    pub(super) id: String,
    pub(super) to: mpsc::Sender<(String, Tracked)>,
}

impl Answerer {
    /// A client that does not listen misses it, and stops nobody.
    fn tell(self, outcome: Tracked) {
        let _ = self.to.try_send((self.id, outcome));
    }
}

impl Post {
    async fn serve(&mut self, listener: UnixListener) {
        let (asks, mut inbox) = mpsc::channel(MAX_ORDERS);
        let mut seen = self.board.version();
        let (faces, face) = watch::channel(self.look());
        let clients = accept(listener, face, asks);
        tokio::pin!(clients);
        loop {
            let board = self.board.clone();
            let end = tokio::select! {
                biased;
                version = board.changed(seen) => {
                    seen = version;
                    None
                }
                Some(ask) = inbox.recv() => self.order(ask),
                Some(done) = self.pending.join_next(), if !self.pending.is_empty() => {
                    done.ok().map(|(answerer, outcome)| (answerer, tracked(&outcome)))
                }
                () = &mut clients => return,
            };
            let _ = faces.send(self.look());
            if let Some((Some(answerer), outcome)) = end {
                answerer.tell(outcome);
            }
        }
    }

    fn look(&mut self) -> Face {
        self.keeper.refresh(&self.board, &mut self.device);
        Face {
            device: self.device.clone(),
            delay: self.board.delay(Protocol::Nut, &self.device.name),
        }
    }

    /// Begins an order; what became of it, where that is known at once.
    fn order(&mut self, ask: Ask) -> Option<(Option<Answerer>, Tracked)> {
        let Ask { kind, answerer } = ask;
        let outcome = match kind {
            _ if self.device.link != Link::Up => Tracked::Failed,
            OrderKind::Set { variable, value } => self.set(&variable, value),
            OrderKind::Command { command, .. } if !self.device.commands().contains(&command) => {
                Tracked::Unknown
            }
            OrderKind::Command { command, .. } => match begin(Some(&mut self.device), &command) {
                Todo::Done(outcome) => outcome,
                Todo::Order(_) if self.pending.len() >= MAX_ORDERS => Tracked::Failed,
                Todo::Order(command) => {
                    let (board, device) = (self.board.clone(), self.device.name.clone());
                    spawn_in(&mut self.pending, async move {
                        (answerer, board.command(&device, command).await)
                    });
                    return None;
                }
            },
        };
        Some((answerer, outcome))
    }

    /// upsd has checked this already; others that connect have not.
    fn set(&mut self, name: &str, value: String) -> Tracked {
        match self.device.variable(name) {
            None => Tracked::Unknown,
            Some(variable) if check_value(variable, &value).is_err() => Tracked::Invalid,
            Some(_) => {
                self.keeper.set(&mut self.device, name, value);
                Tracked::Success
            }
        }
    }
}

async fn accept(listener: UnixListener, face: watch::Receiver<Face>, asks: mpsc::Sender<Ask>) {
    let slots = Arc::new(Semaphore::new(MAX_CLIENTS));
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
                        let (face, asks) = (face.clone(), asks.clone());
                        spawn_in(&mut tasks, async move {
                            connection::serve(stream, face, asks).await;
                            drop(slot);
                        });
                    }
                }
                Err(error) => {
                    // Out of descriptors: it may recover, but must not be asked
                    // in a tight loop.
                    tracing::debug!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}
