//! Mode `full`: an answer goes on at another replica, at the next token.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::attempt::{Try, request};
use super::metrics::count;
use super::patience::by;
use super::relay::{PARTING, error_frame, given_up, retryable};
use super::service::{Call, Gateway};
use crate::service::AttemptEnd;
use crate::serving::api::{ChunkWriter, Generation, Said, SseEvent, SseParser, usage};
use crate::serving::http::{Body, BodyWriter, MAX_BODY_BYTES, set_header, typed};
use crate::serving::tokens::parse_token;

/// Serves one request.
pub(super) async fn serve(gateway: Arc<Gateway>, call: Call) -> Response<Body> {
    let is_stream = call.is_stream();
    let mut session = Session::new(gateway, call);
    let first = match session.next().await {
        Ok(piece) => piece,
        Err(failure) => return failure.response(),
    };
    let served_by = session.served_by.clone();
    let mut response = if is_stream {
        let mut response = Response::new(Body::spawned(|writer| session.write(first, writer)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    } else {
        match session.whole(first).await {
            Ok(document) => typed(StatusCode::OK, "application/json", document),
            Err(failure) => failure.response(),
        }
    };
    set_header(&mut response, "x-served-by", &served_by);
    response
}

/// A part of the answer, as events for the client.
enum Piece {
    Token(Bytes),
    End(Bytes),
}

/// Why the answer is given up.
struct Failure {
    end: Option<AttemptEnd>,
    /// What a replica said of it.
    refusal: Option<(StatusCode, Bytes)>,
}

impl Failure {
    fn response(self) -> Response<Body> {
        match self.refusal {
            Some((status, body)) => typed(status, "application/json", body),
            None => given_up(self.end).response(),
        }
    }
}

/// What all chunks of an answer have in common, whoever made them.
struct Head {
    id: Value,
    created: Value,
    model: Value,
    /// The attempt whose chunks need no rewriting.
    attempt: u32,
}

/// An attempt whose stream is being read.
struct Live {
    attempt: Try,
    parser: SseParser,
    index: u32,
    /// Tokens the client had when it began.
    before: u32,
}

/// One answer, over as many attempts as it takes.
struct Session {
    gateway: Arc<Gateway>,
    call: Call,
    live: Option<Live>,
    attempts: u32,
    /// Failures since the last token.
    failures: u32,
    avoid: Option<String>,
    /// The replica of the first token, and that of the present attempt.
    served_by: String,
    serving: String,
    head: Option<Head>,
    /// Events held back until there is a first token.
    held: BytesMut,
    text: String,
    tokens: u32,
    most: u32,
    /// Position of the first token, where positions can be read.
    first: Option<u32>,
    /// The client's request itself continues an answer.
    continues: bool,
    finish: Option<String>,
    finish_sent: bool,
    usage: Option<Value>,
    include_usage: bool,
}

impl Session {
    fn new(gateway: Arc<Gateway>, call: Call) -> Self {
        let flag = |name: &str| {
            call.body
                .get(name)
                .and_then(Value::as_bool)
                .unwrap_or(false)
        };
        let last = call
            .body
            .get("messages")
            .and_then(Value::as_array)
            .and_then(|all| all.last());
        let prefix = last
            .and_then(|last| last.get("prefix"))
            .and_then(Value::as_bool);
        let continues = flag("continue_final_message") || prefix == Some(true);
        let number = |name: &str| call.body.get(name).and_then(Value::as_u64);
        // A length left open is settled here: what is left of it must be known
        // when the answer goes on elsewhere.
        let most = number("max_completion_tokens").or(number("max_tokens"));
        let most = most.map_or(call.kind.default_tokens(), |most| {
            u32::try_from(most).unwrap_or(u32::MAX)
        });
        let options = call.body.get("stream_options");
        let include_usage = options
            .and_then(|o| o.get("include_usage"))
            .and_then(Value::as_bool);
        Self {
            // A chat answer that is not continued starts at 0.
            first: (call.kind == crate::serving::api::ApiKind::Chat && !continues).then_some(0),
            include_usage: include_usage.unwrap_or(false),
            gateway,
            call,
            live: None,
            attempts: 0,
            failures: 0,
            avoid: None,
            served_by: String::new(),
            serving: String::new(),
            head: None,
            held: BytesMut::new(),
            text: String::new(),
            tokens: 0,
            most,
            continues,
            finish: None,
            finish_sent: false,
            usage: None,
        }
    }

    /// Writes the stream from its first piece on.
    async fn write(mut self, first: Piece, writer: BodyWriter) {
        let deadline = self.call.deadline;
        let mut piece = first;
        loop {
            let (data, last) = match piece {
                Piece::Token(data) => (data, false),
                Piece::End(data) => (data, true),
            };
            if !writer.send_by(deadline, data).await {
                // The client reads nothing any more.
                return writer.abort();
            }
            if last {
                return;
            }
            piece = match self.next().await {
                Ok(piece) => piece,
                Err(failure) => {
                    // Loud on every level: an error, no [DONE], a broken body.
                    let end = failure.end.unwrap_or(AttemptEnd::Unreachable);
                    let soon = Instant::now() + PARTING;
                    writer.send_by(soon, error_frame(end)).await;
                    return writer.abort();
                }
            };
        }
    }

    /// Reads all of it and returns the document.
    async fn whole(&mut self, first: Piece) -> Result<String, Failure> {
        let mut piece = first;
        while let Piece::Token(_) = piece {
            piece = self.next().await?;
        }
        let (id, created, model) = match &self.head {
            Some(head) => (head.id.clone(), head.created.clone(), head.model.clone()),
            None => (Value::Null, Value::Null, Value::Null),
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let chunks = ChunkWriter::new(
            self.call.kind,
            &text(&id),
            created.as_u64().unwrap_or_default(),
            &text(&model),
            &self.served_by,
        );
        let reason = self.finish.as_deref().unwrap_or("length");
        Ok(chunks.whole(&self.text, reason, &self.usage()))
    }

    /// The next piece, from whichever replica can bring it.
    async fn next(&mut self) -> Result<Piece, Failure> {
        loop {
            let Some(mut live) = self.live.take() else {
                self.open().await?;
                continue;
            };
            match self.step(&mut live).await {
                Ok(None) => self.live = Some(live),
                Ok(Some(Piece::Token(data))) => {
                    self.failures = 0;
                    self.live = Some(live);
                    return Ok(Piece::Token(data));
                }
                Ok(Some(end)) => {
                    live.attempt.finish(AttemptEnd::Completed);
                    return Ok(end);
                }
                // All that was asked for is there: how the rest broke is nothing.
                Err(_) if self.is_whole() => {
                    live.attempt.finish(AttemptEnd::Completed);
                    return Ok(self.end());
                }
                Err(end) => self.failed(live.attempt, end, None)?,
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.finish.is_some() || self.tokens >= self.most
    }

    /// Ends an attempt; `Err` when there may be no other.
    fn failed(
        &mut self,
        attempt: Try,
        end: AttemptEnd,
        refusal: Option<(StatusCode, Bytes)>,
    ) -> Result<(), Failure> {
        self.avoid = Some(attempt.peer.at.name.clone());
        attempt.finish(end);
        self.failures += 1;
        let gateway = &self.gateway;
        let final_status = self.tokens == 0
            && refusal
                .as_ref()
                .is_some_and(|(status, _)| !retryable(*status));
        let more = end != AttemptEnd::Deadline
            && !final_status
            && self.failures < gateway.most_failures()
            && gateway.budget.take(Instant::now());
        if !more {
            count(&gateway.metrics.failed);
            return Err(Failure {
                end: Some(end),
                refusal,
            });
        }
        let counter = if self.tokens > 0 {
            &gateway.metrics.migrations
        } else {
            &gateway.metrics.retries
        };
        count(counter);
        Ok(())
    }

    /// Starts an attempt that goes on where the client's answer ends.
    async fn open(&mut self) -> Result<(), Failure> {
        let gateway = Arc::clone(&self.gateway);
        let chosen = gateway
            .choose(self.avoid.as_deref(), self.call.deadline)
            .await;
        let Some(peer) = chosen else {
            count(&gateway.metrics.failed);
            return Err(Failure {
                end: None,
                refusal: None,
            });
        };
        let index = self.attempts;
        self.attempts += 1;
        let from = self.first.unwrap_or(0).saturating_add(self.tokens);
        let mut attempt = Try::begin(&gateway, Arc::clone(&peer), &self.call.id, index, from);
        let (until, late) = self.first_token_bound(&attempt);
        let sent = async {
            let body = self.request_body().into();
            let request = request(self.call.kind.path(), body, &self.call.id, &self.call.class)
                .map_err(|_| AttemptEnd::HttpError)?;
            let head = attempt.open(request).await?;
            if head.status() == StatusCode::OK {
                return Ok(None);
            }
            let mut body = BytesMut::new();
            while let Some(data) = attempt.data().await? {
                body.extend_from_slice(&data);
                if body.len() > MAX_BODY_BYTES {
                    return Err(AttemptEnd::HttpError);
                }
            }
            Ok(Some((head.status(), body.freeze())))
        };
        let outcome = tokio::select! {
            biased;
            () = peer.health.evicted() => Err(AttemptEnd::Evicted),
            sent = by(until, sent) => sent.unwrap_or(Err(late)),
        };
        match outcome {
            Ok(None) => {
                self.held.clear();
                self.serving.clone_from(&peer.at.name);
                self.live = Some(Live {
                    attempt,
                    parser: SseParser::default(),
                    index,
                    before: self.tokens,
                });
                Ok(())
            }
            Ok(Some(refusal)) => self.failed(attempt, AttemptEnd::HttpError, Some(refusal)),
            Err(end) => self.failed(attempt, end, None),
        }
    }

    fn first_token_bound(&self, attempt: &Try) -> (Instant, AttemptEnd) {
        let until = attempt.started() + self.gateway.config.first_token_timeout.duration();
        self.bound(until)
    }

    fn bound(&self, until: Instant) -> (Instant, AttemptEnd) {
        if until < self.call.deadline {
            (until, AttemptEnd::IdleTimeout)
        } else {
            (self.call.deadline, AttemptEnd::Deadline)
        }
    }

    /// The client's request with what it already has put behind it.
    fn request_body(&self) -> String {
        let mut body: Map<String, Value> = self.call.body.clone();
        body.insert("stream".into(), true.into());
        body.insert("stream_options".into(), json!({"include_usage": true}));
        body.remove("max_completion_tokens");
        body.insert(
            "max_tokens".into(),
            self.most.saturating_sub(self.tokens).into(),
        );
        if self.tokens > 0 {
            self.append_text(&mut body);
        }
        Value::Object(body).to_string()
    }

    fn append_text(&self, body: &mut Map<String, Value>) {
        if let Some(prompt) = body.get_mut("prompt") {
            let slot = match prompt {
                Value::Array(prompts) if prompts.len() == 1 => &mut prompts[0],
                prompt => prompt,
            };
            if let Value::String(text) = slot {
                text.push_str(&self.text);
            }
            return;
        }
        let Some(Value::Array(messages)) = body.get_mut("messages") else {
            return;
        };
        match messages.last_mut().and_then(|last| last.get_mut("content")) {
            Some(Value::String(text)) if self.continues => text.push_str(&self.text),
            _ => messages.push(json!({"role": "assistant", "content": self.text})),
        }
        body.insert("continue_final_message".into(), true.into());
        body.insert("add_generation_prompt".into(), false.into());
    }

    /// Reads one event of an attempt.
    async fn step(&mut self, live: &mut Live) -> Result<Option<Piece>, AttemptEnd> {
        loop {
            match live.parser.next() {
                Ok(Some(event)) => return self.take(live, event),
                Ok(None) => {}
                Err(_) => return Err(AttemptEnd::ErrorFrame),
            }
            let (until, late) = if live.attempt.tokens == 0 {
                self.first_token_bound(&live.attempt)
            } else {
                let least = self.gateway.config.idle_timeout.duration();
                self.bound(live.attempt.last + self.gateway.gaps.idle_bound(least))
            };
            let peer = Arc::clone(&live.attempt.peer);
            let data = tokio::select! {
                biased;
                () = peer.health.evicted() => return Err(AttemptEnd::Evicted),
                data = by(until, live.attempt.data()) => data.unwrap_or(Err(late))?,
            };
            match data {
                Some(data) => live.parser.feed(&data),
                None if self.is_whole() => return Ok(Some(self.end())),
                None => return Err(AttemptEnd::Eof),
            }
        }
    }

    /// Takes one event: a piece, nothing, or the end of the attempt.
    fn take(&mut self, live: &mut Live, event: SseEvent) -> Result<Option<Piece>, AttemptEnd> {
        let said = Said::read(&event).ok_or(AttemptEnd::ErrorFrame)?;
        if said.error {
            return Err(AttemptEnd::ErrorFrame);
        }
        if said.done {
            if self.is_whole() {
                return Ok(Some(self.end()));
            }
            return Err(AttemptEnd::Eof);
        }
        if let Some(usage) = said.usage.as_ref().filter(|usage| usage.is_object()) {
            self.note_usage(usage, live.before);
        }
        let content = match &said.content {
            Some(content) => self.fresh(content)?,
            None => None,
        };
        if content.is_some() || said.content.is_some() {
            live.attempt.token();
        }
        // An end that comes too early is none: the rest is asked for elsewhere.
        let short = said.finish.as_deref() == Some("length") && self.tokens < self.most;
        if said.finish.is_some() && !short {
            self.finish = said.finish.clone();
        }
        match content {
            Some(text) => Ok(Some(self.token_piece(live, &event, &said, &text, short))),
            None if short => Err(AttemptEnd::Eof),
            None => {
                self.other(live, &event, &said);
                Ok(None)
            }
        }
    }

    /// The part of `content` that the client does not have yet. A gap is an
    /// error of the replica.
    fn fresh(&mut self, content: &str) -> Result<Option<String>, AttemptEnd> {
        let positions: Option<Vec<u32>> = content
            .split_whitespace()
            .map(|word| parse_token(word).map(|(n, _)| n))
            .collect();
        let Some(positions) = positions.filter(|positions| !positions.is_empty()) else {
            // No tokens of ours: nothing can be told from the text.
            self.tokens = self.tokens.saturating_add(1);
            self.text.push_str(content);
            return Ok(Some(content.to_string()));
        };
        let first = *self.first.get_or_insert(positions[0]);
        let mut fresh = String::new();
        for (word, n) in content.split_inclusive(' ').zip(positions) {
            let expected = first.saturating_add(self.tokens);
            if n > expected {
                return Err(AttemptEnd::ErrorFrame);
            }
            if n == expected && self.tokens < self.most {
                self.tokens += 1;
                fresh.push_str(word);
            }
        }
        self.text.push_str(&fresh);
        Ok((!fresh.is_empty()).then_some(fresh))
    }

    fn token_piece(
        &mut self,
        live: &Live,
        event: &SseEvent,
        said: &Said,
        text: &str,
        short: bool,
    ) -> Piece {
        let value = || serde_json::from_slice::<Value>(&event.data).unwrap_or_default();
        if self.head.is_none() {
            let value = value();
            self.head = Some(Head {
                id: value["id"].clone(),
                created: value["created"].clone(),
                model: value["model"].clone(),
                attempt: live.index,
            });
            self.served_by.clone_from(&live.attempt.peer.at.name);
        }
        if said.finish.is_some() && !short {
            self.finish_sent = true;
        }
        let own = self
            .head
            .as_ref()
            .is_some_and(|head| head.attempt == live.index);
        let same = said.content.as_deref() == Some(text) && !short;
        let mut data = std::mem::take(&mut self.held);
        if own && same {
            if data.is_empty() {
                return Piece::Token(event.raw.clone());
            }
            data.extend_from_slice(&event.raw);
            return Piece::Token(data.freeze());
        }
        let rewritten = self.rewrite(value(), text, short);
        data.extend_from_slice(rewritten.as_bytes());
        Piece::Token(data.freeze())
    }

    /// A chunk of a later attempt, as a chunk of this answer.
    fn rewrite(&self, mut value: Value, text: &str, short: bool) -> String {
        if let Some(head) = &self.head {
            value["id"] = head.id.clone();
            value["created"] = head.created.clone();
            value["model"] = head.model.clone();
        }
        if let Some(choice) = value
            .get_mut("choices")
            .and_then(|choices| choices.get_mut(0))
        {
            if let Some(delta) = choice.get_mut("delta").and_then(Value::as_object_mut) {
                delta.shift_remove("role");
                delta.insert("content".into(), text.into());
            } else {
                choice["text"] = text.into();
            }
            if short {
                choice["finish_reason"] = Value::Null;
            }
        }
        format!("data: {value}\n\n")
    }

    /// An event without text: held back until the next token, dropped when it
    /// belongs to a resumed attempt or ends the answer.
    fn other(&mut self, live: &Live, event: &SseEvent, said: &Said) {
        let ending = said.finish.is_some() || said.usage.is_some();
        let repeated = said.content.is_some();
        let own = self
            .head
            .as_ref()
            .is_none_or(|head| head.attempt == live.index);
        if own && !ending && !repeated && self.held.len() + event.raw.len() <= MAX_BODY_BYTES {
            self.held.extend_from_slice(&event.raw);
        }
    }

    /// Counts of an attempt that had `before` tokens in its prompt.
    fn note_usage(&mut self, counts: &Value, before: u32) {
        let prompt = counts["prompt_tokens"].as_u64().unwrap_or_default();
        let prompt = prompt.saturating_sub(before.into());
        let mut counts = counts.clone();
        let prompt = u32::try_from(prompt).unwrap_or(u32::MAX);
        if let (Some(all), Value::Object(ours)) =
            (counts.as_object_mut(), usage(prompt, self.tokens))
        {
            all.extend(ours);
        }
        self.usage = Some(counts);
    }

    fn usage(&self) -> Value {
        if let Some(counts) = &self.usage {
            return counts.clone();
        }
        // The attempt that would have said it broke after the last token.
        let prompt =
            Generation::parse(self.call.kind, &self.call.raw).map_or(0, |g| g.prompt_tokens);
        usage(prompt, self.tokens)
    }

    /// The last events of the answer.
    fn end(&mut self) -> Piece {
        let reason = self.finish.get_or_insert_with(|| "length".into()).clone();
        let mut out = String::new();
        if let Some(head) = &self.head {
            let chunks = ChunkWriter::new(
                self.call.kind,
                head.id.as_str().unwrap_or_default(),
                head.created.as_u64().unwrap_or_default(),
                head.model.as_str().unwrap_or_default(),
                &self.serving,
            );
            if !self.finish_sent {
                chunks.finish(&mut out, &reason);
            }
            if self.include_usage {
                chunks.usage(&mut out, &self.usage());
            }
        }
        ChunkWriter::done(&mut out);
        let mut data = std::mem::take(&mut self.held);
        data.extend_from_slice(out.as_bytes());
        Piece::End(data.freeze())
    }
}
