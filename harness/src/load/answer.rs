//! Reads one answer as its bytes come: events, chunks, tokens, times.

use ridethrough_targets::clock::Micros;
use ridethrough_targets::template::Template;

use super::chunk::{Chunk, clip};
use super::expected::Expected;
use super::observe::Observations;
use super::reading::Reading;
use super::shape::Head;
use super::sse::{SseItem, SseReader};

/// Longest body of an answer that is not a stream, in bytes.
const MAX_BODY: usize = 16 << 20;

/// An answer in the making.
#[derive(Debug)]
pub struct Answer {
    sse: SseReader,
    state: State,
    /// The body so far, where it is not a stream of events.
    body: Vec<u8>,
    /// Events are expected; otherwise the body is read as one document.
    events: bool,
}

/// All but the reader, so that the reader can hand items to it.
#[derive(Debug)]
struct State {
    reading: Reading,
    seen: Observations,
    token_us: Vec<Micros>,
    last_us: Micros,
    served_by: Vec<(String, u32)>,
    first_error_us: Option<Micros>,
    /// Chunks like the last one, if that held text and nothing else to know.
    known: Option<Known>,
}

/// What chunks of one template say beside their text.
#[derive(Debug)]
struct Known {
    template: Template,
    id: Option<String>,
    from: Option<String>,
}

/// What an answer came to.
#[derive(Debug)]
pub struct Finished {
    /// What a fate is decided from.
    pub seen: Observations,
    /// Arrival of each token, as in a ledger row.
    pub token_us: Vec<Micros>,
    /// Replicas by fingerprint, with the index of their first token.
    pub served_by: Vec<(String, u32)>,
    /// When the first error of the answer was seen.
    pub first_error_us: Option<Micros>,
    /// Its text, where nobody knew what it must be.
    pub text: Option<String>,
}

impl Answer {
    /// An answer of `asked` tokens, to be held against what is expected.
    pub fn new(expected: impl Into<Expected>, asked: u32, stream: bool) -> Self {
        Self {
            sse: SseReader::new(),
            state: State {
                reading: Reading::new(expected.into(), asked),
                seen: Observations::new(asked, stream),
                token_us: Vec::with_capacity(asked.min(4096) as usize),
                last_us: 0,
                served_by: Vec::new(),
                first_error_us: None,
                known: None,
            },
            body: Vec::new(),
            events: stream,
        }
    }

    /// The response's head: only a good answer to a request for a stream is
    /// read as events, an error page is a document.
    pub fn head(&mut self, status: u16, retry_after: bool) {
        self.state.seen.status = Some(status);
        self.state.seen.retry_after = retry_after;
        self.events = self.state.seen.stream && status == 200;
    }

    /// Bytes of the body that arrived at `now`.
    pub fn feed(&mut self, bytes: &[u8], now: Micros) {
        if self.events {
            let state = &mut self.state;
            if let Err(error) = self.sse.feed(bytes, |item| state.item(item, now)) {
                self.state.broken(error.to_string(), now);
                self.sse = SseReader::new();
            }
        } else if self.body.len() + bytes.len() > MAX_BODY {
            self.state
                .broken(format!("a body of more than {MAX_BODY} bytes"), now);
        } else {
            self.body.extend_from_slice(bytes);
        }
    }

    /// Tokens that came so far.
    pub fn tokens(&self) -> u32 {
        self.state.reading.tokens()
    }

    /// When the last token came.
    pub fn last_token_us(&self) -> Option<Micros> {
        (!self.state.token_us.is_empty()).then_some(self.state.last_us)
    }

    /// The body has ended at `now`, well or not.
    pub fn finish(mut self, now: Micros) -> Finished {
        if self.events {
            let state = &mut self.state;
            if let Err(error) = self.sse.finish(|item| state.item(item, now)) {
                self.state.broken(error.to_string(), now);
            }
        } else if !self.body.is_empty() {
            self.state.document(&self.body, now);
        }
        let State {
            reading,
            mut seen,
            token_us,
            served_by,
            first_error_us,
            ..
        } = self.state;
        let settled = reading.settle();
        seen.tokens = settled.tokens;
        seen.defect = settled.defect;
        seen.rest = settled.rest;
        seen.basis = settled.basis;
        seen.replicas = served_by.len();
        Finished {
            seen,
            token_us,
            served_by,
            first_error_us,
            text: settled.text,
        }
    }
}

