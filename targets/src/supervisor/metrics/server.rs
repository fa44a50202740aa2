//! The three pages.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::{sleep, timeout};

use super::config::MetricsConfig;
use super::families::collect;
use super::state::{Shown, whole};
use crate::exposition::Exposition;
use crate::net::Listener;
use crate::serving::http::{Body, Handler, json, set_header, typed};
use crate::supervisor::web::{EventStream, Seats, serve};
use crate::telemetry::{Answer, Board, Protocol};

const US: Protocol = Protocol::Metrics;
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves until it is dropped.
pub async fn run_metrics_on(board: Board, config: MetricsConfig, listener: Box<dyn Listener>) {
    let limits = config.limits.clone();
    let pages = Pages {
        seats: Seats::new(limits.streams),
        board,
        config,
    };
    serve(listener, limits, None, Arc::new(pages)).await;
}

pub(super) struct Pages {
    board: Board,
    config: MetricsConfig,
    seats: Seats,
}

#[async_trait]
impl Handler for Pages {
    async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        if self.board.silent(US) {
            std::future::pending::<()>().await;
        }
        sleep(self.slowest()).await;
        let head = request.method() == Method::HEAD;
        if !head && request.method() != Method::GET {
            let mut refusal = typed(StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET, HEAD\n");
            set_header(&mut refusal, "allow", "GET, HEAD");
            return refusal;
        }
        match request.uri().path() {
            "/metrics" => typed(StatusCode::OK, TEXT, exposition(&self.board)),
            "/state" => json(StatusCode::OK, whole(&self.board).to_string()),
            "/state/stream" if head => typed(StatusCode::OK, "text/event-stream", ""),
            "/state/stream" => self.stream(),
            "/" => typed(StatusCode::OK, TEXT, "/metrics\n/state\n/state/stream\n"),
            _ => typed(StatusCode::NOT_FOUND, TEXT, "nothing here\n"),
        }
    }
}

impl Pages {
    /// A page shows every device, so it comes when the slowest has answered.
    fn slowest(&self) -> Duration {
        let devices = self.board.devices();
        let delays = devices.iter().map(|d| self.board.delay(US, &d.name));
        delays.max().unwrap_or_default()
    }

    fn stream(&self) -> Response<Body> {
        let Some(seat) = self.seats.take() else {
            return typed(StatusCode::SERVICE_UNAVAILABLE, TEXT, "too many streams\n");
        };
        let board = self.board.clone();
        let heartbeat = self.config.heartbeat.duration();
        let patience = self.config.limits.stream_patience.duration();
        EventStream::response(seat, patience, |to| stream(board, heartbeat, to))
    }
}

/// One event for each device that changed. A reader that is behind sees the
/// latest state of a device, never a queue of old ones.
async fn stream(board: Board, heartbeat: Duration, to: EventStream) {
    let mut shown = Shown::default();
    let (mut seen, mut number) = (0, 0);
    loop {
        let changes = match board.silent(US) {
            true => Vec::new(),
            false => shown.changes(&board),
        };
        for change in changes {
            number += 1;
            if !to.event(Some("change"), number, &change.to_string()).await {
                return;
            }
        }
        match timeout(heartbeat, board.changed(seen)).await {
            Ok(version) => seen = version,
            Err(_) if !to.comment("alive").await => return,
            Err(_) => {}
        }
    }
}

/// Every number of every device whose data are fresh.
pub(super) fn exposition(board: &Board) -> String {
    let mut to = Exposition::new("ridethrough_");
    let devices = board.devices();
    for identity in &devices {
        let up = match board.peek(US, &identity.name) {
            Some(Answer::Silence) => continue,
            Some(Answer::Reading(_)) => 1.0,
            Some(Answer::Stale) | None => 0.0,
        };
        let labels = &[
            ("device", identity.name.as_str()),
            ("kind", identity.kind.as_str()),
        ];
        to.gauge("up", "1 while the device's data are fresh.", labels, up);
    }
    for identity in &devices {
        if let Some(Answer::Reading(reading)) = board.peek(US, &identity.name) {
            collect(&mut to, &identity.name, &reading);
        }
    }
    to.text()
}
