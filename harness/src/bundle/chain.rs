//! A chain of hashes: each link covers what came before it, so that nothing can be
//! changed, left out, added or put elsewhere without the head being another one.

use std::io::Read;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes that one link covers.
pub(super) const CHUNK: u64 = 1 << 20;

/// A hash in hexadecimal.
pub(super) type Hex = String;

/// Bytes of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    /// The first byte's place in its file.
    pub(super) from: u64,
    /// How many bytes.
    pub(super) length: u64,
    /// SHA-256 of the bytes.
    pub(super) bytes: Hex,
    /// SHA-256 over the link before, the file's name, the place and `bytes`.
    pub(super) link: Hex,
}

/// The chain as it grows.
pub(super) struct Chain(Hex);

impl Chain {
    /// It begins with what the manifest says beside its files.
    pub(super) fn begin(head: &str) -> Self {
        let start = Sha256::new()
            .chain_update(b"ridethrough bundle 1\n")
            .chain_update(head);
        Self(hex(&start.finalize()))
    }

    /// The link so far.
    pub(super) fn head(&self) -> &str {
        &self.0
    }

    /// Adds a piece of a file, by the hash of its bytes; returns the new link.
    pub(super) fn add(&mut self, file: &str, from: u64, length: u64, bytes: &str) -> Hex {
        // Lengths before texts: no two different pieces are written alike.
        let link = Sha256::new()
            .chain_update(&self.0)
            .chain_update((file.len() as u64).to_be_bytes())
            .chain_update(file)
            .chain_update(from.to_be_bytes())
            .chain_update(length.to_be_bytes())
            .chain_update(bytes);
        self.0 = hex(&link.finalize());
        self.0.clone()
    }
}

/// Hashes a file piece by piece, in pieces of [`CHUNK`] bytes: where each begins,
/// how long it is, its hash. An empty file is one empty piece.
pub(super) fn pieces(
    mut file: impl Read,
    mut take: impl FnMut(u64, u64, Hex),
) -> std::io::Result<u64> {
    let mut from = 0;
    let mut buffer = vec![0; CHUNK as usize];
    loop {
        let mut length = 0;
        while length < buffer.len() {
            match file.read(&mut buffer[length..])? {
                0 => break,
                n => length += n,
            }
        }
        if length > 0 || from == 0 {
            take(from, length as u64, hex(&Sha256::digest(&buffer[..length])));
        }
        from += length as u64;
        if length < buffer.len() {
            return Ok(from);
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> Hex {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| Some(c.to_digit(16)? as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}
