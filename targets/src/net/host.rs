//! The network of the machine, or of the namespace this process lives in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use async_trait::async_trait;
use indexmap::IndexMap;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

use super::{Conn, Datagram, Listener, Net, SocketOptions};

/// Real sockets, names from a table.
#[derive(Clone, Debug)]
pub struct HostNet {
    bind: Ipv4Addr,
    hosts: IndexMap<String, Ipv4Addr>,
    /// Names in the table are asked for all the same when connecting.
    asks: bool,
    /// So are names that are not.
    asks_all: bool,
}

impl HostNet {
    /// Listens on every address; knows the names in `hosts`.
    pub fn new(hosts: IndexMap<String, Ipv4Addr>) -> Self {
        Self {
            bind: Ipv4Addr::UNSPECIFIED,
            hosts,
            asks: false,
            asks_all: false,
        }
    }

    /// As [`HostNet::new`], but connects to names as the machine's resolver finds
    /// them, like any program.
    pub fn asking(hosts: IndexMap<String, Ipv4Addr>) -> Self {
        Self {
            asks: true,
            ..Self::new(hosts)
        }
    }

    /// Knows no names by itself: every one is asked for.
    pub fn asking_all() -> Self {
        Self {
            asks: true,
            asks_all: true,
            ..Self::new(IndexMap::new())
        }
    }

    /// Where to connect to.
    async fn find(&self, host: &str) -> io::Result<Ipv4Addr> {
        if !self.asks_all && (!self.asks || !self.hosts.contains_key(host)) {
            return self.resolve(host).ok_or_else(|| {
                let text = format!("no address for host {host:?}");
                io::Error::new(io::ErrorKind::NotFound, text)
            });
        }
        let mut found = tokio::net::lookup_host((host, 0)).await?;
        let first = found.find_map(|address| match address.ip() {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        });
        first.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Listens on this address only; knows no names.
    pub fn on(bind: Ipv4Addr) -> Self {
        Self {
            bind,
            hosts: IndexMap::new(),
            asks: false,
            asks_all: false,
        }
    }

    /// Listens on the loopback address only and finds every name there.
    pub fn loopback() -> Self {
        Self {
            bind: Ipv4Addr::LOCALHOST,
            hosts: IndexMap::new(),
            asks: false,
            asks_all: false,
        }
    }
}

fn apply(stream: &TcpStream, options: SocketOptions) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(options.nodelay)?;
    if let Some(keepalive) = options.keepalive {
        let keepalive = TcpKeepalive::new()
            .with_time(keepalive.idle)
            .with_interval(keepalive.interval)
            .with_retries(keepalive.count);
        socket.set_tcp_keepalive(&keepalive)?;
    }
    if options.reset_on_close {
        socket.set_linger(Some(std::time::Duration::ZERO))?;
    }
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(options.user_timeout)?;
    Ok(())
}

fn conn(stream: TcpStream, options: SocketOptions) -> io::Result<Conn> {
    apply(&stream, options)?;
    Ok(Conn {
        local: stream.local_addr()?,
        peer: stream.peer_addr()?,
        io: Box::new(stream),
    })
}

struct HostListener {
    inner: TcpListener,
    options: SocketOptions,
    local: SocketAddr,
}

#[async_trait]
impl Listener for HostListener {
    async fn accept(&mut self) -> io::Result<Conn> {
        loop {
            let (stream, _) = self.inner.accept().await?;
            // A peer that is gone before its options are set was never here.
            if let Ok(conn) = conn(stream, self.options) {
                return Ok(conn);
            }
        }
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

struct HostDatagram {
    inner: UdpSocket,
    local: SocketAddr,
}

#[async_trait]
impl Datagram for HostDatagram {
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.inner.recv_from(buffer).await
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.inner.send_to(bytes, to).await
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

#[async_trait]
impl Net for HostNet {
    async fn listen(&self, port: u16, options: SocketOptions) -> io::Result<Box<dyn Listener>> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((self.bind, port)))?;
        let inner = socket.listen(1024)?;
        let local = inner.local_addr()?;
        Ok(Box::new(HostListener {
            inner,
            options,
            local,
        }))
    }

    async fn connect(&self, host: &str, port: u16, options: SocketOptions) -> io::Result<Conn> {
        let ip = self.find(host).await?;
        let socket = TcpSocket::new_v4()?;
        let stream = socket.connect(SocketAddr::from((ip, port))).await?;
        conn(stream, options)
    }

    async fn bind_udp(&self, port: u16) -> io::Result<Box<dyn Datagram>> {
        let inner = UdpSocket::bind(SocketAddr::from((self.bind, port))).await?;
        let local = inner.local_addr()?;
        Ok(Box::new(HostDatagram { inner, local }))
    }

    fn resolve(&self, host: &str) -> Option<Ipv4Addr> {
        if let Ok(ip) = host.parse() {
            return Some(ip);
        }
        if self.bind.is_loopback() || host == "localhost" {
            return Some(Ipv4Addr::LOCALHOST);
        }
        self.hosts.get(host).copied()
    }
}
