//! A reader of server-sent events that sees bytes, comments and broken ends.
//!
//! After the WHATWG HTML standard, section "Server-sent events", with two
//! differences that a witness needs: an event that the end of the stream cut
//! off is still reported (marked so), and lines are bounded.

use memchr::{memchr, memchr2};

/// Longest line, and longest data of one event, in bytes.
pub const MAX_LINE: usize = 1 << 20;

/// What the reader found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SseItem<'a> {
    /// An event.
    Event {
        /// Its `event:` field; empty for a plain message.
        name: &'a [u8],
        /// Its `data:` lines, joined by line feeds.
        data: &'a [u8],
        /// The stream ended before the blank line that ends an event.
        cut: bool,
    },
    /// A comment line, without its colon.
    Comment(&'a [u8]),
}

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// A line or an event is longer than [`MAX_LINE`].
    #[error("a line of more than {MAX_LINE} bytes")]
    TooLong,
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The reader. Feed it bytes as they come; pieces may end anywhere.
#[derive(Debug, Default)]
pub struct SseReader {
    /// The unfinished line.
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was a CR: a LF right after it belongs to it.
    after_cr: bool,
    /// The first line has been read, so no byte order mark can come.
    begun: bool,
}

impl SseReader {
    /// A reader at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `bytes`, and hands every event and comment that they complete to
    /// `found`.
    ///
    /// # Errors
    /// [`SseError::TooLong`]; the reader must not be fed again after it.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        mut found: impl FnMut(SseItem<'_>),
    ) -> Result<(), SseError> {
        while !bytes.is_empty() {
            if self.after_cr {
                self.after_cr = false;
                if bytes[0] == b'\n' {
                    bytes = &bytes[1..];
                    continue;
                }
            }
            let Some(end) = memchr2(b'\n', b'\r', bytes) else {
                return self.keep(bytes);
            };
            self.after_cr = bytes[end] == b'\r';
            if self.line.is_empty() {
                self.take_line(&bytes[..end], &mut found)?;
            } else {
                self.keep(&bytes[..end])?;
                let line = std::mem::take(&mut self.line);
                self.take_line(&line, &mut found)?;
                self.line = line;
                self.line.clear();
            }
            bytes = &bytes[end + 1..];
        }
        Ok(())
    }

    /// The stream has ended; what it left unfinished is handed out as a cut
    /// event.
    ///
    /// # Errors
    /// [`SseError::TooLong`].
    pub fn finish(&mut self, mut found: impl FnMut(SseItem<'_>)) -> Result<(), SseError> {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.take_line(&line, &mut found)?;
        }
        self.dispatch(true, &mut found);
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), SseError> {
        if self.line.len() + bytes.len() > MAX_LINE {
            return Err(SseError::TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn take_line(
        &mut self,
        mut line: &[u8],
        found: &mut impl FnMut(SseItem<'_>),
    ) -> Result<(), SseError> {
        if !self.begun {
            self.begun = true;
            line = line.strip_prefix(BOM).unwrap_or(line);
        }
        if line.is_empty() {
            self.dispatch(false, found);
            return Ok(());
        }
        let (field, value) = match memchr(b':', line) {
            Some(0) => {
                found(SseItem::Comment(&line[1..]));
                return Ok(());
            }
            Some(colon) => {
                let value = &line[colon + 1..];
                (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match field {
            b"data" => {
                if self.data.len() + value.len() >= MAX_LINE {
                    return Err(SseError::TooLong);
                }
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            // `id`, `retry` and unknown fields carry nothing for a reader that
            // never reconnects.
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, cut: bool, found: &mut impl FnMut(SseItem<'_>)) {
        if self.has_data {
            found(SseItem::Event {
                name: &self.name,
                data: &self.data,
                cut,
            });
        }
        self.name.clear();
        self.data.clear();
        self.has_data = false;
    }
}

#[cfg(test)]
mod tests;
