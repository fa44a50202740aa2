//! The events of a run for whoever looks on: each kept once, for as long as there
//! is room, and never waited for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use super::blind::for_crew;
use crate::metrics::Gauges;
use crate::record::{Body, Event};

/// Events and bytes that are kept whole.
const RING: usize = 50_000;
const RING_BYTES: usize = 24 << 20;
/// Events that are kept after that, of those that a picture of the run needs.
const KEPT: usize = 20_000;
/// Events in one message.
const MESSAGE: usize = 500;

/// One event, in words for each kind of looker-on.
#[derive(Clone, Debug)]
struct Line {
    seq: u64,
    all: Arc<str>,
    /// None: the crew of a blind game day does not see it. Empty: it sees `all`.
    crew: Option<Arc<str>>,
    lasting: bool,
}

#[derive(Debug, Default)]
struct Inner {
    ring: VecDeque<Line>,
    bytes: usize,
    kept: VecDeque<Line>,
    gauges: Gauges,
    next: u64,
    missed: u64,
}

/// Where events wait for those who look on.
#[derive(Debug)]
pub struct Hub {
    inner: Mutex<Inner>,
    blind: AtomicBool,
    /// The number of the next event.
    news: watch::Sender<u64>,
}

/// Where somebody is in the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of the next event that they want.
    pub(super) next: u64,
    /// They are being told what came before.
    pub(super) catching_up: bool,
}

/// What somebody gets next.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// They begin anew: what they had has a hole.
    pub(super) anew: bool,
    pub(super) lines: Vec<Arc<str>>,
}

impl Hub {
    /// An empty one. In `blind` the crew sees only what production would show.
    pub fn new(blind: bool) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::default(),
            blind: AtomicBool::new(blind),
            news: watch::Sender::new(0),
        })
    }

    /// Takes events until there are no more of them; `board` sees them too, as many
    /// as it has room for.
    pub async fn listen(&self, mut events: mpsc::Receiver<Event>, board: mpsc::Sender<Event>) {
        let mut some = Vec::new();
        while events.recv_many(&mut some, MESSAGE).await > 0 {
            for event in some.drain(..) {
                self.take(&event);
                let _ = board.try_send(event);
            }
        }
    }

    /// Takes one event.
    pub fn take(&self, event: &Event) {
        let Ok(text) = serde_json::to_string(event) else {
            return;
        };
        // That it is over is said to everybody, and everything with it.
        let over = matches!(event.body, Body::End { .. });
        let crew = match self.is_blind() {
            true => for_crew(event).and_then(|seen| serde_json::to_string(&seen).ok()),
            false => Some(String::new()),
        };
        let line = Line {
            seq: event.seq,
            all: text.into(),
            crew: crew.map(Into::into),
            lasting: lasting(&event.body),
        };
        let mut inner = self.lock();
        inner.gauges.take(event);
        inner.missed += event.seq.saturating_sub(inner.next);
        inner.next = event.seq + 1;
        inner.bytes += line.all.len();
        inner.ring.push_back(line);
        while inner.ring.len() > RING || inner.bytes > RING_BYTES {
            let Some(old) = inner.ring.pop_front() else {
                break;
            };
            inner.bytes -= old.all.len();
            if old.lasting {
                inner.kept.push_back(old);
                if inner.kept.len() > KEPT {
                    inner.kept.pop_front();
                }
            }
        }
        let next = inner.next;
        drop(inner);
        if over {
            self.blind.store(false, Ordering::Release);
        }
        self.news.send_replace(next);
    }

    /// What comes after a place, at most a message full of it; the place moves on.
    pub(super) fn after(&self, place: &mut Place, everything: bool) -> Batch {
        let inner = self.lock();
        let first = inner.ring.front().map_or(inner.next, |line| line.seq);
        let mut batch = Batch::default();
        if place.next < first && !place.catching_up {
            batch.anew = true;
            *place = Place {
                next: 0,
                catching_up: true,
            };
        }
        let blind = self.is_blind() && !everything;
        let old = inner.kept.partition_point(|line| line.seq < place.next);
        let new = inner.ring.partition_point(|line| line.seq < place.next);
        let lines = inner.kept.range(old..).chain(inner.ring.range(new..));
        for line in lines.take(MESSAGE) {
            place.next = line.seq + 1;
            match &line.crew {
                _ if !blind => batch.lines.push(Arc::clone(&line.all)),
                Some(text) if text.is_empty() => batch.lines.push(Arc::clone(&line.all)),
                Some(text) => batch.lines.push(Arc::clone(text)),
                None => {}
            }
        }
        if place.next >= first {
            place.catching_up = false;
        }
        batch
    }

    /// Turns with every event.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Whether the crew sees only what production would show.
    pub fn is_blind(&self) -> bool {
        self.blind.load(Ordering::Acquire)
    }

    /// Events that were lost on the way here, since this side was too slow. The
    /// record has them.
    pub fn missed(&self) -> u64 {
        self.lock().missed
    }

    /// The run's numbers for Prometheus.
    pub fn metrics(&self) -> String {
        self.lock().gauges.text()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a picture of the run needs however old it is: not single requests, nor
/// meters that have been read again since.
fn lasting(body: &Body) -> bool {
    !matches!(
        body,
        Body::Request(_)
            | Body::Attempt(_)
            | Body::Progress { .. }
            | Body::Meters { .. }
            | Body::Air { .. }
            | Body::Write(_)
            | Body::Rehearsal(_)
    )
}
