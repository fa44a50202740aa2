//! The Modbus server: connections, bounds, time.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::config::SunspecConfig;
use super::frame::{Ask, Exception, Frame, read};
use super::models::{BASE, Beat, Held, map};
use super::order;
use crate::clock::Micros;
use crate::net::{Conn, Listener};
use crate::service::spawn_in;
use crate::telemetry::{
    Answer, BessReading, Board, CommandError, DeviceCommand, Identity, Protocol, Reading,
};

/// Serves the board's storage systems until it is dropped.
pub async fn run_sunspec_on(board: Board, config: SunspecConfig, listener: Box<dyn Listener>) {
    let plates = board.devices();
    let units = plates
        .iter()
        .filter(|plate| plate.kind == "bess")
        .map(|plate| Unit {
            plate: Arc::clone(plate),
            state: Mutex::new(State {
                held: Held::new(),
                revert_at: None,
            }),
        });
    let server = Arc::new(Server {
        units: units.collect(),
        board,
        armed: Notify::new(),
    });
    tokio::select! {
        biased;
        () = revert(&server) => {}
        () = accept(listener, Arc::clone(&server), &config) => {}
    }
}

struct Server {
    board: Board,
    units: Vec<Unit>,
    /// A set-point was given a time to lapse.
    armed: Notify,
}

/// One storage system.
struct Unit {
    plate: Arc<Identity>,
    state: Mutex<State>,
}

struct State {
    held: Held,
    /// When the set-point lapses.
    revert_at: Option<Micros>,
}

impl Unit {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Set-points whose controller was not heard again lapse.
async fn revert(server: &Server) {
    let clock = server.board.clock();
    loop {
        let due = server.units.iter().filter_map(|unit| unit.lock().revert_at);
        let due = due.min();
        let armed = server.armed.notified();
        tokio::select! {
            biased;
            () = armed => continue,
            () = sleep_until(clock.instant(due.unwrap_or(0))), if due.is_some() => {}
        }
        for unit in &server.units {
            {
                let mut state = unit.lock();
                match state.revert_at {
                    Some(at) if at <= clock.now_us() => {
                        state.revert_at = None;
                        state.held.set_on = false;
                    }
                    _ => continue,
                }
            }
            let order = DeviceCommand::Power { watts: None };
            let _ = server.board.command(&unit.plate.name, order).await;
        }
    }
}

async fn accept(mut listener: Box<dyn Listener>, server: Arc<Server>, config: &SunspecConfig) {
    let slots = Arc::new(Semaphore::new(config.connections));
    let (idle, write) = (config.idle.duration(), config.write.duration());
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok(conn) => {
                    if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
                        let server = Arc::clone(&server);
                        spawn_in(&mut tasks, async move {
                            let _ = connection(conn, &server, idle, write).await;
                            drop(slot);
                        });
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}

async fn connection(
    mut conn: Conn,
    server: &Server,
    idle: Duration,
    write: Duration,
) -> io::Result<()> {
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    loop {
        let frame = timeout(idle, read(&mut conn.io)).await.map_err(late)??;
        let Some(frame) = frame else {
            return Ok(());
        };
        let Some(answer) = server.answer(&frame).await else {
            continue;
        };
        let written = async {
            conn.io.write_all(&answer).await?;
            conn.io.flush().await
        };
        timeout(write, written).await.map_err(late)??;
    }
}

impl Server {
    fn unit(&self, number: u8) -> Option<&Unit> {
        let index = match number {
            0 | 255 => 0,
            n => usize::from(n) - 1,
        };
        self.units.get(index)
    }

    /// The answer to a frame; none where a fault keeps it silent.
    async fn answer(&self, frame: &Frame) -> Option<Vec<u8>> {
        let Some(unit) = self.unit(frame.unit) else {
            return Some(frame.refusal(Exception::TargetSilent));
        };
        let reading = match self.board.ask(Protocol::Modbus, &unit.plate.name).await {
            Some(Answer::Reading(reading)) => reading,
            Some(Answer::Silence) => return None,
            Some(Answer::Stale) | None => {
                return Some(frame.refusal(Exception::TargetSilent));
            }
        };
        let Reading::Bess(reading) = &*reading else {
            return Some(frame.refusal(Exception::DeviceFailure));
        };
        let done = match frame.ask() {
            Ok(Ask::Read { at, count }) => self
                .read(unit, reading, at, count)
                .map(|values| frame.registers(&values)),
            Ok(Ask::Write { at, values }) => self
                .write(unit, reading, at, &values)
                .await
                .map(|()| frame.written()),
            Err(refusal) => Err(refusal),
        };
        Some(done.unwrap_or_else(|refusal| frame.refusal(refusal)))
    }

    fn read(
        &self,
        unit: &Unit,
        reading: &BessReading,
        at: u16,
        count: u16,
    ) -> Result<Vec<u16>, Exception> {
        let now = self.board.clock().now_us();
        let words = {
            let state = unit.lock();
            let left = state.revert_at.map_or(0, |at| at.saturating_sub(now));
            let beat = Beat {
                // A device whose readings stand still has a heart that does.
                seconds: (reading.t_us / 1_000_000) as u32,
                revert_left_s: (left / 1_000_000) as u32,
            };
            map(&unit.plate, reading, &state.held, beat)
        };
        let start = usize::from(at.checked_sub(BASE).ok_or(Exception::IllegalAddress)?);
        let values = words.get(start..start + usize::from(count));
        values.map(<[u16]>::to_vec).ok_or(Exception::IllegalAddress)
    }

    async fn write(
        &self,
        unit: &Unit,
        reading: &BessReading,
        at: u16,
        values: &[u16],
    ) -> Result<(), Exception> {
        let held = unit.lock().held.clone();
        let written = order::read(at, values, &held, reading)?;
        for order in written.orders {
            let outcome = self.board.command(&unit.plate.name, order).await;
            outcome.map_err(|error| match error {
                CommandError::OutOfRange(_) => Exception::IllegalValue,
                CommandError::Gone => Exception::TargetSilent,
                _ => Exception::DeviceFailure,
            })?;
        }
        let mut state = unit.lock();
        state.held = written.held;
        if written.armed {
            let (on, after) = (state.held.set_on, u64::from(state.held.revert_s));
            let now = self.board.clock().now_us();
            state.revert_at = (on && after > 0).then(|| now + after * 1_000_000);
            self.armed.notify_one();
        }
        Ok(())
    }
}
