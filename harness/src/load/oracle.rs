//! What every token of an answer must be: `"<n>:<h> "`, where `h` is the first
//! four hex digits of SHA-256 over the request's key and `n`.

use sha2::{Digest, Sha256};

/// The oracle of one request. Tokens are a pure function of the key and the
/// index, so no reference run is needed to check an answer.
#[derive(Clone, Debug)]
pub struct Oracle {
    keyed: Sha256,
}

impl Oracle {
    /// The oracle of the request whose messages and seed these are.
    pub fn of(messages: &[ChatMessage<'_>], seed: Option<u64>) -> Self {
        Self::from_key(&request_key(messages, seed))
    }

    /// The oracle of a key.
    pub fn from_key(key: &[u8]) -> Self {
        Self {
            keyed: Sha256::new_with_prefix(key),
        }
    }

    /// The four hex digits of token `n`.
    pub fn hash(&self, n: u32) -> [u8; 4] {
        let mut sha = self.keyed.clone();
        sha.update(n.to_be_bytes());
        let digest = sha.finalize();
        let hex = |nibble: u8| b"0123456789abcdef"[usize::from(nibble & 15)];
        [
            hex(digest[0] >> 4),
            hex(digest[0]),
            hex(digest[1] >> 4),
            hex(digest[1]),
        ]
    }

    /// The text of token `n`.
    pub fn token(&self, n: u32) -> String {
        let hash = self.hash(n);
        format!("{n}:{} ", String::from_utf8_lossy(&hash))
    }
}

/// A message of a chat request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ChatMessage<'a> {
    /// `user`, `assistant`, `system`.
    pub role: &'a str,
    /// Its text.
    pub content: &'a str,
}

/// The key of a request: SHA-256 over the length (u64, big endian) and the bytes
/// of every message's role and content, then a byte that says whether there is a
/// seed, then the seed (u64, big endian).
fn request_key(messages: &[ChatMessage<'_>], seed: Option<u64>) -> [u8; 32] {
    let mut sha = Sha256::new();
    for message in messages {
        for text in [message.role, message.content] {
            sha.update((text.len() as u64).to_be_bytes());
            sha.update(text.as_bytes());
        }
    }
    sha.update([u8::from(seed.is_some())]);
    sha.update(seed.unwrap_or(0).to_be_bytes());
    sha.finalize().into()
}

#[cfg(test)]
mod tests;
