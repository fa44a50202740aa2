//! One record on the medium: its length, its number, a checksum over both and
//! the payload, and the payload.

use sha2::{Digest, Sha256};

/// Bytes before the payload: length (4), number (8), checksum (8), big-endian.
pub(super) const HEAD: usize = 20;

/// The longest payload, in bytes: a longer one is no record.
pub(super) const PAYLOAD_MAX: usize = 1 << 20;

/// A record as it is written.
pub(super) fn encode(sequence: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.extend((payload.len() as u32).to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(checksum(sequence, payload));
    bytes.extend(payload);
    bytes
}

/// The payload of record `sequence` at the start of these bytes; nothing where
/// they do not begin with the whole of it, as it was written.
pub(super) fn decode(bytes: &[u8], sequence: u64) -> Option<&[u8]> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let len = u32::from_be_bytes(head[..4].try_into().ok()?) as usize;
    if len > PAYLOAD_MAX {
        return None;
    }
    let payload = rest.get(..len)?;
    let numbered = head[4..12] == sequence.to_be_bytes();
    (numbered && head[12..] == checksum(sequence, payload)).then_some(payload)
}

/// The first 8 bytes of SHA-256.
fn checksum(sequence: u64, payload: &[u8]) -> [u8; 8] {
    let digest = Sha256::new()
        .chain_update((payload.len() as u32).to_be_bytes())
        .chain_update(sequence.to_be_bytes())
        .chain_update(payload)
        .finalize();
    std::array::from_fn(|at| digest[at])
}
