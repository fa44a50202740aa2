//! Server-sent events to one browser, which is told as fast as it reads and never
//! waited for.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::unfold;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::desk::Desk;
use super::hub::Place;
use super::roles::Role;
use super::serve::Pulse;

/// Between two messages: events that come meanwhile go into one.
const GATHER: Duration = Duration::from_millis(100);
/// How often the desk is looked at where nothing happens.
const LOOK: Duration = Duration::from_millis(250);
/// A quiet stream shows so often that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// One browser's stream.
struct Follower {
    desk: Arc<Desk>,
    role: Role,
    place: Place,
    news: watch::Receiver<u64>,
    /// The desk as it was told last.
    told: String,
    spoke: Instant,
    begins: bool,
    pulse: Pulse,
}

/// The events after `last`, or from the beginning, and the desk whenever it
/// changes.
pub(super) fn events(desk: Arc<Desk>, role: Role, last: Option<u64>, pulse: Pulse) -> Body {
    let follower = Follower {
        news: desk.hub.news(),
        desk,
        role,
        place: Place {
            next: last.map_or(0, |last| last.saturating_add(1)),
            catching_up: last.is_none(),
        },
        told: String::new(),
        spoke: Instant::now(),
        begins: last.is_none(),
        pulse,
    };
    Body::from_stream(unfold(follower, |mut follower| async move {
        let text = follower.next().await;
        Some((Ok::<_, std::io::Error>(Bytes::from(text)), follower))
    }))
}

impl Follower {
    async fn next(&mut self) -> String {
        loop {
            self.pulse.beat();
            let text = self.message();
            if !text.is_empty() {
                self.spoke = Instant::now();
                return text;
            }
            if self.spoke.elapsed() >= HEARTBEAT {
                self.spoke = Instant::now();
                return ": \n\n".into();
            }
            let news = timeout(LOOK, self.news.changed()).await;
            if news.is_ok() {
                sleep(GATHER).await;
            }
        }
    }

    /// What there is to tell now; empty where there is nothing.
    fn message(&mut self) -> String {
        let mut text = String::new();
        self.news.borrow_and_update();
        let everything = self.role == Role::Conductor;
        let blind = self.desk.hub.is_blind();
        let batch = self.desk.hub.after(&mut self.place, everything);
        if batch.anew || std::mem::take(&mut self.begins) {
            text.push_str("event: anew\ndata: {}\n\n");
        }
        if !batch.lines.is_empty() {
            let id = self.place.next.saturating_sub(1);
            let _ = write!(text, "id: {id}\ndata: [{}]\n\n", batch.lines.join(","));
        }
        let seen = serde_json::to_string(&self.desk.seen(self.role)).unwrap_or_default();
        if seen != self.told {
            // Where a blind game day is over, everything is told from the start.
            if !blind && self.told.contains("\"blind\":true") {
                self.place = Place::default();
                self.place.catching_up = true;
                self.begins = true;
            }
            let _ = write!(text, "event: desk\ndata: {seen}\n\n");
            self.told = seen;
        }
        text
    }
}
