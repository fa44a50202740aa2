//! A network in memory on which one peer says what it is told to.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::timeout;

use super::LONG;
use super::targets::net::{Conn, Datagram, Listener, Net, SocketOptions};

/// Bytes that a stream holds.
const BUFFER: usize = 64 << 10;
/// Where everybody is.
pub(crate) const HERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 4_000);

fn conn(io: DuplexStream) -> Conn {
    Conn {
        io: Box::new(io),
        local: HERE,
        peer: HERE,
    }
}

/// A listener to which one client connects.
pub(crate) struct OneClient(Option<DuplexStream>);

impl OneClient {
    /// The listener, and the client's end.
    pub(crate) fn pair() -> (Box<dyn Listener>, DuplexStream) {
        let (near, far) = duplex(BUFFER);
        (Box::new(Self(Some(near))), far)
    }
}

#[async_trait]
impl Listener for OneClient {
    async fn accept(&mut self) -> io::Result<Conn> {
        match self.0.take() {
            Some(io) => Ok(conn(io)),
            None => pending().await,
        }
    }

    fn local_addr(&self) -> SocketAddr {
        HERE
    }
}

/// Says all of it, closes its side and hears the answer; and whether the server
/// ended it in so long a time.
pub(crate) async fn talk(client: DuplexStream, bytes: &[u8], wait: Duration) -> (Vec<u8>, bool) {
    let (mut read, mut write) = tokio::io::split(client);
    let say = async {
        // A server may hang up at any point.
        let _ = write.write_all(bytes).await;
        let _ = write.shutdown().await;
    };
    let mut answer = Vec::new();
    let hear = async { while read.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {} };
    let ended = timeout(wait, async { tokio::join!(say, hear) }).await;
    (answer, ended.is_ok())
}

/// A network whose servers all say the same, whatever they are asked.
pub(crate) struct Parrot(pub(crate) Vec<u8>);

#[async_trait]
impl Net for Parrot {
    async fn listen(&self, _: u16, _: SocketOptions) -> io::Result<Box<dyn Listener>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn connect(&self, _: &str, _: u16, _: SocketOptions) -> io::Result<Conn> {
        let (near, far) = duplex(BUFFER);
        let words = self.0.clone();
        tokio::spawn(async move {
            talk(far, &words, LONG).await;
        });
        Ok(conn(near))
    }

    fn resolve(&self, _: &str) -> Option<Ipv4Addr> {
        Some(Ipv4Addr::LOCALHOST)
    }
}

/// A socket whose datagrams come from one queue and go to another.
pub(crate) struct Queues {
    pub(crate) inbox: Mutex<Receiver<Vec<u8>>>,
    pub(crate) outbox: Sender<Vec<u8>>,
}

#[async_trait]
impl Datagram for Queues {
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let Some(bytes) = self.inbox.lock().await.recv().await else {
            return pending().await;
        };
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        Ok((length, HERE))
    }

    async fn send_to(&self, bytes: &[u8], _: SocketAddr) -> io::Result<usize> {
        let _ = self.outbox.try_send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn local_addr(&self) -> SocketAddr {
        HERE
    }
}
