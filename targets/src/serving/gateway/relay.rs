//! The modes below `full`: bytes go through as they come. Before the first
//! token there may be another replica; after it there is none.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::attempt::{Try, connect, request};
use super::metrics::count;
use super::patience::by;
use super::service::{Call, Gateway};
use crate::service::AttemptEnd;
use crate::serving::api::{ChunkReader, SseParser};
use crate::serving::config::GatewayMode;
use crate::serving::http::{ApiError, Body, BodyWriter, MAX_BODY_BYTES, json, set_header};

/// Longest wait for a client to take the last error.
pub(super) const PARTING: Duration = Duration::from_secs(1);

/// What a client is told when no replica could serve it.
pub(super) fn given_up(end: Option<AttemptEnd>) -> ApiError {
    match end {
        None => ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "no replica is healthy"),
        Some(AttemptEnd::Deadline) => ApiError {
            status: StatusCode::GATEWAY_TIMEOUT,
            message: "the request's deadline passed".into(),
            retry_after_s: None,
        },
        Some(end) => ApiError::retry(
            StatusCode::BAD_GATEWAY,
            format!("no replica answered: {end:?}"),
        ),
    }
}

/// May another replica make good what this HTTP status says?
pub(super) fn retryable(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// The replicas' models, from any healthy one.
pub(super) async fn models(gateway: &Arc<Gateway>) -> Response<Body> {
    let deadline = Instant::now() + gateway.config.first_token_timeout.duration();
    let asked = async {
        let peer = gateway.choose(None, deadline).await?;
        let mut link = connect(gateway, &peer).await.ok()?;
        let request = hyper::Request::get("/v1/models")
            .header(hyper::header::HOST, "replica")
            .body(http_body_util::Full::default())
            .ok()?;
        let response = link.sender.send_request(request).await.ok()?;
        let body = http_body_util::Limited::new(response.into_body(), MAX_BODY_BYTES);
        let body = http_body_util::BodyExt::collect(body).await.ok()?;
        Some(body.to_bytes())
    };
    match timeout_at(deadline, asked).await {
        Ok(Some(document)) => json(StatusCode::OK, document),
        _ => given_up(None).response(),
    }
}

/// Serves one request.
pub(super) async fn serve(gateway: Arc<Gateway>, call: Call) -> Response<Body> {
    let retries = gateway.config.mode != GatewayMode::None;
    let mut avoid: Option<String> = None;
    let mut index = 0;
    let mut last = None;
    loop {
        let Some(peer) = gateway.choose(avoid.as_deref(), call.deadline).await else {
            count(&gateway.metrics.failed);
            return given_up(last).response();
        };
        let name = peer.at.name.clone();
        let mut attempt = Try::begin(&gateway, peer, &call.id, index, 0);
        let outcome = begin(&gateway, &call, &mut attempt).await;
        let more = retries && index + 1 < gateway.most_failures();
        let end = match outcome {
            Ok(Begun::Answer(head, first)) => {
                return answer(gateway, call, attempt, head, first);
            }
            Ok(Begun::Refused(response, status)) => {
                attempt.finish(AttemptEnd::HttpError);
                if !(more && retryable(status) && gateway.budget.take(Instant::now())) {
                    return response;
                }
                AttemptEnd::HttpError
            }
            Err(end) => {
                attempt.finish(end);
                if end == AttemptEnd::Deadline || !(more && gateway.budget.take(Instant::now())) {
                    count(&gateway.metrics.failed);
                    return given_up(Some(end)).response();
                }
                end
            }
        };
        count(&gateway.metrics.retries);
        last = Some(end);
        avoid = Some(name);
        index += 1;
    }
}

/// What a replica's answer begins with.
enum Begun {
    /// 200: the head, and what was read of the body so far.
    Answer(Response<()>, Opening),
    /// Another status, with its body.
    Refused(Response<Body>, StatusCode),
}

/// The beginning of a body, read to see that there is a first token.
#[derive(Default)]
struct Opening {
    data: BytesMut,
    parser: SseParser,
    chunks: ChunkReader,
    seen: Seen,
}

/// What a relayed stream has shown.
#[derive(Default)]
struct Seen {
    error: bool,
    finished: bool,
}

async fn begin(gateway: &Gateway, call: &Call, attempt: &mut Try) -> Result<Begun, AttemptEnd> {
    let patient = gateway.config.mode == GatewayMode::None;
    let limit = attempt.started() + gateway.config.first_token_timeout.duration();
    // A whole answer takes as long as its tokens: only a stream has a first one.
    let (until, late) = if patient || !call.is_stream() || limit >= call.deadline {
        (call.deadline, AttemptEnd::Deadline)
    } else {
        (limit, AttemptEnd::IdleTimeout)
    };
    let opened = async {
        let request = request(call.kind.path(), call.raw.clone(), &call.id, &call.class)
            .map_err(|_| AttemptEnd::HttpError)?;
        let head = attempt.open(request).await?;
        if head.status() != StatusCode::OK {
            return refused(attempt, head).await;
        }
        let mut opening = Opening::default();
        if !patient {
            read_opening(call, attempt, &mut opening).await?;
        }
        Ok(Begun::Answer(head, opening))
    };
    by(until, opened).await.unwrap_or(Err(late))
}

/// Reads up to the first token of a stream, or all of a whole answer.
async fn read_opening(
    call: &Call,
    attempt: &mut Try,
    opening: &mut Opening,
) -> Result<(), AttemptEnd> {
    while attempt.tokens == 0 {
        let Some(data) = attempt.data().await? else {
            if call.is_stream() {
                return Err(AttemptEnd::Eof);
            }
            return Ok(());
        };
        if opening.data.len() + data.len() > MAX_BODY_BYTES {
            return Err(AttemptEnd::ErrorFrame);
        }
        opening.data.extend_from_slice(&data);
        if call.is_stream() {
            opening.watch(attempt, &data);
            if attempt.tokens == 0 && opening.seen.error {
                return Err(AttemptEnd::ErrorFrame);
            }
        }
    }
    Ok(())
}

impl Opening {
    /// Counts what goes through.
    fn watch(&mut self, attempt: &mut Try, data: &[u8]) {
        self.parser.feed(data);
        while let Ok(Some(event)) = self.parser.next() {
            let Some(said) = self.chunks.read(&event) else {
                self.seen.error = true;
                continue;
            };
            if said.content.is_some() {
                attempt.token();
            }
            self.seen.error |= said.error;
            self.seen.finished |= said.finish.is_some();
        }
    }
}

async fn refused(attempt: &mut Try, head: Response<()>) -> Result<Begun, AttemptEnd> {
    let mut body = BytesMut::new();
    while let Some(data) = attempt.data().await? {
        if body.len() + data.len() > MAX_BODY_BYTES {
            return Err(AttemptEnd::HttpError);
        }
        body.extend_from_slice(&data);
    }
    let status = head.status();
    let mut response = json(status, body.freeze());
    for name in [CONTENT_TYPE, RETRY_AFTER] {
        if let Some(value) = head.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(Begun::Refused(response, status))
}

fn answer(
    gateway: Arc<Gateway>,
    call: Call,
    attempt: Try,
    head: Response<()>,
    opening: Opening,
) -> Response<Body> {
    let name = attempt.peer.at.name.clone();
    let patient = gateway.config.mode == GatewayMode::None;
    let mut response = if call.is_stream() || patient {
        Response::new(Body::spawned(|writer| {
            pass(gateway, call, attempt, opening, writer)
        }))
    } else {
        attempt.finish(AttemptEnd::Completed);
        Response::new(Body::whole(opening.data))
    };
    let kind = head.headers().get(CONTENT_TYPE).cloned();
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(CONTENT_TYPE, kind);
    set_header(&mut response, "x-served-by", &name);
    response
}

/// Passes the rest through.
async fn pass(
    gateway: Arc<Gateway>,
    call: Call,
    mut attempt: Try,
    mut opening: Opening,
    writer: BodyWriter,
) {
    let data = std::mem::take(&mut opening.data);
    if !data.is_empty() {
        writer.send_by(call.deadline, data.freeze()).await;
    }
    let bounded = gateway.config.mode == GatewayMode::IdleTimeout;
    let mut heard = Instant::now();
    let end = loop {
        let silence = heard
            + gateway
                .gaps
                .idle_bound(gateway.config.idle_timeout.duration());
        let (until, late) = if bounded && silence < call.deadline {
            (silence, AttemptEnd::IdleTimeout)
        } else {
            (call.deadline, AttemptEnd::Deadline)
        };
        match by(until, attempt.data()).await.unwrap_or(Err(late)) {
            Ok(Some(data)) => {
                heard = Instant::now();
                if call.is_stream() {
                    opening.watch(&mut attempt, &data);
                }
                if !writer.send_by(call.deadline, data).await {
                    writer.abort();
                    break AttemptEnd::Deadline;
                }
            }
            Ok(None) if opening.seen.error => break AttemptEnd::ErrorFrame,
            Ok(None) if opening.seen.finished || !call.is_stream() => break AttemptEnd::Completed,
            Ok(None) => break AttemptEnd::Eof,
            Err(end) => {
                if matches!(end, AttemptEnd::IdleTimeout | AttemptEnd::Deadline) && call.is_stream()
                {
                    let soon = Instant::now() + PARTING;
                    writer.send_by(soon, error_frame(end)).await;
                }
                writer.abort();
                break end;
            }
        }
    };
    attempt.finish(end);
}

/// The last event of a stream that was given up.
pub(super) fn error_frame(end: AttemptEnd) -> Bytes {
    let error = ApiError {
        status: StatusCode::BAD_GATEWAY,
        message: format!("the stream was torn: {end:?}"),
        retry_after_s: None,
    };
    format!("data: {}\n\n", error.document()).into()
}
