//! A node's sockets: [`Net`] over the in-memory fabric.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use std::io::IoSlice;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::files::{Descriptor, Files};
use super::resolve::unresolved;
use super::segment::Nanos;
use super::state::{Listening, Sock, SockId, State};
use super::tcb::{Phase, Tcb};
use super::wire::Wire;
use crate::net::{Conn, Datagram, Listener, Net, SocketOptions};

/// The network of one boot of a node.
#[derive(Clone, Debug)]
pub(crate) struct NodeNet {
    pub(super) wire: Wire,
    pub(super) node: usize,
    boot: u32,
    /// The descriptors of the service that this network is for.
    pub(crate) files: Files,
}

impl NodeNet {
    pub(crate) fn new(wire: Wire, node: usize, boot: u32) -> Self {
        Self {
            wire,
            node,
            boot,
            files: Files::default(),
        }
    }

    pub(super) fn find(state: &State, node: usize, host: &str) -> Option<usize> {
        let by_ip = |ip: Ipv4Addr| {
            if ip.is_loopback() {
                return Some(node);
            }
            state.places.values().position(|place| place.ip == ip)
        };
        match host.parse() {
            Ok(ip) => by_ip(ip),
            Err(_) if host == "localhost" => Some(node),
            Err(_) => state.places.get_index_of(host),
        }
    }

    /// Connects to a place from a port of its own; from a free one where none is
    /// named.
    pub(crate) async fn connect_from(
        &self,
        own: Option<u16>,
        to: usize,
        port: u16,
    ) -> io::Result<Conn> {
        self.open(own, to, port, SocketOptions::default()).await
    }

    async fn open(
        &self,
        own: Option<u16>,
        to: usize,
        port: u16,
        options: SocketOptions,
    ) -> io::Result<Conn> {
        let descriptor = self.files.open()?;
        let id = self.wire.with(|state, now| {
            self.alive(state)?;
            let own = own.unwrap_or_else(|| state.ephemeral(self.node));
            let ends = (self.node, to);
            Ok::<_, io::Error>(begin(state, now, ends, (own, port), options))
        })?;
        let stream = Stream {
            wire: self.wire.clone(),
            id,
            _descriptor: descriptor,
        };
        std::future::poll_fn(|cx| stream.poll_connected(cx)).await?;
        Ok(stream.conn())
    }

    /// What a task of a dead kernel is told; it is dead itself soon.
    pub(super) fn alive(&self, state: &State) -> io::Result<()> {
        if state.places[self.node].boot == self.boot {
            Ok(())
        } else {
            Err(io::ErrorKind::NetworkDown.into())
        }
    }
}

