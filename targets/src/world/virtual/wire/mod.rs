//! The network of a virtual world: kernels and links in memory.
//!
//! A connection is TCP, segment by segment, because what a client sees of an
//! outage is what TCP makes of silence: retransmissions that back off, resets
//! of a new boot, keepalive probes that nobody answers. Where no rule acts on a
//! link its segments arrive in the instant in which they are sent.

mod agenda;
mod datagram;
mod files;
mod inbox;
mod neighbour;
mod outbox;
mod probe;
mod receive;
mod resolve;
mod route;
mod rtt;
mod segment;
mod socket;
mod sockets;
mod state;
mod tcb;
mod transmit;
#[allow(clippy::module_inception)]
mod wire;

pub(super) use files::Files;
pub use neighbour::NeighbourTimes;
pub(super) use probe::ProbeWay;
pub(super) use socket::NodeNet;
pub(super) use wire::Wire;

#[cfg(test)]
mod tests;
