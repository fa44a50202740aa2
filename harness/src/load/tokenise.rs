//! Cuts answer text into the tokens `"<n>:<h> "`, however its pieces were cut.

/// Longest run of foreign text that is kept as one word, in bytes; longer runs
/// count as several words.
const MAX_WORD: usize = 64;

/// A word of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A well-formed token.
    Token {
        /// Its index.
        n: u32,
        /// Its four hex digits.
        hash: [u8; 4],
    },
    /// Anything else.
    Foreign(String),
}

/// An incremental tokeniser. A token is complete with its fourth hex digit, so
/// a stack that moves the blank to the next piece does not shift its time.
#[derive(Debug, Default)]
pub struct Tokeniser {
    word: Vec<u8>,
    /// The word in `word` has been reported as a token: only a blank may follow.
    told: bool,
}

impl Tokeniser {
    /// A tokeniser at the beginning of an answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a piece of text and hands every word it completes to `found`.
    pub fn feed(&mut self, text: &str, mut found: impl FnMut(Word)) {
        for &byte in text.as_bytes() {
            if byte.is_ascii_whitespace() {
                self.end_word(&mut found);
                continue;
            }
            if self.told || self.word.len() >= MAX_WORD {
                self.end_word(&mut found);
            }
            self.word.push(byte);
            if let Some(token) = parse(&self.word) {
                found(token);
                self.told = true;
            }
        }
    }

    /// Begins the next word; whatever of the last was not a token is foreign.
    fn end_word(&mut self, found: &mut impl FnMut(Word)) {
        if !self.told && !self.word.is_empty() {
            found(Word::Foreign(
                String::from_utf8_lossy(&self.word).into_owned(),
            ));
        }
        self.word.clear();
        self.told = false;
    }

    /// The text that was begun and not completed, if any. At the end of an
    /// answer this is a token that was cut.
    pub fn rest(&self) -> Option<String> {
        (!self.told && !self.word.is_empty())
            .then(|| String::from_utf8_lossy(&self.word).into_owned())
    }
}

/// Reads a complete `<n>:<h>`: decimal digits without a leading zero, a colon,
/// four lower-case hex digits.
fn parse(word: &[u8]) -> Option<Word> {
    let colon = word.len().checked_sub(5)?;
    if word[colon] != b':' || colon == 0 || (word[0] == b'0' && colon > 1) {
        return None;
    }
    let mut n = 0u32;
    for digit in &word[..colon] {
        if !digit.is_ascii_digit() {
            return None;
        }
        n = n.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?;
    }
    let hash: [u8; 4] = word[colon + 1..].try_into().ok()?;
    hash.iter()
        .all(|h| matches!(h, b'0'..=b'9' | b'a'..=b'f'))
        .then_some(Word::Token { n, hash })
}

#[cfg(test)]
mod tests;
