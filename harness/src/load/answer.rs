//! Reads one answer as its bytes come: events, chunks, tokens, times.

use ridethrough_targets::clock::Micros;

use super::chunk::{Chunk, clip};
use super::content::Checker;
use super::observe::Observations;
use super::oracle::Oracle;
use super::sse::{SseItem, SseReader};
use super::tokenise::Tokeniser;

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
    tokeniser: Tokeniser,
    checker: Checker,
    seen: Observations,
    token_us: Vec<Micros>,
    last_us: Micros,
    served_by: Vec<(String, u32)>,
    first_error_us: Option<Micros>,
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
}

impl Answer {
    /// An answer of `asked` tokens, to be checked against `oracle`.
    pub fn new(oracle: Oracle, asked: u32, stream: bool) -> Self {
        Self {
            sse: SseReader::new(),
            state: State {
                tokeniser: Tokeniser::new(),
                checker: Checker::new(oracle, asked),
                seen: Observations::new(asked, stream),
                token_us: Vec::with_capacity(asked.min(4096) as usize),
                last_us: 0,
                served_by: Vec::new(),
                first_error_us: None,
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
        self.state.checker.tokens()
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
            tokeniser,
            checker,
            mut seen,
            token_us,
            served_by,
            first_error_us,
            ..
        } = self.state;
        seen.tokens = checker.tokens();
        seen.defect = checker.defect().cloned();
        seen.rest = tokeniser.rest();
        seen.replicas = served_by.len();
        Finished {
            seen,
            token_us,
            served_by,
            first_error_us,
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
            return;
        }
        match serde_json::from_slice::<Chunk<'_>>(data) {
            Ok(chunk) => {
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
        if let Some(text) = part.and_then(|part| part.content.as_ref())
            && !text.0.is_empty()
        {
            let from = chunk.system_fingerprint.as_ref();
            self.text(&text.0, from.map(|f| &*f.0), now);
        }
    }

    fn text(&mut self, text: &str, from: Option<&str>, now: Micros) {
        if let Some(from) = from
            && self.served_by.last().is_none_or(|(last, _)| last != from)
        {
            self.served_by
                .push((from.to_owned(), self.checker.tokens()));
        }
        let Self {
            tokeniser,
            checker,
            token_us,
            last_us,
            ..
        } = self;
        let clean = checker.defect().is_none();
        tokeniser.feed(text, |word| {
            if checker.take(&word) {
                token_us.push(now.saturating_sub(*last_us));
                *last_us = now.max(*last_us);
            }
        });
        if clean && self.checker.defect().is_some() {
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
