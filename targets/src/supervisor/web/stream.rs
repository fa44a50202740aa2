//! Server-sent events: a bounded number of streams, none of which waits for a
//! client that does not read.

use std::fmt::Write;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::serving::http::{Body, BodyWriter};

/// The places for streams.
#[derive(Clone)]
pub(in crate::supervisor) struct Seats(Arc<Semaphore>);

impl Seats {
    pub(in crate::supervisor) fn new(streams: usize) -> Self {
        Self(Arc::new(Semaphore::new(streams)))
    }

    /// A place, where one is free.
    pub(in crate::supervisor) fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}

/// The writing end of a stream.
pub(in crate::supervisor) struct EventStream {
    writer: BodyWriter,
    patience: Duration,
    _seat: OwnedSemaphorePermit,
}

impl EventStream {
    /// A response whose events `write` sends until it returns.
    pub(in crate::supervisor) fn response<F, W>(
        seat: OwnedSemaphorePermit,
        patience: Duration,
        write: W,
    ) -> Response<Body>
    where
        W: FnOnce(EventStream) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let body = Body::spawned(|writer| {
            write(EventStream {
                writer,
                patience,
                _seat: seat,
            })
        });
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    /// One event; false once the client is gone or too slow.
    pub(in crate::supervisor) async fn event(
        &self,
        kind: Option<&str>,
        id: u64,
        data: &str,
    ) -> bool {
        let mut text = kind.map_or_else(String::new, |kind| format!("event: {kind}\n"));
        let _ = write!(text, "id: {id}\ndata: {data}\n\n");
        self.send(text).await
    }

    /// A sign of life that is no event.
    pub(in crate::supervisor) async fn comment(&self, text: &str) -> bool {
        self.send(format!(": {text}\n\n")).await
    }

    async fn send(&self, text: impl Into<Bytes>) -> bool {
        let deadline = Instant::now() + self.patience;
        self.writer.send_by(deadline, text).await
    }
}
