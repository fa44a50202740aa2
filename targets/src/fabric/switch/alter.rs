//! Frames that the switch changes: a flipped bit, and forged resets.

use super::parse::{ETHERNET_HEADER, IPPROTO_TCP, IPV4_HEADER, Ipv4, TCP_RST};
use super::tap::VNET_HEADER;

/// The flag of a virtio-net header: the checksum is only begun.
const NEEDS_CHECKSUM: u8 = 1;
const TCP_HEADER: usize = 20;
const TCP_FIN: u8 = 0x01;
const TCP_ACK: u8 = 0x10;

/// Copies a frame into `out` with one bit of its IP payload flipped: bit number
/// `bit`, modulo how many there are. A checksum that the sender's kernel left to
/// its device is completed first, so that the receiver's kernel can see that it
/// is wrong. False where there is no such payload, or where the frame is a large
/// segment, which would get a checksum for each of its packets.
pub(super) fn flip(bytes: &[u8], bit: u64, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(bytes);
    let Some((header, frame)) = out.split_at_mut_checked(VNET_HEADER) else {
        return false;
    };
    let large = header[1] != 0;
    if large || !complete(header, frame) {
        return false;
    }
    let payload = match Ipv4::parse(frame) {
        Some(ip) => ip.payload..(ETHERNET_HEADER + ip.length).min(frame.len()),
        // IPv6: what follows its fixed header, padding included.
        None => ETHERNET_HEADER + 40..frame.len(),
    };
    let Some(payload) = frame.get_mut(payload).filter(|bytes| !bytes.is_empty()) else {
        return false;
    };
    let bit = bit % (payload.len() as u64 * 8);
    payload[(bit / 8) as usize] ^= 1 << (bit % 8);
    true
}

/// Completes a checksum that was only begun (Virtual I/O Device 1.2, section
/// 5.1.6.2): its field holds the sum of the pseudo header.
fn complete(header: &mut [u8], frame: &mut [u8]) -> bool {
    if header[0] & NEEDS_CHECKSUM == 0 {
        return true;
    }
    let start = usize::from(u16::from_ne_bytes([header[6], header[7]]));
    let field = start + usize::from(u16::from_ne_bytes([header[8], header[9]]));
    let Some(covered) = frame.get(start..) else {
        return false;
    };
    let sum = match checksum(covered) {
        // UDP has no other way to say that there is a checksum (RFC 768).
        0 => 0xffff,
        sum => sum,
    };
    let Some(place) = frame.get_mut(field..field + 2) else {
        return false;
    };
    place.copy_from_slice(&sum.to_be_bytes());
    header.fill(0);
    true
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let words = pairs
        .iter()
        .map(|pair| u64::from(u16::from_be_bytes(*pair)));
    let last = rest.first().map_or(0, |byte| u64::from(*byte) << 8);
    let mut sum: u64 = words.sum::<u64>() + last;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// One end of a connection, as a frame has it.
#[derive(Clone, Copy)]
struct Side {
    mac: [u8; 6],
    ip: [u8; 4],
    port: [u8; 2],
}

/// The two resets that end the connection of a TCP segment over IPv4: for its
/// receiver, which is written to `ahead` and has the segment's own number, and
/// for its sender, which is returned and has the number that the segment
/// acknowledges. Each is what its receiver waits for (RFC 5961, section 3.2); a
/// receiver that has moved on answers with where it is, and that answer passes
/// here too.
pub(super) fn resets(bytes: &[u8], ahead: &mut Vec<u8>) -> Option<Vec<u8>> {
    let frame = bytes.get(VNET_HEADER..)?;
    let ip = Ipv4::parse(frame)?;
    if ip.protocol != IPPROTO_TCP || ip.fragment {
        return None;
    }
    let tcp = frame.get(ip.payload..ip.payload + TCP_HEADER)?;
    let side = |mac: usize, address: usize, port: usize| -> Option<Side> {
        let address = ETHERNET_HEADER + address;
        Some(Side {
            mac: frame.get(mac..mac + 6)?.try_into().ok()?,
            ip: frame.get(address..address + 4)?.try_into().ok()?,
            port: tcp.get(port..port + 2)?.try_into().ok()?,
        })
    };
    let (to, from) = (side(0, 16, 2)?, side(6, 12, 0)?);
    let seq = u32::from_be_bytes(tcp.get(4..8)?.try_into().ok()?);
    let ack = u32::from_be_bytes(tcp.get(8..12)?.try_into().ok()?);
    let headers = usize::from(tcp[12] >> 4) * 4;
    let payload = (ETHERNET_HEADER + ip.length).checked_sub(ip.payload + headers)?;
    let fin = u32::from(tcp[13] & TCP_FIN != 0);
    let end = seq.wrapping_add(payload as u32).wrapping_add(fin);
    reset(from, to, seq, ack, ahead);
    let mut back = Vec::new();
    reset(to, from, ack, end, &mut back);
    Some(back)
}

/// Writes one reset with its virtio-net header.
fn reset(from: Side, to: Side, seq: u32, ack: u32, out: &mut Vec<u8>) {
    const LENGTH: u16 = (IPV4_HEADER + TCP_HEADER) as u16;
    out.clear();
    out.extend_from_slice(&[0; VNET_HEADER]);
    out.extend_from_slice(&to.mac);
    out.extend_from_slice(&from.mac);
    out.extend_from_slice(&[0x08, 0x00]);

    let mut ip = [0; IPV4_HEADER];
    ip[0] = 0x45;
    ip[2..4].copy_from_slice(&LENGTH.to_be_bytes());
    // Do not fragment; 64 hops.
    (ip[6], ip[8], ip[9]) = (0x40, 64, IPPROTO_TCP);
    ip[12..16].copy_from_slice(&from.ip);
    ip[16..20].copy_from_slice(&to.ip);
    let sum = checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    out.extend_from_slice(&ip);

    let mut tcp = [0; TCP_HEADER];
    tcp[0..2].copy_from_slice(&from.port);
    tcp[2..4].copy_from_slice(&to.port);
    tcp[4..8].copy_from_slice(&seq.to_be_bytes());
    tcp[8..12].copy_from_slice(&ack.to_be_bytes());
    (tcp[12], tcp[13]) = ((TCP_HEADER as u8 / 4) << 4, TCP_RST | TCP_ACK);
    let mut covered = Vec::with_capacity(12 + TCP_HEADER);
    covered.extend_from_slice(&from.ip);
    covered.extend_from_slice(&to.ip);
    covered.extend_from_slice(&[0, IPPROTO_TCP, 0, TCP_HEADER as u8]);
    covered.extend_from_slice(&tcp);
    let sum = checksum(&covered);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    out.extend_from_slice(&tcp);
}

#[cfg(test)]
mod tests;
