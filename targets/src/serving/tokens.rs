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
    let mut start = trimmed.len();
    let mut expected = None;
    while let Some(word) = trimmed[..start].split(' ').next_back() {
        let Some((n, _)) = parse_token(word) else {
            // The first token may follow the prompt with no space between.
            start = joined_start(trimmed, start, word, expected).unwrap_or(start);
            break;
        };
        if expected.is_some_and(|next: u32| n.checked_add(1) != Some(next)) {
            break;
        }
        start -= word.len();
        expected = Some(n);
        if n == 0 || start == 0 {
            break;
        }
        start -= 1;
    }
    let tail = &trimmed[start..];
    let before = &prompt[..start];
    let key = request_key(&[Message::user(before)], seed);
    let count = words(tail);
    if count > 0 && answer(&key, 0, count).trim_end() == tail {
        (before, count)
    } else {
        (prompt, 0)
    }
}

/// Where token 0 starts in a word such as `prompt.0:1f2e`.
fn joined_start(text: &str, end: usize, word: &str, expected: Option<u32>) -> Option<usize> {
    // Only "0:hhhh" can stand first; six bytes from the word's end.
    let at = word.len().checked_sub(6)?;
    let tail = word.get(at..)?;
    let (n, _) = parse_token(tail)?;
    let fits = n == 0 && expected.is_none_or(|next| next == 1);
    fits.then_some(end - 6)
        .filter(|at| text.is_char_boundary(*at))
}

#[cfg(test)]
mod tests;
