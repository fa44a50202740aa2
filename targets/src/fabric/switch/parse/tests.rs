use proptest::prelude::*;

use super::*;

/// A frame of `len` bytes with a virtio-net header for segments of `size`.
fn bytes(to: [u8; 6], kind: u16, len: usize, repeated: u16, size: u16) -> Vec<u8> {
    let mut bytes = vec![0; VNET_HEADER + len];
    if size > 0 {
        bytes[1] = 1;
        bytes[2..4].copy_from_slice(&repeated.to_ne_bytes());
        bytes[4..6].copy_from_slice(&size.to_ne_bytes());
    }
    bytes[VNET_HEADER..VNET_HEADER + 6].copy_from_slice(&to);
    bytes[VNET_HEADER + 12..VNET_HEADER + 14].copy_from_slice(&kind.to_be_bytes());
    bytes
}

#[test]
fn reads_destination_and_kind() {
    let to = [2, 0x72, 10, 0, 0, 9];
    let frame = Frame::parse(&bytes(to, 0x0800, 60, 0, 0)).expect("long enough");
    assert_eq!(frame.to, mac_key(to));
    assert!(frame.ip && !frame.group);
    assert_eq!((frame.packets, frame.wire_bytes), (1, 60));

    let arp = Frame::parse(&bytes([0xff; 6], 0x0806, 42, 0, 0)).expect("long enough");
    assert!(arp.group && !arp.ip);
}

#[test]
fn a_tag_does_not_hide_the_kind() {
    let mut tagged = bytes([2; 6], 0x8100, 64, 0, 0);
    tagged[VNET_HEADER + 16..VNET_HEADER + 18].copy_from_slice(&0x86dd_u16.to_be_bytes());
    assert!(Frame::parse(&tagged).expect("long enough").ip);
}

#[test]
fn a_large_segment_counts_as_its_packets() {
    // 54 bytes of headers, then 45 full payloads of 1448 and 10 bytes more.
    let len = 54 + 45 * 1448 + 10;
    let frame = Frame::parse(&bytes([2; 6], 0x0800, len, 54, 1448)).expect("long enough");
    assert_eq!(frame.packets, 46);
    assert_eq!(frame.wire_bytes, (len + 45 * 54) as u64);
}

#[test]
fn hardware_addresses_order_as_bytes() {
    assert!(mac_key([1, 0, 0, 0, 0, 0]) > mac_key([0, 255, 255, 255, 255, 255]));
}

proptest! {
    #[test]
    fn anything_is_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(frame) = Frame::parse(&bytes) {
            prop_assert!(frame.packets >= 1);
            prop_assert!(frame.wire_bytes >= (bytes.len() - VNET_HEADER) as u64);
        } else {
            prop_assert!(bytes.len() < VNET_HEADER + 18);
        }
    }
}