#[async_trait]
impl Net for NodeNet {
    async fn listen(&self, port: u16, options: SocketOptions) -> io::Result<Box<dyn Listener>> {
        let descriptor = self.files.open()?;
        let (port, ip) = self.wire.with(|state, _| {
            self.alive(state)?;
            let port = match port {
                0 => state.ephemeral(self.node),
                port => port,
            };
            let place = &mut state.places[self.node];
            if place.listeners.contains_key(&port) {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            let listening = Listening {
                options,
                ..Listening::default()
            };
            place.listeners.insert(port, listening);
            Ok::<_, io::Error>((port, place.ip))
        })?;
        Ok(Box::new(VirtualListener {
            net: self.clone(),
            local: SocketAddr::from((ip, port)),
            _descriptor: descriptor,
        }))
    }

    async fn connect(&self, host: &str, port: u16, options: SocketOptions) -> io::Result<Conn> {
        let to = self.look_up(host).await;
        let to = to.map_err(|error| unresolved(host, error))?;
        self.open(None, to, port, options).await
    }

    async fn bind_udp(&self, port: u16) -> io::Result<Box<dyn Datagram>> {
        super::datagram::bind(self, port)
    }

    fn resolve(&self, host: &str) -> Option<Ipv4Addr> {
        if let Ok(ip) = host.parse() {
            return Some(ip);
        }
        if host == "localhost" {
            return Some(Ipv4Addr::LOCALHOST);
        }
        self.wire
            .with(|state, _| state.places.get(host).map(|place| place.ip))
    }
}

/// Sends a SYN.
fn begin(
    state: &mut State,
    now: Nanos,
    (node, to): (usize, usize),
    (port, peer_port): (u16, u16),
    options: SocketOptions,
) -> SockId {
    let mut made = Vec::new();
    let tcb = Tcb::connect(options, now, &mut made);
    let id = state.add(Sock {
        tcb,
        node,
        port,
        peer_node: to,
        peer_port,
        peer: None,
        parent: None,
        reader: None,
        writer: None,
        alarm: None,
    });
    state.with_sock(id, |_, out| out.append(&mut made));
    id
}

/// A listening socket; closing it resets who was not accepted.
struct VirtualListener {
    net: NodeNet,
    local: SocketAddr,
    _descriptor: Descriptor,
}

impl VirtualListener {
    /// A connection that waits stays where it is while nobody can open it.
    fn poll_accept(&self, cx: &Context<'_>) -> Poll<io::Result<(SockId, Descriptor)>> {
        self.net.wire.with(|state, _| {
            self.net.alive(state)?;
            let place = &mut state.places[self.net.node];
            let Some(listening) = place.listeners.get_mut(&self.local.port()) else {
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
            };
            if let Some(id) = listening.ready.front().copied() {
                let descriptor = self.net.files.open()?;
                listening.ready.pop_front();
                return Poll::Ready(Ok((id, descriptor)));
            }
            listening.waker = Some(cx.waker().clone());
            Poll::Pending
        })
    }
}

#[async_trait]
impl Listener for VirtualListener {
    async fn accept(&mut self) -> io::Result<Conn> {
        let (id, descriptor) = std::future::poll_fn(|cx| self.poll_accept(cx)).await?;
        let stream = Stream {
            wire: self.net.wire.clone(),
            id,
            _descriptor: descriptor,
        };
        Ok(stream.conn())
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

impl Drop for VirtualListener {
    fn drop(&mut self) {
        self.net.wire.with(|state, _| {
            if self.net.alive(state).is_err() {
                return;
            }
            let place = &mut state.places[self.net.node];
            let listening = place.listeners.remove(&self.local.port());
            for id in listening.map(|l| l.ready).unwrap_or_default() {
                state.with_sock(id, |tcb, out| {
                    out.push(tcb.reset());
                    tcb.gone = true;
                });
            }
        });
    }
}

/// A connected stream; dropping it closes it.
struct Stream {
    wire: Wire,
    id: SockId,
    _descriptor: Descriptor,
}

impl Stream {
    fn poll_connected(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.wire.with(|state, _| {
            let Some(sock) = state.sock(self.id) else {
                return Poll::Ready(Err(io::ErrorKind::NetworkDown.into()));
            };
            match (sock.tcb.error, sock.tcb.phase) {
                (Some(kind), _) => Poll::Ready(Err(kind.into())),
                (None, Phase::Open) => Poll::Ready(Ok(())),
                (None, _) => {
                    sock.writer = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
    }

    fn conn(self) -> Conn {
        let (local, peer) = self.wire.with(|state, _| {
            let ends = state
                .sock(self.id)
                .map(|s| (s.node, s.port, s.peer_node, s.peer_port));
            let (node, port, peer_node, peer_port) = ends.unwrap_or_default();
            let at = |node: usize, port| SocketAddr::from((state.places[node].ip, port));
            (at(node, port), at(peer_node, peer_port))
        });
        Conn {
            io: Box::new(self),
            local,
            peer,
        }
    }

    fn poll_send(
        &self,
        cx: &Context<'_>,
        data: impl FnOnce(usize) -> Bytes,
    ) -> Poll<io::Result<usize>> {
        self.wire.with(|state, now| {
            let sent = state.with_sock(self.id, |tcb, out| tcb.write(now, out, data));
            match sent {
                // Its kernel is gone, and so is this task.
                None => Poll::Pending,
                Some(Ok(None)) => {
                    if let Some(sock) = state.sock(self.id) {
                        sock.writer = Some(cx.waker().clone());
                    }
                    Poll::Pending
                }
                Some(Ok(Some(count))) => Poll::Ready(Ok(count)),
                Some(Err(error)) => Poll::Ready(Err(error)),
            }
        })
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        self.wire.with(|state, _| {
            let read = state.with_sock(self.id, |tcb, out| {
                tcb.read(room, out, |bytes| buf.put_slice(bytes))
            });
            match read {
                None => Poll::Pending,
                Some(Ok(None)) => {
                    if let Some(sock) = state.sock(self.id) {
                        sock.reader = Some(cx.waker().clone());
                    }
                    Poll::Pending
                }
                Some(Ok(Some(_))) => Poll::Ready(Ok(())),
                Some(Err(error)) => Poll::Ready(Err(error)),
            }
        })
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |room| {
            Bytes::copy_from_slice(&bytes[..bytes.len().min(room)])
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |room| {
            let total: usize = slices.iter().map(|slice| slice.len()).sum();
            let mut data = BytesMut::with_capacity(total.min(room));
            for slice in slices {
                let left = room - data.len();
                data.extend_from_slice(&slice[..slice.len().min(left)]);
            }
            data.freeze()
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.with(|state, now| {
            state.with_sock(self.id, |tcb, out| tcb.shut_down(now, out));
        });
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.wire.with(|state, now| {
            state.with_sock(self.id, |tcb, out| tcb.close(now, out));
        });
    }
}
