//! What travels between two kernels.

use bytes::Bytes;

/// Nanoseconds since the world was opened.
pub(super) type Nanos = u64;

/// Payload of one packet on an Ethernet link: 1500 bytes less the headers of
/// IPv4 (20) and TCP with timestamps (32).
pub(super) const MSS: usize = 1448;
/// What a segment carries where nothing needs single packets, as with
/// segmentation offload.
pub(super) const LARGE: usize = 44 * MSS;
/// Ethernet, IPv4 and TCP headers of one packet.
pub(super) const HEADER_BYTES: u64 = 66;

/// One TCP segment. Sequence numbers count from 0, which is the SYN; the first
/// byte is 1; the FIN follows the last byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    /// The number of its first item.
    pub(super) seq: u64,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    /// The next number the sender waits for.
    pub(super) ack: Option<u64>,
    /// Numbers beyond `ack` that it has room for.
    pub(super) window: u64,
    /// It holds bytes beyond a gap (a selective acknowledgement).
    pub(super) sack: bool,
    pub(super) data: Bytes,
}

impl Segment {
    /// The number after its last item.
    pub(super) fn end(&self) -> u64 {
        self.seq + u64::from(self.syn) + self.data.len() as u64 + u64::from(self.fin)
    }

    /// Bytes on a real wire, headers of every packet included.
    pub(super) fn wire_bytes(&self) -> u64 {
        self.data.len() as u64 + u64::from(self.packets()) * HEADER_BYTES
    }

    /// Packets on a real wire.
    pub(super) fn packets(&self) -> u32 {
        (self.data.len().div_ceil(MSS)).max(1) as u32
    }
}
