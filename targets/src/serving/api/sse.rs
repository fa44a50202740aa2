//! Reading `text/event-stream`: bytes in, whole events out.

use bytes::{Bytes, BytesMut};
use memchr::memchr;

/// Longest event that is waited for.
const MAX_EVENT_BYTES: usize = 1 << 20;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SseEvent {
    /// As it came, the blank line included.
    pub(crate) raw: Bytes,
    /// Its `event:` field is `error`.
    pub(crate) is_error: bool,
    /// Its `data:` fields, joined by newlines.
    pub(crate) data: Bytes,
}

/// An event that never ends.
#[derive(Debug, thiserror::Error)]
#[error("an event is longer than {MAX_EVENT_BYTES} bytes")]
pub(crate) struct EventTooLong;

/// Cuts a byte stream into events. A last event without its blank line is not
/// an event: it was cut off.
#[derive(Default)]
pub(crate) struct SseParser {
    buffer: BytesMut,
    searched: usize,
}

impl SseParser {
    pub(crate) fn feed(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next whole event with data.
    pub(crate) fn next(&mut self) -> Result<Option<SseEvent>, EventTooLong> {
        while let Some(end) = self.boundary() {
            let raw = self.buffer.split_to(end).freeze();
            self.searched = 0;
            if let Some(event) = event(raw) {
                return Ok(Some(event));
            }
        }
        if self.buffer.len() > MAX_EVENT_BYTES {
            return Err(EventTooLong);
        }
        Ok(None)
    }

    /// The end of the first blank line, `\n\n` or `\n\r\n`.
    fn boundary(&mut self) -> Option<usize> {
        let mut at = self.searched;
        while let Some(offset) = memchr(b'\n', self.buffer.get(at..)?) {
            let newline = at + offset;
            match &self.buffer[newline + 1..] {
                [b'\n', ..] => return Some(newline + 2),
                [b'\r', b'\n', ..] => return Some(newline + 3),
                [] | [b'\r'] => {
                    self.searched = newline;
                    return None;
                }
                _ => at = newline + 1,
            }
        }
        self.searched = self.buffer.len();
        None
    }
}

fn event(raw: Bytes) -> Option<SseEvent> {
    let mut is_error = false;
    let mut data: Option<Bytes> = None;
    let mut rest = &raw[..];
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(value) = field(line, b"data:") {
            data = Some(match data {
                None => raw.slice_ref(value),
                Some(before) => [&before[..], b"\n", value].concat().into(),
            });
        } else if let Some(value) = field(line, b"event:") {
            is_error = value == b"error";
        }
    }
    data.map(|data| SseEvent {
        raw,
        is_error,
        data,
    })
}

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = line.strip_prefix(name)?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests;
