//! One request on one connection of its own: nothing pooled, nothing hidden.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::net::{Net, SocketOptions};
use ridethrough_targets::service::spawn;

use super::answer::{Answer, Finished};
use super::expected::Expected;
use super::prompt::Prepared;
use super::row::Termination;
use super::transport::{of_connect, of_hyper};
use crate::playbook::ClientSpec;

/// Where requests go, and through what.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) net: Arc<dyn Net>,
    pub(super) clock: Clock,
    pub(super) host: String,
    pub(super) port: u16,
}

/// What one attempt is.
pub(super) struct Ask<'a> {
    pub(super) id: &'a str,
    pub(super) class: &'a str,
    pub(super) prepared: &'a Prepared,
    /// What its answer is held against.
    pub(super) expected: &'a Expected,
    pub(super) output_tokens: u32,
    pub(super) stream: bool,
    pub(super) spec: &'a ClientSpec,
    /// When the whole request must be over.
    pub(super) deadline: Instant,
}

/// What one attempt came to, so far as it went.
pub(super) struct Attempted {
    pub(super) connected_us: Option<Micros>,
    pub(super) headers_us: Option<Micros>,
    pub(super) retry_after_s: Option<u64>,
    pub(super) termination: Termination,
    pub(super) transport: String,
    answer: Answer,
}

/// Stops the task that drives a connection, and so closes it.
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Attempted {
    pub(super) fn new(ask: &Ask<'_>) -> Self {
        Self {
            connected_us: None,
            headers_us: None,
            retry_after_s: None,
            termination: Termination::RunEnded,
            transport: String::new(),
            answer: Answer::new(ask.expected.clone(), ask.output_tokens, ask.stream),
        }
    }

    /// Tokens that came so far.
    pub(super) fn tokens(&self) -> u32 {
        self.answer.tokens()
    }

    /// The attempt is over at `now`.
    pub(super) fn finish(self, now: Micros) -> Finished {
        let mut finished = self.answer.finish(now);
        finished.seen.termination = self.termination;
        finished.seen.transport = self.transport;
        finished
    }

    fn end(&mut self, termination: Termination, transport: impl Into<String>) {
        self.termination = termination;
        self.transport = transport.into();
    }

    /// Runs the attempt. It can be dropped at any await and then stands as it
    /// is, ended by the run. `tokens` hears how many tokens came, and when.
    pub(super) async fn run(
        &mut self,
        target: &Target,
        ask: &Ask<'_>,
        mut tokens: impl FnMut(u32, Micros),
    ) {
        let began = Instant::now();
        let Some((mut sender, _driver)) = self.connect(target, ask, began).await else {
            return;
        };
        let request = match request(target, ask) {
            Ok(request) => request,
            Err(error) => return self.end(Termination::Garbage, error.to_string()),
        };
        let (until, which) = self.bound(target, ask, began);
        let response = match timeout_at(until, sender.send_request(request)).await {
            Err(_) => return self.end(Termination::ClientTimeout, which),
            Ok(Err(error)) => return self.end(of_hyper(&error, false), words(&error)),
            Ok(Ok(response)) => response,
        };
        self.headers_us = Some(target.clock.now_us());
        let retry_after = response.headers().get(RETRY_AFTER);
        self.retry_after_s = retry_after.and_then(|v| v.to_str().ok()?.trim().parse().ok());
        self.answer
            .head(response.status().as_u16(), retry_after.is_some());
        self.body(target, ask, began, response.into_body(), &mut tokens)
            .await;
    }

    async fn connect(
        &mut self,
        target: &Target,
        ask: &Ask<'_>,
        began: Instant,
    ) -> Option<(http1::SendRequest<Full<Bytes>>, Driver)> {
        let until = (began + ask.spec.connect_timeout.duration()).min(ask.deadline);
        let connecting = (target.net).connect(&target.host, target.port, options(ask.spec));
        let conn = match timeout_at(until, connecting).await {
            Err(_) => {
                self.end(Termination::ClientTimeout, "connect timeout");
                return None;
            }
            Ok(Err(error)) => {
                self.end(of_connect(&error), error.to_string());
                return None;
            }
            Ok(Ok(conn)) => conn,
        };
        self.connected_us = Some(target.clock.now_us());
        match http1::handshake(TokioIo::new(conn.io)).await {
            Err(error) => {
                self.end(of_hyper(&error, false), words(&error));
                None
            }
            Ok((sender, connection)) => {
                let task = spawn(async move {
                    // Its error also reaches the request that it belongs to.
                    let _ = connection.await;
                });
                Some((sender, Driver(task.abort_handle())))
            }
        }
    }

    async fn body(
        &mut self,
        target: &Target,
        ask: &Ask<'_>,
        began: Instant,
        mut body: Incoming,
        tokens: &mut impl FnMut(u32, Micros),
    ) {
        loop {
            let (until, which) = self.bound(target, ask, began);
            match timeout_at(until, body.frame()).await {
                Err(_) => return self.end(Termination::ClientTimeout, which),
                Ok(None) => return self.end(Termination::Clean, ""),
                Ok(Some(Err(error))) => return self.end(of_hyper(&error, true), words(&error)),
                Ok(Some(Ok(frame))) => {
                    let Some(bytes) = frame.data_ref() else {
                        continue;
                    };
                    let now = target.clock.now_us();
                    let before = self.answer.tokens();
                    self.answer.feed(bytes, now);
                    let came = self.answer.tokens() - before;
                    if came > 0 {
                        tokens(came, now);
                    }
                }
            }
        }
    }

    /// Until when the client waits now, and why not longer. A reader of a
    /// stream minds silence between tokens; who asked for a whole answer at
    /// once hears nothing before it, and has the total timeout only.
    fn bound(&self, target: &Target, ask: &Ask<'_>, began: Instant) -> (Instant, &'static str) {
        if ask.stream {
            let heard = match self.answer.last_token_us() {
                Some(last) => target.clock.instant(last),
                None => began,
            };
            let idle = ask.spec.idle_timeout.span();
            let silent = idle.map(|idle| heard + idle.duration());
            if let Some(silent) = silent.filter(|at| *at < ask.deadline) {
                return (silent, "idle timeout");
            }
        }
        (ask.deadline, "total timeout")
    }
}

/// What a client asks of its sockets.
fn options(spec: &ClientSpec) -> SocketOptions {
    SocketOptions {
        nodelay: true,
        keepalive: spec.keepalive.map(Into::into),
        ..SocketOptions::default()
    }
}

fn request(target: &Target, ask: &Ask<'_>) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let accept = if ask.stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    Request::post("/v1/chat/completions")
        .header(HOST, format!("{}:{}", target.host, target.port))
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, accept)
        .header("x-request-id", ask.id)
        .header("x-ridethrough-class", ask.class)
        .body(Full::new(ask.prepared.body.clone()))
}

/// An error and its causes, in one line.
fn words(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ridethrough_targets::net::Keepalive;
    use ridethrough_targets::units::Span;

    use super::*;
    use crate::playbook::KeepaliveSpec;

    #[test]
    fn a_socket_probes_only_if_its_client_asks() {
        let mut spec = ClientSpec::default();
        assert_eq!(options(&spec).keepalive, None);
        spec.keepalive = Some(KeepaliveSpec {
            idle: Span::from_secs(10),
            interval: Span::from_secs(5),
            count: 3,
        });
        let expected = Keepalive {
            idle: Duration::from_secs(10),
            interval: Duration::from_secs(5),
            count: 3,
        };
        assert_eq!(options(&spec).keepalive, Some(expected));
    }
}
