//! The services that the table is observed with.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::clock::{Clock, Micros};
use crate::net::{Conn, Keepalive, Net, SocketOptions};
use crate::service::{Env, FromService, ServiceError, ToService, spawn_in};

use super::table::{Column, End};

/// The server's name in the registry.
pub(super) const SERVER: &str = "conformance-server";
/// The client's name in the registry.
pub const CLIENT: &str = "conformance-client";

/// Streams to whoever connects.
const STREAM_PORT: u16 = 9000;
/// Swallows what is written.
const SINK_PORT: u16 = 9001;
/// Takes connections and drops them.
const DOOR_PORT: u16 = 9002;

/// Time between two chunks of a stream.
const CHUNK_EVERY: Duration = Duration::from_millis(20);
/// Time between two attempts to connect.
const ATTEMPT_EVERY: Duration = Duration::from_millis(250);
/// How many attempts are made at most.
const ATTEMPTS_MAX: u32 = 240;

/// What a client is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ClientConfig {
    /// The server's host name.
    pub(super) server: String,
    /// Whether it holds the four streams open.
    pub(super) streams: bool,
}

/// What a client has seen.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Sighting {
    /// A stream has moved its first bytes.
    Open(Column),
    /// A stream has ended.
    Ended {
        column: Column,
        how: End,
        at_us: Micros,
    },
    /// Told when asked to stop: a stream is still open.
    Still { column: Column, last_us: Micros },
    /// An attempt to connect; without an end when asked to stop before it.
    Attempt {
        start_us: Micros,
        end: Option<(End, Micros)>,
    },
    /// That was all.
    Done,
}

/// Starts a service of the table by its name in the registry; `None` for any
/// other name. Registries of worlds under test pass names on to it.
pub fn builtin(
    name: &str,
    config: &serde_json::Value,
    env: Env,
) -> Option<BoxFuture<'static, Result<(), ServiceError>>> {
    match name {
        SERVER => Some(Box::pin(serve(env))),
        CLIENT => match serde_json::from_value(config.clone()) {
            Ok(config) => Some(Box::pin(observe(env, config))),
            Err(error) => Some(Box::pin(async move {
                Err(ServiceError::Config(error.to_string()))
            })),
        },
        _ => None,
    }
}

async fn serve(mut env: Env) -> Result<(), ServiceError> {
    let mut tasks = JoinSet::new();
    for port in [STREAM_PORT, SINK_PORT, DOOR_PORT] {
        let listening = env.net.listen(port, SocketOptions::default()).await;
        let mut listener = listening.map_err(|source| ServiceError::Io {
            what: format!("listen on port {port}"),
            source,
        })?;
        spawn_in(&mut tasks, async move {
            let mut served = JoinSet::new();
            while let Ok(conn) = listener.accept().await {
                match port {
                    STREAM_PORT => drop(spawn_in(&mut served, stream(conn))),
                    SINK_PORT => drop(spawn_in(&mut served, swallow(conn))),
                    _ => drop(conn),
                }
            }
        });
    }
    let t_us = env.clock.now_us();
    env.panel.say(FromService::Ready { t_us });
    stopped(&mut env).await;
    Ok(())
}

async fn stopped(env: &mut Env) {
    while let Some(word) = env.panel.inbox.recv().await {
        if word == ToService::Stop {
            return;
        }
    }
}

async fn stream(mut conn: Conn) {
    while conn.io.write_all(b"data: x\n\n").await.is_ok() {
        tokio::time::sleep(CHUNK_EVERY).await;
    }
}

async fn swallow(mut conn: Conn) {
    let mut buffer = [0; 4096];
    while !matches!(conn.io.read(&mut buffer).await, Ok(0) | Err(_)) {}
}

/// What a column's task and the client's end share.
#[derive(Clone, Default)]
struct Board(Arc<Mutex<Vec<Entry>>>);

#[derive(Clone, Copy)]
enum Entry {
    Stream(Column, Micros, bool),
    Attempt(Micros, bool),
}

