//! The accept loop, and what one connection may cost.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::patient::Patient;
use crate::net::{Io, Listener};
use crate::service::spawn_in;
use crate::serving::http::Handler;
use crate::units::Span;

/// The smallest head that hyper can be told to stop at.
const MIN_HEAD_BYTES: usize = 8 << 10;

/// What an HTTP server bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebLimits {
    /// Connections at one time; further ones wait in the backlog.
    pub connections: usize,
    /// Bytes of a request's head; a longer one is answered 431.
    pub head_bytes: usize,
    /// Bytes of a request's body; a longer one is answered 413.
    pub body_bytes: usize,
    /// Longest wait for a request's head, TLS included.
    pub head_patience: Span,
    /// Longest wait for a request's body.
    pub body_patience: Span,
    /// A client that reads nothing of an answer for this long is dropped.
    pub write_patience: Span,
    /// Event streams at one time; further ones are answered 503.
    pub streams: usize,
    /// A client that does not take an event for this long is dropped.
    pub stream_patience: Span,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            connections: 4096,
            head_bytes: 16 << 10,
            body_bytes: 256 << 10,
            head_patience: Span::from_secs(30),
            body_patience: Span::from_secs(10),
            write_patience: Span::from_secs(30),
            streams: 64,
            stream_patience: Span::from_secs(5),
        }
    }
}

/// Serves for as long as it is polled; dropping it drops every connection.
pub(in crate::supervisor) async fn serve(
    mut listener: Box<dyn Listener>,
    limits: WebLimits,
    tls: Option<TlsAcceptor>,
    handler: Arc<dyn Handler>,
) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        let room = connections.len() < limits.connections.max(1);
        tokio::select! {
            biased;
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if room => match accepted {
                Ok(conn) => {
                    let (tls, handler) = (tls.clone(), Arc::clone(&handler));
                    let served = connection(conn.io, limits.clone(), tls, handler);
                    spawn_in(&mut connections, served);
                }
                Err(error) => {
                    // Out of descriptors, or a peer that left early: both pass.
                    tracing::debug!(%error, "accept");
                    sleep(Duration::from_millis(10)).await;
                }
            },
        }
    }
}

async fn connection(
    io: Box<dyn Io>,
    limits: WebLimits,
    tls: Option<TlsAcceptor>,
    handler: Arc<dyn Handler>,
) {
    let io: Box<dyn Io> = Box::new(Patient::new(io, limits.write_patience.duration()));
    let Some(tls) = tls else {
        return speak(io, &limits, handler).await;
    };
    match timeout(limits.head_patience.duration(), tls.accept(io)).await {
        Ok(Ok(io)) => speak(io, &limits, handler).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS"),
        Err(_) => tracing::debug!("no TLS in time"),
    }
}

async fn speak(io: impl Io + 'static, limits: &WebLimits, handler: Arc<dyn Handler>) {
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(handler.handle(request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_patience.duration())
        .max_buf_size(limits.head_bytes.max(MIN_HEAD_BYTES))
        // The date header would read the wall clock.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(io), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}
