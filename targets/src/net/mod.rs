//! The one way in which services, clients and devices meet the network: listen
//! and connect, and datagrams. Worlds differ behind it; nothing else does.

mod host;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

pub use host::HostNet;

/// A byte stream between two nodes.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connected stream with its two ends.
pub struct Conn {
    /// The bytes.
    pub io: Box<dyn Io>,
    /// This end.
    pub local: SocketAddr,
    /// The other end.
    pub peer: SocketAddr,
}

/// TCP keepalive, as `tcp_keepalive_time`, `_intvl` and `_probes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Idle time before the first probe.
    pub idle: Duration,
    /// Time between probes.
    pub interval: Duration,
    /// Unanswered probes before the connection is given up.
    pub count: u32,
}

/// What a socket is asked to do beyond moving bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// Probe an idle peer; `None` leaves keepalive off, as kernels do.
    pub keepalive: Option<Keepalive>,
    /// `TCP_USER_TIMEOUT`: how long sent data may stay unacknowledged.
    pub user_timeout: Option<Duration>,
    /// `TCP_NODELAY`.
    pub nodelay: bool,
    /// Closing resets the connection and drops what is unsent (`SO_LINGER` 0).
    pub reset_on_close: bool,
}

/// A listening socket.
#[async_trait]
pub trait Listener: Send {
    /// The next connection.
    async fn accept(&mut self) -> io::Result<Conn>;
    /// The address it listens on.
    fn local_addr(&self) -> SocketAddr;
}

/// A UDP socket.
#[async_trait]
pub trait Datagram: Send + Sync {
    /// The next datagram: its length in `buffer`, and who sent it.
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)>;
    /// Sends one datagram.
    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize>;
    /// The address it is bound to.
    fn local_addr(&self) -> SocketAddr;
}

/// A node's network.
#[async_trait]
pub trait Net: Send + Sync + 'static {
    /// Listens on `port` of every address of this node (0 picks a free one).
    async fn listen(&self, port: u16, options: SocketOptions) -> io::Result<Box<dyn Listener>>;

    /// Connects to a host by name or address. Waits as long as the network
    /// does: bound it with `tokio::time::timeout`.
    async fn connect(&self, host: &str, port: u16, options: SocketOptions) -> io::Result<Conn>;

    /// A UDP socket on `port` of every address of this node (0 picks a free
    /// one). Not every world carries datagrams.
    async fn bind_udp(&self, _port: u16) -> io::Result<Box<dyn Datagram>> {
        let message = "this network carries no datagrams";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }

    /// The address of a host by name, where it is known.
    fn resolve(&self, host: &str) -> Option<Ipv4Addr>;
}
