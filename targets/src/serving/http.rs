//! HTTP/1.1 over [`Net`](crate::net::Net): the serve loop, and bodies that a
//! future writes while the connection is polled.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::mpsc::{
    self,
    error::{TryRecvError, TrySendError},
};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use crate::net::Listener;
use crate::service::{spawn, spawn_in};

/// Largest request body that is read.
pub(crate) const MAX_BODY_BYTES: usize = 4 << 20;
/// Most connections served at once; further ones wait in the kernel's backlog.
const MAX_CONNECTIONS: usize = 8192;
/// Longest wait for a request's body.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// Header bytes before a request is refused.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Answers requests.
#[async_trait]
pub(crate) trait Handler: Send + Sync + 'static {
    /// One request, one response.
    async fn handle(&self, request: Request<Incoming>) -> Response<Body>;
}

/// Accepts and serves for as long as it is polled; dropping it drops every
/// connection, as a crash would.
pub(crate) async fn serve(
    mut listener: Box<dyn Listener>,
    handler: Arc<dyn Handler>,
) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        let room = connections.len() < MAX_CONNECTIONS;
        tokio::select! {
            biased;
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if room => match accepted {
                Ok(conn) => {
                    spawn_in(&mut connections, connection(conn.io, Arc::clone(&handler)));
                }
                Err(error) => {
                    // Out of descriptors, or a peer that left early: both pass.
                    tracing::debug!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
        }
    }
}

async fn connection(io: Box<dyn crate::net::Io>, handler: Arc<dyn Handler>) {
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(handler.handle(request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .max_buf_size(MAX_HEAD_BYTES)
        // The date header would read the wall clock.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(io), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}

/// Reads a whole body.
pub(crate) async fn read_body(body: Incoming) -> Result<Bytes, ApiError> {
    let read = Limited::new(body, MAX_BODY_BYTES).collect();
    let Ok(read) = tokio::time::timeout(BODY_PATIENCE, read).await else {
        return Err(ApiError {
            status: StatusCode::REQUEST_TIMEOUT,
            message: "the body did not come in time".into(),
            retry_after_s: None,
        });
    };
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(ApiError {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            message: format!("the body is larger than {MAX_BODY_BYTES} bytes"),
            retry_after_s: None,
        }),
        Err(error) => Err(ApiError::bad_request(format!(
            "the body cannot be read: {error}"
        ))),
    }
}

/// An error as OpenAI's API words it.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    pub(crate) retry_after_s: Option<u32>,
}

impl ApiError {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            retry_after_s: None,
        }
    }

    /// A refusal that a client may try again after a second.
    pub(crate) fn retry(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            retry_after_s: Some(1),
        }
    }

    fn kind(&self) -> &'static str {
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_client_error() => "invalid_request_error",
            StatusCode::SERVICE_UNAVAILABLE => "overloaded_error",
            _ => "server_error",
        }
    }

    /// The JSON document of the error.
    pub(crate) fn document(&self) -> String {
        serde_json::json!({"error": {
            "message": self.message,
            "type": self.kind(),
            "param": null,
            "code": self.status.as_u16(),
        }})
        .to_string()
    }

    pub(crate) fn response(&self) -> Response<Body> {
        let mut response = json(self.status, self.document());
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A JSON response.
pub(crate) fn json(status: StatusCode, document: impl Into<Bytes>) -> Response<Body> {
    typed(status, "application/json", document)
}

/// A whole response of a type.
pub(crate) fn typed(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Sets a header where the value can be one.
pub(crate) fn set_header(response: &mut Response<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The writing end of a streamed body. Dropping it ends the body as HTTP says,
/// unless it was broken off before.
pub(crate) struct BodyWriter {
    parts: mpsc::Sender<Bytes>,
    broken: Arc<AtomicBool>,
}

impl BodyWriter {
    /// Waits for room; a client that is gone drops the writer's future instead.
    pub(crate) async fn send(&self, data: impl Into<Bytes>) {
        let _ = self.parts.send(data.into()).await;
    }

    /// Waits for room until `deadline`; says whether there was some.
    pub(crate) async fn send_by(&self, deadline: Instant, data: impl Into<Bytes>) -> bool {
        match self.parts.try_send(data.into()) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(data)) => matches!(
                timeout_at(deadline, self.parts.send(data)).await,
                Ok(Ok(()))
            ),
        }
    }

    /// Breaks the connection off after what was sent: no terminating chunk.
    pub(crate) fn abort(self) {
        self.broken.store(true, Ordering::Release);
    }
}

type Writing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A response body: whole, or written by a future that dies with the
/// connection, and all it holds with it.
pub(crate) struct Body {
    whole: Option<Bytes>,
    writing: Option<Writing>,
    /// What writes is polled here and nowhere else.
    own: bool,
    parts: Option<mpsc::Receiver<Bytes>>,
    broken: Arc<AtomicBool>,
    flushed: bool,
}

impl Body {
    pub(crate) fn whole(data: impl Into<Bytes>) -> Self {
        Self {
            whole: Some(data.into()),
            writing: None,
            own: false,
            parts: None,
            broken: Arc::default(),
            flushed: false,
        }
    }

    /// A body that `write` fills, polled by the connection's own task: it
    /// stands still while the client does not read.
    pub(crate) fn streamed<F, W>(write: W) -> Self
    where
        W: FnOnce(BodyWriter) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, parts) = mpsc::channel(16);
        let broken = Arc::<AtomicBool>::default();
        let writer = BodyWriter {
            parts: sender,
            broken: Arc::clone(&broken),
        };
        Self {
            whole: None,
            writing: Some(Box::pin(write(writer))),
            own: true,
            parts: Some(parts),
            broken,
            flushed: false,
        }
    }

    /// A body that `write` fills in a task of its own: its deadlines pass even
    /// while the client does not read.
    pub(crate) fn spawned<F, W>(write: W) -> Self
    where
        W: FnOnce(BodyWriter) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut body = Self::streamed(|writer| {
            let broken = Arc::clone(&writer.broken);
            let task = AbortOnDropHandle::new(spawn(write(writer)));
            async move {
                if task.await.is_err() {
                    broken.store(true, Ordering::Release);
                }
            }
        });
        body.own = false;
        body
    }
}

