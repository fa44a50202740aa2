//! Answers that are deterministic by construction.
//!
//! Token `n` of a request reads `"<n>:<h> "`, where `h` is four hex digits of
//! SHA-256 over the request's key and `n`. No two positions read alike, so the
//! text alone shows a gap, a duplicate, a restart, a reorder or cross-talk, and
//! no recording of a good answer is needed to judge another.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

/// A chat message, reduced to what an answer depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant`, ...
    pub role: String,
    /// The text; parts of a multi-part content are joined, what is not text is
    /// left out.
    #[serde(default, deserialize_with = "content")]
    pub content: String,
}

impl Message {
    /// A message of a user.
    pub fn user(content: impl Into<String>) -> Self {
        Self {
            role: "user".into(),
            content: content.into(),
        }
    }

    /// A message of the model.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self {
            role: "assistant".into(),
            content: content.into(),
        }
    }
}

/// Content is a text, a list of parts, or nothing.
fn content<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    struct Part {
        #[serde(default)]
        text: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Content {
        Text(String),
        Parts(Vec<Part>),
    }
    Ok(match Option::<Content>::deserialize(deserializer)? {
        None => String::new(),
        Some(Content::Text(text)) => text,
        Some(Content::Parts(parts)) => parts.into_iter().filter_map(|part| part.text).collect(),
    })
}

/// What all tokens of an answer follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey([u8; 32]);

/// The key of a request.
///
/// It is SHA-256 over, for each message in order, the length of its role (u64,
/// big endian), the role, the length of its content, the content; then one byte
/// that says whether there is a seed, and the seed (u64, big endian). A trailing
/// assistant message that is to be *continued* is not part of it: a continued
/// answer is the same answer. A prompt of `/v1/completions` counts as one user
/// message.
pub fn request_key(messages: &[Message], seed: Option<u64>) -> RequestKey {
    let mut hash = Sha256::new();
    for message in messages {
        for text in [&message.role, &message.content] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
    }
    hash.update([u8::from(seed.is_some())]);
    hash.update(seed.unwrap_or(0).to_be_bytes());
    RequestKey(hash.finalize().into())
}

impl RequestKey {
    /// A key that belongs to nobody's request, derived from this one.
    pub(crate) fn foreign(&self) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(b"foreign");
        Self(hash.finalize().into())
    }

    /// The first eight bytes, as an identifier.
    pub fn short(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(bytes)
    }
}

/// Writes token `n` to the end of `out`.
pub fn push_token(out: &mut String, key: &RequestKey, n: u32) {
    let mut hash = Sha256::new();
    hash.update(key.0);
    hash.update(n.to_be_bytes());
    let digest = hash.finalize();
    let _ = write!(out, "{n}:{:02x}{:02x} ", digest[0], digest[1]);
}

/// Token `n` of an answer, its trailing space included.
pub fn token(key: &RequestKey, n: u32) -> String {
    let mut out = String::with_capacity(12);
    push_token(&mut out, key, n);
    out
}

/// The first `count` tokens of an answer, from token `from` on: what a client
/// must have read.
pub fn answer(key: &RequestKey, from: u32, count: u32) -> String {
    let mut out = String::with_capacity(count as usize * 10);
    for n in from..from.saturating_add(count) {
        push_token(&mut out, key, n);
    }
    out
}

/// Position and hash of a token; `None` for a text that is not one token. The
/// trailing space may be missing.
pub fn parse_token(text: &str) -> Option<(u32, &str)> {
    let text = text.strip_suffix(' ').unwrap_or(text);
    let (number, hash) = text.split_once(':')?;
    let canonical = number == "0" || !number.starts_with('0');
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let hex = hash.len() == 4 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !(canonical && digits && hex) {
        return None;
    }
    Some((number.parse().ok()?, hash))
}

/// The position after the last token in `text`; words that are no tokens count
/// one each when the text ends in no token.
pub(crate) fn next_index(text: &str) -> u32 {
    let last = text.split_whitespace().next_back();
    match last.and_then(parse_token) {
        Some((n, _)) => n.saturating_add(1),
        None => words(text),
    }
}

/// Tokens of a prompt: its words.
pub(crate) fn words(text: &str) -> u32 {
    u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX)
}

/// Splits a completion prompt that has an answer's tokens appended into the
/// prompt and the position to go on from. The tokens must be those of the
/// answer to that very prompt; else all of it is a new prompt.
pub(crate) fn split_prompt(prompt: &str, seed: Option<u64>) -> (&str, u32) {
    let trimmed = prompt.trim_end();
    // Within an answer only token 0 is followed by " 1:", and only a single
    // token is followed by nothing, so there are two places to look at.
    let ends = [trimmed.rfind(" 1:"), Some(trimmed.len())];
    for start in ends
        .into_iter()
        .flatten()
        .filter_map(|end| first_token(trimmed, end))
    {
        let (before, tail) = trimmed.split_at(start);
        let key = request_key(&[Message::user(before)], seed);
        let count = words(tail);
        if answer(&key, 0, count).trim_end() == tail {
            return (before, count);
        }
    }
    (prompt, 0)
}

/// Where a token 0 that ends at `end` starts; there may be no space before it.
fn first_token(text: &str, end: usize) -> Option<usize> {
    let start = end.checked_sub("0:hhhh".len())?;
    let (n, _) = parse_token(text.get(start..end)?)?;
    (n == 0).then_some(start)
}

#[cfg(test)]
mod tests;
