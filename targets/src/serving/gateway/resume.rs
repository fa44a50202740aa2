//! Mode `full`: an answer goes on at another replica, at the next token.

mod ask;
mod events;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use super::attempt::{Try, request};
use super::metrics::count;
use super::patience::by;
use super::relay::{PARTING, error_frame, given_up, retryable};
use super::service::{Call, Gateway};
use crate::service::AttemptEnd;
use crate::serving::api::{ApiKind, ChunkReader, ChunkWriter, SseParser};
use crate::serving::http::{Body, BodyWriter, MAX_BODY_BYTES, set_header, typed};

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
    chunks: ChunkReader,
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
            first: (call.kind == ApiKind::Chat && !continues).then_some(0),
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
                    chunks: ChunkReader::default(),
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
}
