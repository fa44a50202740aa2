use proptest::prelude::*;

use super::*;

/// A TCP segment over IPv4 from 10.0.0.1:40000 to 10.0.0.2:8000, its checksum
/// complete or only begun.
fn segment(payload: &[u8], begun: bool) -> Vec<u8> {
    let length = (IPV4_HEADER + TCP_HEADER + payload.len()) as u16;
    let mut bytes = vec![0; VNET_HEADER];
    bytes.extend_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00]);
    let mut ip = [0; IPV4_HEADER];
    ip[0] = 0x45;
    ip[2..4].copy_from_slice(&length.to_be_bytes());
    (ip[8], ip[9]) = (64, IPPROTO_TCP);
    ip[12..16].copy_from_slice(&[10, 0, 0, 1]);
    ip[16..20].copy_from_slice(&[10, 0, 0, 2]);
    let sum = checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    bytes.extend_from_slice(&ip);
    let mut tcp = vec![0; TCP_HEADER];
    tcp[0..2].copy_from_slice(&40_000_u16.to_be_bytes());
    tcp[2..4].copy_from_slice(&8_000_u16.to_be_bytes());
    tcp[4..8].copy_from_slice(&1_000_u32.to_be_bytes());
    tcp[8..12].copy_from_slice(&77_u32.to_be_bytes());
    (tcp[12], tcp[13]) = (5 << 4, TCP_ACK);
    tcp.extend_from_slice(payload);
    let mut pseudo = vec![10, 0, 0, 1, 10, 0, 0, 2, 0, IPPROTO_TCP];
    pseudo.extend_from_slice(&(length - IPV4_HEADER as u16).to_be_bytes());
    let sum = if begun {
        bytes[0] = NEEDS_CHECKSUM;
        bytes[6..8].copy_from_slice(&((ETHERNET_HEADER + IPV4_HEADER) as u16).to_ne_bytes());
        bytes[8..10].copy_from_slice(&16_u16.to_ne_bytes());
        !checksum(&pseudo)
    } else {
        pseudo.extend_from_slice(&tcp);
        checksum(&pseudo)
    };
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    bytes.extend_from_slice(&tcp);
    bytes
}

/// What a kernel that receives the frame makes of its checksums.
fn sound(bytes: &[u8]) -> bool {
    let frame = &bytes[VNET_HEADER..];
    let ip = Ipv4::parse(frame).expect("IPv4");
    let end = ETHERNET_HEADER + ip.length;
    let tcp = &frame[ip.payload..end];
    let mut covered = frame[ETHERNET_HEADER + 12..ETHERNET_HEADER + 20].to_vec();
    covered.extend_from_slice(&[0, ip.protocol]);
    covered.extend_from_slice(&(tcp.len() as u16).to_be_bytes());
    covered.extend_from_slice(tcp);
    let header = checksum(&frame[ETHERNET_HEADER..ip.payload]);
    bytes[0] & NEEDS_CHECKSUM == 0 && header == 0 && checksum(&covered) == 0
}

#[test]
fn a_begun_checksum_is_completed() {
    for payload in [&b""[..], b"odd", b"even"] {
        let mut bytes = segment(payload, true);
        let (header, frame) = bytes.split_at_mut(VNET_HEADER);
        assert!(complete(header, frame));
        assert!(sound(&bytes));
        assert_eq!(bytes, segment(payload, false));
    }
}

#[test]
fn a_large_segment_cannot_be_flipped() {
    let mut bytes = segment(&[7; 4_000], true);
    bytes[1] = 1;
    assert!(!flip(&bytes, 3, &mut Vec::new()));
}

#[test]
fn resets_have_the_numbers_that_are_waited_for() {
    let mut ahead = Vec::new();
    let back = resets(&segment(b"12345", true), &mut ahead).expect("TCP");
    assert!(sound(&ahead) && sound(&back));
    let word = |bytes: &[u8], at: usize| {
        let at = VNET_HEADER + ETHERNET_HEADER + IPV4_HEADER + at;
        u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
    };
    // To the receiver: in the place of the segment. To the sender: the number
    // that it acknowledged.
    assert_eq!((word(&ahead, 4), word(&back, 4)), (1_000, 77));
    assert_eq!(word(&back, 8), 1_005);
    assert_eq!(ahead[VNET_HEADER..VNET_HEADER + 6], [2, 0, 0, 0, 0, 2]);
    assert_eq!(back[VNET_HEADER..VNET_HEADER + 6], [2, 0, 0, 0, 0, 1]);
    assert_eq!(word(&ahead, 0), 40_000 << 16 | 8_000);
    assert_eq!(word(&back, 0), 8_000 << 16 | 40_000);
}

proptest! {
    #[test]
    fn every_flip_breaks_the_checksum_and_one_bit_alone(
        payload in prop::collection::vec(any::<u8>(), 0..200), bit: u64, begun: bool,
    ) {
        let mut flipped = Vec::new();
        prop_assert!(flip(&segment(&payload, begun), bit, &mut flipped));
        prop_assert!(!sound(&flipped));
        let whole = segment(&payload, false);
        let differing: u32 = whole.iter().zip(&flipped).map(|(a, b)| (a ^ b).count_ones()).sum();
        prop_assert_eq!(differing, 1);
        let headers = VNET_HEADER + ETHERNET_HEADER + IPV4_HEADER;
        prop_assert_eq!(&whole[..headers], &flipped[..headers]);
    }

    #[test]
    fn anything_is_changed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), bit: u64) {
        let mut out = Vec::new();
        let _ = flip(&bytes, bit, &mut out);
        let _ = resets(&bytes, &mut out);
    }
}