impl Known {
    fn head(&self) -> Head<'_> {
        Head {
            id: self.id.as_deref(),
            from: self.from.as_deref(),
            role: false,
            finish: false,
        }
    }
}

impl State {
    fn item(&mut self, item: SseItem<'_>, now: Micros) {
        let SseItem::Event { name, data, cut } = item else {
            return;
        };
        if data == b"[DONE]" {
            self.seen.done = true;
            self.reading.done();
            return;
        }
        if name.is_empty()
            && let Some(known) = self.known.take()
        {
            let text = known.template.text(data).filter(|text| !text.is_empty());
            if let Some(text) = text {
                self.text(&known.head(), text, now);
                self.known = Some(known);
                return;
            }
        }
        match serde_json::from_slice::<Chunk<'_>>(data) {
            Ok(chunk) => {
                self.known = chunk.plain_text().and_then(|text| {
                    Some(Known {
                        template: Template::of(data, text)?,
                        id: chunk.id.as_ref().map(|id| id.0.to_string()),
                        from: chunk.system_fingerprint.as_ref().map(|f| f.0.to_string()),
                    })
                });
                if name == b"error" && chunk.error_text().is_none() {
                    self.error(clip(&String::from_utf8_lossy(data)), now);
                }
                self.chunk(&chunk, now);
            }
            Err(_) if name == b"error" => self.error(clip(&String::from_utf8_lossy(data)), now),
            Err(error) => {
                let how = if cut {
                    "an event cut off"
                } else {
                    "an unreadable event"
                };
                self.broken(format!("{how}: {error}"), now);
            }
        }
    }

    /// An answer that is one document: not a stream, or an error page.
    fn document(&mut self, body: &[u8], now: Micros) {
        match serde_json::from_slice::<Chunk<'_>>(body) {
            Ok(chunk) => self.chunk(&chunk, now),
            Err(_) if self.seen.status != Some(200) => {
                self.error(clip(&String::from_utf8_lossy(body)), now);
            }
            Err(error) => self.broken(format!("an unreadable answer: {error}"), now),
        }
    }

    fn chunk(&mut self, chunk: &Chunk<'_>, now: Micros) {
        if let Some(error) = chunk.error_text() {
            self.error(error, now);
        }
        if let Some(count) = chunk.usage.and_then(|usage| usage.completion_tokens) {
            self.seen.usage = Some(count);
        }
        let Some(choice) = chunk.choices.as_ref().and_then(|c| c.first()) else {
            return;
        };
        if let Some(finish) = &choice.finish_reason {
            self.seen.finish = Some(finish.0.to_string());
        }
        let part = choice.delta.as_ref().or(choice.message.as_ref());
        let text = part.and_then(|part| part.content.as_ref());
        let from = chunk.system_fingerprint.as_ref();
        let head = Head {
            id: chunk.id.as_ref().map(|id| &*id.0),
            from: from.map(|from| &*from.0),
            role: part.is_some_and(|part| part.role.is_some()),
            finish: choice.finish_reason.is_some(),
        };
        self.text(&head, text.map_or("", |text| &*text.0), now);
    }

    fn text(&mut self, head: &Head<'_>, text: &str, now: Micros) {
        if let Some(from) = head.from
            && !text.is_empty()
            && self.served_by.last().is_none_or(|(last, _)| last != from)
        {
            let tokens = self.reading.tokens();
            self.served_by.push((from.to_owned(), tokens));
        }
        let Self {
            reading,
            token_us,
            last_us,
            ..
        } = self;
        let clean = reading.clean();
        reading.chunk(head, text, now, || {
            token_us.push(now.saturating_sub(*last_us));
            *last_us = now.max(*last_us);
        });
        if clean && !self.reading.clean() {
            self.first_error_us.get_or_insert(now);
        }
    }

    fn error(&mut self, error: String, now: Micros) {
        self.seen.error.get_or_insert(error);
        self.first_error_us.get_or_insert(now);
    }

    fn broken(&mut self, what: String, now: Micros) {
        self.seen.broken.get_or_insert(what);
        self.first_error_us.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests;