impl Board {
    fn with<T>(&self, act: impl FnOnce(&mut Vec<Entry>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Clone)]
struct Observer {
    net: Arc<dyn Net>,
    clock: Clock,
    voice: tokio::sync::mpsc::UnboundedSender<FromService>,
    board: Board,
    server: String,
}

async fn observe(mut env: Env, config: ClientConfig) -> Result<(), ServiceError> {
    let observer = Observer {
        net: Arc::clone(&env.net),
        clock: env.clock,
        voice: env.panel.voice(),
        board: Board::default(),
        server: config.server,
    };
    let mut tasks = JoinSet::new();
    if config.streams {
        for column in Column::STREAMS {
            let observer = observer.clone();
            spawn_in(&mut tasks, async move { observer.stream(column).await });
        }
    }
    let attempts = observer.clone();
    spawn_in(&mut tasks, async move { attempts.attempts().await });
    stopped(&mut env).await;
    // The tasks end here, so that what is told below stays true.
    tasks.shutdown().await;
    observer.tell_rest();
    Ok(())
}

impl Observer {
    fn tell(&self, sighting: Sighting) {
        let row = serde_json::to_value(sighting).unwrap_or_default();
        let _ = self.voice.send(FromService::Ledger(row));
    }

    fn tell_rest(&self) {
        for entry in self.board.with(std::mem::take) {
            match entry {
                Entry::Stream(column, last_us, true) => {
                    self.tell(Sighting::Still { column, last_us });
                }
                Entry::Attempt(start_us, true) => self.tell(Sighting::Attempt {
                    start_us,
                    end: None,
                }),
                Entry::Stream(..) | Entry::Attempt(..) => {}
            }
        }
        self.tell(Sighting::Done);
    }

    async fn stream(&self, column: Column) {
        let (port, options) = match column {
            Column::ReaderKeepalive => (STREAM_PORT, keepalive()),
            Column::Writer => (SINK_PORT, SocketOptions::default()),
            Column::WriterTimeout => (SINK_PORT, user_timeout()),
            _ => (STREAM_PORT, SocketOptions::default()),
        };
        let conn = loop {
            match self.net.connect(&self.server, port, options).await {
                Ok(conn) => break conn,
                Err(_) => tokio::time::sleep(CHUNK_EVERY).await,
            }
        };
        let slot = self.board.with(|board| {
            board.push(Entry::Stream(column, 0, true));
            board.len() - 1
        });
        let note = |open: bool| {
            let at_us = self.clock.now_us();
            let entry = Entry::Stream(column, at_us, open);
            self.board.with(|board| board[slot] = entry);
            at_us
        };
        let how = move_bytes(conn, port == SINK_PORT, |first| {
            note(true);
            if first {
                self.tell(Sighting::Open(column));
            }
        })
        .await;
        let at_us = note(false);
        self.tell(Sighting::Ended { column, how, at_us });
    }

    async fn attempts(&self) {
        let mut tasks = JoinSet::new();
        for _ in 0..ATTEMPTS_MAX {
            let observer = self.clone();
            spawn_in(&mut tasks, async move { observer.attempt().await });
            tokio::time::sleep(ATTEMPT_EVERY).await;
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn attempt(&self) {
        let start_us = self.clock.now_us();
        let slot = self.board.with(|board| {
            board.push(Entry::Attempt(start_us, true));
            board.len() - 1
        });
        let options = SocketOptions::default();
        let result = self.net.connect(&self.server, DOOR_PORT, options).await;
        let end_us = self.clock.now_us();
        let how = match &result {
            Ok(_) => End::Connected,
            Err(error) => end_of(error),
        };
        self.board
            .with(|board| board[slot] = Entry::Attempt(start_us, false));
        self.tell(Sighting::Attempt {
            start_us,
            end: Some((how, end_us)),
        });
    }
}

/// Reads or writes until the connection ends; calls `moved` for every chunk,
/// with whether it was the first.
async fn move_bytes(mut conn: Conn, write: bool, moved: impl Fn(bool)) -> End {
    let mut first = true;
    let mut buffer = [0; 4096];
    loop {
        let result = if write {
            conn.io.write(b"data: x\n\n").await
        } else {
            conn.io.read(&mut buffer).await
        };
        match result {
            Ok(0) => return End::Eof,
            Ok(_) => moved(std::mem::take(&mut first)),
            Err(error) => return end_of(&error),
        }
        if write {
            tokio::time::sleep(CHUNK_EVERY).await;
        }
    }
}

fn end_of(error: &io::Error) -> End {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => End::Reset,
        io::ErrorKind::TimedOut => End::TimedOut,
        io::ErrorKind::ConnectionRefused => End::Refused,
        io::ErrorKind::HostUnreachable => End::Unreachable,
        _ => End::Other,
    }
}

fn keepalive() -> SocketOptions {
    SocketOptions {
        keepalive: Some(Keepalive {
            idle: Duration::from_secs(1),
            interval: Duration::from_secs(1),
            count: 3,
        }),
        ..SocketOptions::default()
    }
}

fn user_timeout() -> SocketOptions {
    SocketOptions {
        user_timeout: Some(Duration::from_secs(3)),
        ..SocketOptions::default()
    }
}
