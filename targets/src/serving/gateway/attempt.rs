//! One attempt at one replica: a connection of its own, counted and logged.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::balance::Peer;
use super::health::{note, sign_of};
use super::metrics::count;
use super::patience::by;
use super::service::Gateway;
use crate::service::{Attempt, AttemptEnd, FromService, spawn};

/// A connection to a replica; dropping it closes it.
pub(super) struct Link {
    pub(super) sender: SendRequest<Full<Bytes>>,
    _task: AbortOnDropHandle<()>,
}

/// Connects within the connect timeout.
pub(super) async fn connect(gateway: &Gateway, peer: &Peer) -> Result<Link, AttemptEnd> {
    let limit = gateway.config.connect_timeout.duration();
    let connecting = gateway
        .net
        .connect(&peer.at.host, peer.at.port, gateway.upstream);
    let conn = match by(Instant::now() + limit, connecting).await {
        None => return Err(AttemptEnd::ConnectTimeout),
        Some(Err(error)) => return Err(connect_error(&error)),
        Some(Ok(conn)) => conn,
    };
    let (sender, connection) = http1::handshake(TokioIo::new(conn.io))
        .await
        .map_err(|error| hyper_end(&error))?;
    let task = spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection to a replica");
        }
    });
    Ok(Link {
        sender,
        _task: AbortOnDropHandle::new(task),
    })
}

/// A generation request to a replica.
pub(super) fn request(
    path: &str,
    body: Bytes,
    id: &str,
    class: &str,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    Request::post(path)
        .header(HOST, "replica")
        .header(CONTENT_TYPE, "application/json")
        .header("x-request-id", id)
        .header("x-ridethrough-class", class)
        .body(Full::new(body))
}

fn connect_error(error: &io::Error) -> AttemptEnd {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => AttemptEnd::Refused,
        io::ErrorKind::ConnectionReset => AttemptEnd::Reset,
        io::ErrorKind::TimedOut => AttemptEnd::ConnectTimeout,
        _ => AttemptEnd::Unreachable,
    }
}

/// What became of an open connection.
fn stream_error(error: &io::Error) -> AttemptEnd {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted => AttemptEnd::Reset,
        io::ErrorKind::TimedOut => AttemptEnd::TcpTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            AttemptEnd::Unreachable
        }
        _ => AttemptEnd::Eof,
    }
}

fn hyper_end(error: &hyper::Error) -> AttemptEnd {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(at) = source {
        if let Some(error) = at.downcast_ref::<io::Error>() {
            return stream_error(error);
        }
        source = at.source();
    }
    AttemptEnd::Eof
}

/// An attempt under way. Dropping it unsaid means that the client went away.
pub(super) struct Try {
    gateway: Arc<Gateway>,
    pub(super) peer: Arc<Peer>,
    request: String,
    index: u32,
    from_token: u32,
    start: Instant,
    /// Tokens it brought so far.
    pub(super) tokens: u32,
    /// When the last one came, or when the attempt began.
    pub(super) last: Instant,
    end: Option<AttemptEnd>,
    link: Option<Link>,
    body: Option<Incoming>,
}

impl Try {
    /// Counts an attempt as begun.
    pub(super) fn begin(
        gateway: &Arc<Gateway>,
        peer: Arc<Peer>,
        request: &str,
        index: u32,
        from_token: u32,
    ) -> Self {
        peer.in_flight.fetch_add(1, Ordering::Relaxed);
        count(&gateway.metrics.attempts);
        let now = Instant::now();
        Self {
            gateway: Arc::clone(gateway),
            peer,
            request: request.to_string(),
            index,
            from_token,
            start: now,
            tokens: 0,
            last: now,
            end: None,
            link: None,
            body: None,
        }
    }

    pub(super) fn started(&self) -> Instant {
        self.start
    }

    /// Connects, sends, and waits for the response's head.
    pub(super) async fn open(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<()>, AttemptEnd> {
        let mut link = connect(&self.gateway, &self.peer).await?;
        let response = link
            .sender
            .send_request(request)
            .await
            .map_err(|error| hyper_end(&error))?;
        self.link = Some(link);
        let (head, body) = response.into_parts();
        self.body = Some(body);
        Ok(Response::from_parts(head, ()))
    }

    /// The next bytes of the body; `None` at its proper end.
    pub(super) async fn data(&mut self) -> Result<Option<Bytes>, AttemptEnd> {
        let Some(body) = &mut self.body else {
            return Ok(None);
        };
        loop {
            match body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(hyper_end(&error)),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// Notes a token; the gap to the one before goes to the pace.
    pub(super) fn token(&mut self) {
        let now = Instant::now();
        if self.tokens > 0 {
            self.gateway
                .gaps
                .observe(now.saturating_duration_since(self.last));
        }
        self.last = now;
        self.tokens += 1;
    }

    /// Ends it.
    pub(super) fn finish(mut self, end: AttemptEnd) {
        self.end = Some(end);
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        self.peer.in_flight.fetch_sub(1, Ordering::Relaxed);
        let end = self.end.unwrap_or(AttemptEnd::ClientGone);
        let clock = self.gateway.clock;
        let _ = self.gateway.voice.send(FromService::Attempt(Attempt {
            request: std::mem::take(&mut self.request),
            index: self.index,
            replica: self.peer.at.name.clone(),
            start_us: clock.at(self.start),
            end_us: clock.now_us(),
            from_token: self.from_token,
            tokens: self.tokens,
            end,
        }));
        if let Some(sign) = sign_of(end) {
            note(
                &self.gateway,
                &self.peer,
                sign,
                &format!("requests broke: {end:?}"),
            );
        }
    }
}
