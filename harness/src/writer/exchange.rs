//! One request to a journal, on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_util::task::AbortOnDropHandle;

use ridethrough_targets::clock::Clock;
use ridethrough_targets::net::{Net, SocketOptions};
use ridethrough_targets::service::spawn;

/// The longest answer, in bytes.
const ANSWER_MAX: usize = 2 << 20;

/// A journal and the way to it.
#[derive(Clone)]
pub(super) struct Journal {
    pub(super) net: Arc<dyn Net>,
    pub(super) clock: Clock,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Journal {
    /// Asks, and waits so long for the whole answer; the error is what came
    /// instead, in words.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        patience: Duration,
    ) -> Result<(StatusCode, Bytes), String> {
        match tokio::time::timeout(patience, self.asked(method, path, body)).await {
            Ok(answer) => answer,
            Err(_) => Err("no answer in time".into()),
        }
    }

    async fn asked(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), String> {
        let options = SocketOptions {
            nodelay: true,
            ..SocketOptions::default()
        };
        let conn = self.net.connect(&self.host, self.port, options).await;
        let conn = conn.map_err(|error| format!("no connection: {error}"))?;
        let lost = |error: hyper::Error| format!("the connection broke: {error}");
        let (mut sender, connection) = http1::handshake(TokioIo::new(conn.io))
            .await
            .map_err(lost)?;
        // Dropped with this request, and the connection with it.
        let _driver = AbortOnDropHandle::new(spawn(async move {
            let _ = connection.await;
        }));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, format!("{}:{}", self.host, self.port))
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(lost)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_MAX);
        let body = body.collect().await;
        let body = body.map_err(|error| format!("the answer broke off: {error}"))?;
        Ok((status, body.to_bytes()))
    }
}
