//! The site as a page: the diagram, what happened, and a line for commands.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use ridethrough_targets::net::{Io, Listener};
use ridethrough_targets::telemetry::Board;

use super::desk::{Desk, Said};
use super::diagram::diagram;

/// Lines of the story that are kept.
const KEPT: usize = 200;
/// Bytes of a command.
const MAX_COMMAND: usize = 4_096;

const PAGE: &str = include_str!("page.html");

/// The page of one site.
#[derive(Clone)]
pub(super) struct Page {
    board: Board,
    desk: Desk,
    told: Arc<Mutex<VecDeque<String>>>,
}

impl Page {
    pub(super) fn new(board: Board, desk: Desk) -> Self {
        Self {
            board,
            desk,
            told: Arc::default(),
        }
    }

    /// Something happened.
    pub(super) fn tell(&self, line: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() == KEPT {
            told.pop_front();
        }
        told.push_back(line.to_string());
    }

    fn told(&self) -> String {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().rev().map(|line| format!("{line}\n")).collect()
    }

    /// Serves it until it is dropped.
    pub(super) async fn serve(self, listener: Box<dyn Listener>) {
        let router = Router::new()
            .route("/", get(|| async { Html(PAGE) }))
            .route("/diagram", get(show))
            .route("/story", get(tell))
            .route("/command", post(command))
            .layer(DefaultBodyLimit::max(MAX_COMMAND))
            .with_state(self);
        let _ = axum::serve(Accepts(listener), router).await;
    }
}

async fn show(State(page): State<Page>) -> String {
    diagram(&page.board)
}

async fn tell(State(page): State<Page>) -> String {
    page.told()
}

/// A page of another site must not cut the power through somebody's browser.
async fn command(State(page): State<Page>, headers: HeaderMap, line: String) -> Response {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    if let Some(origin) = headers.get(header::ORIGIN) {
        let own = host.map(|host| format!("http://{host}"));
        if origin.to_str().ok() != own.as_deref() {
            return (StatusCode::FORBIDDEN, "commands come from this page only\n").into_response();
        }
    }
    match page.desk.say(line.trim()).await {
        Ok(Said::Text(text)) => format!("{}\n", text.trim_end()).into_response(),
        Ok(Said::Quit) => (StatusCode::FORBIDDEN, "quit is for the terminal\n").into_response(),
        Err(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
    }
}

/// Our listeners as axum wants them.
struct Accepts(Box<dyn Listener>);

impl axum::serve::Listener for Accepts {
    type Io = Box<dyn Io>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok(conn) => return (conn.io, conn.peer),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.0.local_addr())
    }
}
