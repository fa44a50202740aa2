//! The server around [`Session`]: connections, bounds, time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::bank::SharedBank;
use super::session::Session;
use crate::net::{Conn, Listener};
use crate::service::spawn_in;

/// What a server bears.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at one time; more are closed at once.
    pub connections: usize,
    /// Bytes of one line; a longer one ends the connection.
    pub line: usize,
    /// A client silent for this long is disconnected (60 s, as in upsd).
    pub idle: Duration,
    /// A client that does not read its answer for this long is disconnected.
    pub write: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            line: 1024,
            idle: Duration::from_secs(60),
            write: Duration::from_secs(10),
        }
    }
}

/// Serves connections until it is dropped; they end with it.
pub async fn serve(mut listener: Box<dyn Listener>, bank: SharedBank, limits: Limits) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let mut tasks = JoinSet::new();
    let mut number = 0u64;
    loop {
        tokio::select! {
            biased;
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok(conn) => {
                    number += 1;
                    if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
                        let bank = bank.clone();
                        spawn_in(&mut tasks, async move {
                            connection(conn, number, bank, limits).await;
                            drop(slot);
                        });
                    }
                }
                Err(error) => {
                    // Out of descriptors, or the node's network went away: the
                    // listener may recover, but must not be asked in a tight loop.
                    tracing::debug!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}

/// Logs the session out however the connection's task ends.
struct Guard {
    session: Session,
    bank: SharedBank,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.session.end(&mut self.bank.lock());
    }
}

async fn connection(conn: Conn, number: u64, bank: SharedBank, limits: Limits) {
    let mut io = BufReader::new(conn.io);
    let mut guard = Guard {
        session: Session::new(number, conn.peer.ip()),
        bank,
    };
    loop {
        let line = match timeout(limits.idle, read_line(&mut io, limits.line)).await {
            Ok(Ok(Some(line))) => line,
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                let refusal = b"ERR INVALID-ARGUMENT\n";
                let _ = timeout(limits.write, io.get_mut().write_all(refusal)).await;
                return;
            }
            _ => return,
        };
        let reply = guard.session.line(&mut guard.bank.lock(), &line);
        let pace = guard.bank.lock().pace();
        if !pace.delay.is_zero() {
            tokio::time::sleep(pace.delay).await;
        }
        if pace.silent {
            continue;
        }
        let write = async {
            io.get_mut().write_all(reply.text.as_bytes()).await?;
            io.get_mut().flush().await
        };
        if !matches!(timeout(limits.write, write).await, Ok(Ok(()))) || reply.close {
            return;
        }
    }
}

/// The next line without its ending; `None` at the end of the stream, where an
/// unfinished line is dropped; `InvalidData` when the line is longer than `max`.
pub(super) async fn read_line<R>(io: &mut BufReader<R>, max: usize) -> io::Result<Option<String>>
where
    R: tokio::io::AsyncRead + Unpin,
{
    let mut bytes = Vec::new();
    let mut bounded = io.take(max as u64 + 1);
    bounded.read_until(b'\n', &mut bytes).await?;
    match bytes.pop() {
        Some(b'\n') => {}
        Some(_) if bytes.len() >= max => {
            let message = format!("a line is longer than {max} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        _ => return Ok(None),
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    let line = String::from_utf8(bytes);
    Ok(Some(line.unwrap_or_else(|error| {
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    })))
}
