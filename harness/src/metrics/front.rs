//! `/metrics` of a run that goes on, by itself.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::header;
use axum::routing::get;
use tokio::sync::mpsc;

use super::gauges::Gauges;
use crate::gameday::{Front, open};
use crate::record::Event;

/// Serves the numbers of runs, one after the other, until it is dropped.
pub struct Meters {
    gauges: Arc<Mutex<Gauges>>,
    front: Front,
}

impl Meters {
    /// Listens at an address.
    ///
    /// # Errors
    /// It cannot be had.
    pub fn open(listen: SocketAddr) -> std::io::Result<Self> {
        let gauges: Arc<Mutex<Gauges>> = Arc::default();
        let shown = Arc::clone(&gauges);
        let page = move || {
            let gauges = shown.lock().unwrap_or_else(PoisonError::into_inner);
            let text = gauges.text();
            async { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text) }
        };
        let router = Router::new().route("/metrics", get(page));
        let front = open(TcpListener::bind(listen)?, router, async {})?;
        Ok(Self { gauges, front })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.front.address
    }

    /// Where a run is to send its events, which go on to `next`, as many as it has
    /// room for.
    pub fn before(&self, next: mpsc::Sender<Event>) -> mpsc::Sender<Event> {
        let (sender, mut events) = mpsc::channel::<Event>(next.max_capacity());
        let gauges = Arc::clone(&self.gauges);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                let mut gauges = gauges.lock().unwrap_or_else(PoisonError::into_inner);
                gauges.take(&event);
                drop(gauges);
                let _ = next.try_send(event);
            }
        });
        sender
    }
}
