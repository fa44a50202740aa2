//! What a link must know of a frame to decide on it.

/// The outside of one frame.
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
}
