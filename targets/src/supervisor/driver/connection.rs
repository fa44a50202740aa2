//! One client of a driver, which is upsd as a rule.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::codec::{FramedRead, LinesCodec};

use super::post::{Answerer, Face};
use super::words::{Word, changes, dump, ended, word};
use crate::supervisor::nut::{Device, OrderKind, Tracked};

/// Bytes of one line; a longer one ends the connection.
const MAX_LINE: usize = 4_096;
/// Ends of orders that may wait for one client.
const MAX_ENDED: usize = 64;
/// A client that does not read for this long is disconnected.
const WRITE: Duration = Duration::from_secs(10);

/// An order of a client.
pub(super) struct Ask {
    pub(super) kind: OrderKind,
    pub(super) answerer: Option<Answerer>,
}

/// Serves one client until it goes, or the driver ends.
pub(super) async fn serve(
    stream: UnixStream,
    mut face: watch::Receiver<Face>,
    asks: mpsc::Sender<Ask>,
) {
    let (read, write) = stream.into_split();
    let (answers, ends) = mpsc::channel(MAX_ENDED);
    let told = face.borrow_and_update().device.clone();
    let client = Client {
        lines: FramedRead::new(read, LinesCodec::new_with_max_length(MAX_LINE)),
        write,
        face,
        asks,
        answers,
        ends,
        told,
        broadcast: true,
    };
    client.run().await;
}

struct Client {
    lines: FramedRead<OwnedReadHalf, LinesCodec>,
    write: OwnedWriteHalf,
    face: watch::Receiver<Face>,
    asks: mpsc::Sender<Ask>,
    answers: mpsc::Sender<(String, Tracked)>,
    ends: mpsc::Receiver<(String, Tracked)>,
    /// What it knows of the device. A client that reads slowly learns the last
    /// state, and no queue of earlier ones grows.
    told: Device,
    broadcast: bool,
}

/// The client is served no longer.
struct Over;

impl Client {
    async fn run(mut self) {
        while self.step().await.is_ok() {}
    }

    async fn step(&mut self) -> Result<(), Over> {
        let hangs = self.face.borrow_and_update().hangs();
        if hangs {
            return self.face.changed().await.map_err(|_| Over);
        }
        self.update().await?;
        tokio::select! {
            biased;
            moved = self.face.changed() => moved.map_err(|_| Over),
            Some((id, outcome)) = self.ends.recv() => {
                // What an order has changed is there when it is said to be done.
                self.update().await?;
                match ended(&id, outcome) {
                    Some(line) => self.send(&line).await,
                    None => Ok(()),
                }
            }
            line = self.lines.next() => match line {
                Some(Ok(line)) => self.hear(&line).await,
                _ => Err(Over),
            },
        }
    }

    /// Tells what has changed since the client was told last.
    async fn update(&mut self) -> Result<(), Over> {
        if !self.broadcast {
            return Ok(());
        }
        let device = self.face.borrow().device.clone();
        let text = changes(&self.told, &device);
        self.told = device;
        self.send(&text).await
    }

    async fn hear(&mut self, line: &str) -> Result<(), Over> {
        match word(line) {
            Some(Word::DumpAll) => {
                let device = self.face.borrow().device.clone();
                let text = dump(&device);
                self.told = device;
                self.send(&text).await
            }
            Some(Word::Ping) => self.send("PONG\n").await,
            Some(Word::GetPid) => self.send(&format!("PID {}\n", std::process::id())).await,
            Some(Word::Broadcast(broadcast)) => {
                self.broadcast = broadcast;
                Ok(())
            }
            Some(Word::Order(kind, id)) => {
                let to = self.answers.clone();
                let answerer = id.map(|id| Answerer { id, to });
                let sent = self.asks.send(Ask { kind, answerer }).await;
                sent.map_err(|_| Over)
            }
            Some(Word::Logout) => Err(Over),
            None => {
                tracing::debug!(line, "no word of a driver's protocol");
                Ok(())
            }
        }
    }

    async fn send(&mut self, text: &str) -> Result<(), Over> {
        if text.is_empty() {
            return Ok(());
        }
        let delay = self.face.borrow().delay;
        if !delay.is_zero() {
            sleep(delay).await;
        }
        match timeout(WRITE, self.write.write_all(text.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over),
        }
    }
}
