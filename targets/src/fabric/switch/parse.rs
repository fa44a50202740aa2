//! What the switch reads out of a frame: where it goes, and how many packets
//! it stands for.

use crate::fabric::Frame;

use super::tap::VNET_HEADER;

const ETHERNET_HEADER: usize = 14;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_VLAN: u16 = 0x8100;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// The bit of a virtio-net GSO type that says "ECN", not a type.
const GSO_ECN: u8 = 0x80;

/// A hardware address as a number, ordered as the bytes are.
pub(crate) fn mac_key(mac: [u8; 6]) -> u64 {
    let [a, b, c, d, e, f] = mac;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

impl Frame {
    /// Reads the outside of a frame, which is preceded by a virtio-net header
    /// (Virtual I/O Device 1.2, section 5.1.6); `None` when it is shorter than
    /// its headers.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, frame) = bytes.split_at_checked(VNET_HEADER)?;
        let mac: [u8; 6] = frame.get(..6)?.try_into().ok()?;
        let kind = frame.get(12..ETHERNET_HEADER)?;
        let mut kind = u16::from_be_bytes([kind[0], kind[1]]);
        if kind == ETHERTYPE_VLAN {
            let inner = frame.get(16..18)?;
            kind = u16::from_be_bytes([inner[0], inner[1]]);
        }
        let (packets, headers) = segments(header, frame.len());
        Some(Self {
            to: mac_key(mac),
            group: mac[0] & 1 == 1,
            ip: kind == ETHERTYPE_IPV4 || kind == ETHERTYPE_IPV6,
            packets,
            wire_bytes: frame.len() as u64 + u64::from(packets - 1) * headers,
        })
    }
}

/// How many packets a frame becomes, and the bytes of headers each repeats.
fn segments(header: &[u8], len: usize) -> (u32, u64) {
    // A legacy virtio-net header is in the byte order of the machine.
    let gso_type = header[1] & !GSO_ECN;
    let repeated = usize::from(u16::from_ne_bytes([header[2], header[3]]));
    let size = usize::from(u16::from_ne_bytes([header[4], header[5]]));
    if gso_type == 0 || size == 0 || repeated >= len {
        return (1, 0);
    }
    let packets = (len - repeated).div_ceil(size).max(1);
    (u32::try_from(packets).unwrap_or(u32::MAX), repeated as u64)
}

#[cfg(test)]
mod tests;
