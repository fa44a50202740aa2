//! Datagram sockets of a virtual node (RFC 768). A datagram is one packet, or
//! the fragments of one (RFC 791): the same rules act on it as on any other, and
//! it arrives whole or not at all. Nobody is told of a port without a socket:
//! there is no ICMP here.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;

use super::segment::{HEADER_BYTES, MSS, Segment};
use super::socket::NodeNet;
use super::state::{Dest, Packet, State};
use crate::net::Datagram;

/// The most bytes of one datagram over IPv4.
pub(super) const MAX_DATAGRAM: usize = 65_507;
/// Linux's `net.core.rmem_default`: what waits to be read at most.
const MAX_WAITING: usize = 212_992;
/// What the kernel counts for each datagram beside its bytes (typical).
const BOOKKEEPING: usize = 768;
/// Bytes of a datagram that one fragment carries on an Ethernet link.
const FRAGMENT: usize = 1_480;
/// The Ethernet header, and the IPv4 header without options.
const ETHERNET_HEADER: usize = 14;
const IP_HEADER: usize = 20;
/// The UDP header.
const UDP_HEADER: usize = 8;
/// Ethernet and IPv4 headers of one fragment.
const FRAGMENT_HEADERS: u64 = 34;

/// Where a datagram comes from and goes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    from: SocketAddr,
    port: u16,
}

/// A bound socket: what has come for it, and who waits.
#[derive(Debug, Default)]
pub(super) struct Bound {
    waiting: VecDeque<(SocketAddr, Bytes)>,
    bytes: usize,
    waker: Option<Waker>,
}

impl Packet {
    /// Whether it is UDP: a datagram, or fragments of one.
    pub(super) fn is_datagram(&self) -> bool {
        matches!(self.dest, Dest::Datagram(_) | Dest::Probe(_))
    }

    /// Bytes of its longest IP packet: the IPv4 header, and what a fragment
    /// carries or the TCP header with timestamps and the payload.
    pub(super) fn longest(&self) -> u64 {
        let data = self.segment.data.len();
        let bytes = if self.is_datagram() {
            IP_HEADER + (data + UDP_HEADER).min(FRAGMENT)
        } else {
            HEADER_BYTES as usize - ETHERNET_HEADER + data.min(MSS)
        };
        bytes as u64
    }

    /// Packets on a real wire.
    pub(super) fn packets(&self) -> u32 {
        match self.dest {
            Dest::Datagram(_) | Dest::Probe(_) => {
                (self.segment.data.len() + UDP_HEADER).div_ceil(FRAGMENT) as u32
            }
            _ => self.segment.packets(),
        }
    }

    /// Bytes on a real wire, headers of every packet included.
    pub(super) fn wire_bytes(&self) -> u64 {
        match self.dest {
            Dest::Datagram(_) | Dest::Probe(_) => {
                let bytes = (self.segment.data.len() + UDP_HEADER) as u64;
                bytes + u64::from(self.packets()) * FRAGMENT_HEADERS
            }
            _ => self.segment.wire_bytes(),
        }
    }
}

impl State {
    /// A datagram has reached its node.
    pub(super) fn on_datagram(&mut self, ends: Ends, packet: Packet) {
        let node = packet.to;
        let Some(bound) = self.places[node].bound.get_mut(&ends.port) else {
            return;
        };
        let size = packet.segment.data.len() + BOOKKEEPING;
        if bound.bytes + size > MAX_WAITING {
            self.places[node].counters.dropped += 1;
            return;
        }
        bound.bytes += size;
        bound.waiting.push_back((ends.from, packet.segment.data));
        self.wakers.extend(bound.waker.take());
    }
}

/// Binds a socket on a node.
pub(super) fn bind(net: &NodeNet, port: u16) -> io::Result<Box<dyn Datagram>> {
    let local = net.wire.with(|state, _| {
        net.alive(state)?;
        let port = match port {
            0 => state.ephemeral(net.node),
            port => port,
        };
        let place = &mut state.places[net.node];
        if place.bound.contains_key(&port) {
            return Err(io::Error::from(io::ErrorKind::AddrInUse));
        }
        place.bound.insert(port, Bound::default());
        Ok(SocketAddr::from((place.ip, port)))
    })?;
    let net = net.clone();
    Ok(Box::new(VirtualDatagram { net, local }))
}

/// A bound socket; dropping it frees the port.
struct VirtualDatagram {
    net: NodeNet,
    local: SocketAddr,
}

impl VirtualDatagram {
    fn poll_recv(&self, cx: &Context<'_>) -> Poll<io::Result<(SocketAddr, Bytes)>> {
        self.net.wire.with(|state, _| {
            self.net.alive(state)?;
            let place = &mut state.places[self.net.node];
            let Some(bound) = place.bound.get_mut(&self.local.port()) else {
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
            };
            let Some((from, data)) = bound.waiting.pop_front() else {
                bound.waker = Some(cx.waker().clone());
                return Poll::Pending;
            };
            bound.bytes -= data.len() + BOOKKEEPING;
            Poll::Ready(Ok((from, data)))
        })
    }
}

#[async_trait]
impl Datagram for VirtualDatagram {
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (from, data) = std::future::poll_fn(|cx| self.poll_recv(cx)).await?;
        let len = data.len().min(buffer.len());
        buffer[..len].copy_from_slice(&data[..len]);
        Ok((len, from))
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        if bytes.len() > MAX_DATAGRAM {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.net.wire.with(|state, _| {
            self.net.alive(state)?;
            let node = self.net.node;
            let Some(there) = NodeNet::find(state, node, &to.ip().to_string()) else {
                // Nobody has that address, and nobody says so.
                return Ok(bytes.len());
            };
            let own = match to.ip().is_loopback() {
                true => Ipv4Addr::LOCALHOST,
                false => state.places[node].ip,
            };
            state.leaving.push_back(Packet {
                from: node,
                to: there,
                boot: state.places[node].boot,
                reply: None,
                dest: Dest::Datagram(Ends {
                    from: SocketAddr::from((own, self.local.port())),
                    port: to.port(),
                }),
                ports: (self.local.port(), to.port()),
                segment: Segment {
                    data: Bytes::copy_from_slice(bytes),
                    ..Segment::default()
                },
                damaged: false,
                left: 0,
            });
            Ok(bytes.len())
        })
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

impl Drop for VirtualDatagram {
    fn drop(&mut self) {
        self.net.wire.with(|state, _| {
            if self.net.alive(state).is_ok() {
                let place = &mut state.places[self.net.node];
                place.bound.remove(&self.local.port());
            }
        });
    }
}
