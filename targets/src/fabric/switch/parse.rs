//! What the switch reads out of a frame: where it goes, and how many packets
//! it stands for.

use crate::fabric::Frame;

use super::tap::VNET_HEADER;

pub(crate) const ETHERNET_HEADER: usize = 14;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_VLAN: u16 = 0x8100;
const ETHERTYPE_IPV6: u16 = 0x86dd;
pub(crate) const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
pub(crate) const IPPROTO_TCP: u8 = 6;
const IPPROTO_UDP: u8 = 17;
/// Where a TCP header has its flags.
const TCP_FLAGS: usize = 13;
const TCP_SYN: u8 = 0x02;
pub(crate) const TCP_RST: u8 = 0x04;
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
        let (packets, headers, payload) = segments(header, frame.len());
        let inside = match kind {
            ETHERTYPE_IPV4 => Inside::of_ipv4(frame),
            ETHERTYPE_IPV6 => Inside::of_ipv6(frame),
            _ => Inside::default(),
        };
        let longest = match packets {
            1 => inside.length.unwrap_or(frame.len() - ETHERNET_HEADER) as u64,
            _ => headers + payload - ETHERNET_HEADER as u64,
        };
        Some(Self {
            to: mac_key(mac),
            group: mac[0] & 1 == 1,
            ip: kind == ETHERTYPE_IPV4 || kind == ETHERTYPE_IPV6,
            packets,
            wire_bytes: frame.len() as u64 + u64::from(packets - 1) * headers,
            longest,
            ports: inside.ports,
            resettable: inside.resettable,
        })
    }
}

/// What an IP packet behind an untagged Ethernet header says.
#[derive(Default)]
struct Inside {
    length: Option<usize>,
    ports: Option<(u16, u16)>,
    resettable: bool,
}

impl Inside {
    fn of_ipv4(frame: &[u8]) -> Self {
        let Some(ip) = Ipv4::parse(frame) else {
            return Self::default();
        };
        let known = matches!(ip.protocol, IPPROTO_TCP | IPPROTO_UDP);
        let flags = frame.get(ip.payload + TCP_FLAGS).copied();
        Self {
            length: Some(ip.length),
            ports: (known && !ip.later_fragment)
                .then(|| ports(frame, ip.payload))
                .flatten(),
            resettable: ip.protocol == IPPROTO_TCP
                && !ip.fragment
                && flags.is_some_and(|flags| flags & (TCP_SYN | TCP_RST) == 0),
        }
    }

    fn of_ipv6(frame: &[u8]) -> Self {
        let header = frame.get(ETHERNET_HEADER..ETHERNET_HEADER + IPV6_HEADER);
        let Some(header) = header else {
            return Self::default();
        };
        let known = matches!(header[6], IPPROTO_TCP | IPPROTO_UDP);
        let payload = usize::from(u16::from_be_bytes([header[4], header[5]]));
        Self {
            length: Some(payload + IPV6_HEADER),
            ports: known
                .then(|| ports(frame, ETHERNET_HEADER + IPV6_HEADER))
                .flatten(),
            resettable: false,
        }
    }
}

fn ports(frame: &[u8], at: usize) -> Option<(u16, u16)> {
    let bytes = frame.get(at..at + 4)?;
    let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    Some((word(0), word(2)))
}

/// An IPv4 header behind an untagged Ethernet header (RFC 791).
pub(crate) struct Ipv4 {
    /// Where the payload begins in the frame.
    pub(crate) payload: usize,
    /// Bytes with the header, padding of the frame not.
    pub(crate) length: usize,
    pub(crate) protocol: u8,
    /// Part of a datagram, the first too.
    pub(crate) fragment: bool,
    later_fragment: bool,
}

impl Ipv4 {
    pub(crate) fn parse(frame: &[u8]) -> Option<Self> {
        let kind = frame.get(12..ETHERNET_HEADER)?;
        let header = frame.get(ETHERNET_HEADER..ETHERNET_HEADER + IPV4_HEADER)?;
        let words = usize::from(header[0] & 0x0f);
        if u16::from_be_bytes([kind[0], kind[1]]) != ETHERTYPE_IPV4
            || header[0] >> 4 != 4
            || words < 5
        {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let fragment = u16::from_be_bytes([header[6], header[7]]);
        Some(Self {
            payload: ETHERNET_HEADER + words * 4,
            // A large segment of 64 kB and more says 0.
            length: if length == 0 {
                frame.len() - ETHERNET_HEADER
            } else {
                length.min(frame.len() - ETHERNET_HEADER)
            },
            protocol: header[9],
            fragment: fragment & 0x3fff != 0,
            later_fragment: fragment & 0x1fff != 0,
        })
    }
}

/// How many packets a frame becomes, the bytes of headers each repeats, and the
/// payload of each.
fn segments(header: &[u8], len: usize) -> (u32, u64, u64) {
    // A legacy virtio-net header is in the byte order of the machine.
    let gso_type = header[1] & !GSO_ECN;
    let repeated = usize::from(u16::from_ne_bytes([header[2], header[3]]));
    let size = usize::from(u16::from_ne_bytes([header[4], header[5]]));
    if gso_type == 0 || size == 0 || repeated >= len || repeated < ETHERNET_HEADER {
        return (1, 0, 0);
    }
    let packets = (len - repeated).div_ceil(size).max(1);
    let packets = u32::try_from(packets).unwrap_or(u32::MAX);
    (packets, repeated as u64, size as u64)
}

#[cfg(test)]
mod tests;
