//! What a link must know of a frame to decide on it.

use crate::world::PROBE_PORT;

/// The outside of one frame, and as much of its inside as rules ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Where it goes, as a number ordered as the bytes of the address are.
    pub(crate) to: u64,
    /// Broadcast or multicast.
    pub(crate) group: bool,
    /// Carries IPv4 or IPv6; ARP and the like do not.
    pub(crate) ip: bool,
    /// Packets on a real wire: more than one for a large segment.
    pub(crate) packets: u32,
    /// Bytes on a real wire, headers of every packet included, preamble and
    /// frame check sequence not.
    pub(crate) wire_bytes: u64,
    /// Bytes of its longest IP packet, with the IP header.
    pub(crate) longest: u64,
    /// Source and destination of TCP or UDP; a fragment beyond the first has
    /// none.
    pub(crate) ports: Option<(u16, u16)>,
    /// A TCP segment over IPv4 without SYN or RST.
    pub(crate) resettable: bool,
}

impl Frame {
    /// Whether it is to or from a port.
    pub(crate) fn has_port(&self, port: u16) -> bool {
        self.ports
            .is_some_and(|(from, to)| from == port || to == port)
    }

    /// Whether the world itself sent it, to see what becomes of it.
    pub(crate) fn is_probe(&self) -> bool {
        self.has_port(PROBE_PORT)
    }
}