/// The body was broken off on purpose.
#[derive(Debug, thiserror::Error)]
#[error("stream broken off")]
pub(crate) struct Aborted;

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        if let Some(whole) = self.whole.take() {
            return Poll::Ready((!whole.is_empty()).then(|| Ok(Frame::data(whole))));
        }
        if let Some(writing) = &mut self.writing
            && writing.as_mut().poll(cx).is_ready()
        {
            self.writing = None;
        }
        let own = self.own && self.writing.is_some();
        let Some(parts) = &mut self.parts else {
            return Poll::Ready(None);
        };
        let part = match parts.try_recv() {
            Ok(part) => Poll::Ready(Some(part)),
            // What comes next comes from a poll of the writer, which wakes this
            // task for it; a waker in the channel would wake it once more.
            Err(TryRecvError::Empty) if own => Poll::Pending,
            Err(_) => parts.poll_recv(cx),
        };
        match part {
            Poll::Ready(Some(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            // The writer is gone, but how it ended is not known yet.
            Poll::Ready(None) if self.writing.is_some() => Poll::Pending,
            Poll::Ready(None) if !self.broken.load(Ordering::Acquire) => {
                self.parts = None;
                Poll::Ready(None)
            }
            Poll::Ready(None) if !self.flushed => {
                // The connection flushes when its body has nothing: what was
                // written before goes out, then the next poll breaks it off.
                self.flushed = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(None) => Poll::Ready(Some(Err(Aborted))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.whole.as_ref().is_some_and(Bytes::is_empty)
            || (self.whole.is_none() && self.parts.is_none())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.whole {
            Some(whole) => SizeHint::with_exact(whole.len() as u64),
            None => SizeHint::default(),
        }
    }
}
