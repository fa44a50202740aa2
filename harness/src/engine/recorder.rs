//! The one writer of a run's record, shared by the engine's tasks.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use ridethrough_targets::clock::{Clock, Micros};

use super::error::EngineError;
use crate::judge::{Abort, Watchman};
use crate::record::{Body, Event, RecordWriter};

/// Writes events in the order in which they are said, each once, and shows them
/// to whoever watches. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    clock: Clock,
    path: Arc<Path>,
    abort: CancellationToken,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    writer: RecordWriter,
    watcher: Option<mpsc::Sender<Event>>,
    watchman: Option<Watchman>,
    aborted: Option<Abort>,
    failure: Option<std::io::Error>,
}

impl Recorder {
    /// A record at `path`; `watcher` sees events as they are
    /// written. One that falls behind misses some rather than hold up the run
    /// or fill the memory; the record has them all.
    pub fn create(
        path: &Path,
        clock: Clock,
        watcher: Option<mpsc::Sender<Event>>,
    ) -> Result<Self, EngineError> {
        let writer = RecordWriter::create(path).map_err(|source| EngineError::Record {
            path: path.to_path_buf(),
            source,
        })?;
        let inner = Inner {
            writer,
            watcher,
            watchman: None,
            aborted: None,
            failure: None,
        };
        Ok(Self {
            clock,
            path: path.into(),
            abort: CancellationToken::new(),
            inner: Arc::new(Mutex::new(inner)),
        })
    }

    /// Has every event from now on seen by somebody who may end the run.
    pub(super) fn watch(&self, watchman: Watchman) {
        self.lock().watchman = Some(watchman);
    }

    /// Cancelled when the run is to end at once.
    pub(super) fn abort(&self) -> CancellationToken {
        self.abort.clone()
    }

    /// Why it was to end at once.
    pub(super) fn aborted(&self) -> Option<Abort> {
        self.lock().aborted.clone()
    }

    /// Records what happens now.
    pub fn now(&self, source: &str, body: Body) {
        self.at(self.clock.now_us(), source, body);
    }

    /// Records what happened at `t_us`, as its source stamped it.
    pub fn at(&self, t_us: Micros, source: &str, body: Body) {
        let mut inner = self.lock();
        match inner.writer.write(t_us, source, body) {
            Ok(event) => {
                let watchman = inner.watchman.as_mut();
                if let Some(abort) = watchman.and_then(|watchman| watchman.hear(&event)) {
                    inner.watchman = None;
                    inner.aborted = Some(abort);
                    self.abort.cancel();
                }
                if let Some(watcher) = &inner.watcher {
                    let _ = watcher.try_send(event);
                }
            }
            // A full disk must not stop the healing: the first failure is kept
            // and ends the run when the engine next looks.
            Err(error) => {
                inner.failure.get_or_insert(error);
            }
        }
    }

    /// The first failure to write, if there was one.
    pub fn failure(&self) -> Option<EngineError> {
        let mut inner = self.lock();
        inner.failure.take().map(|source| EngineError::Record {
            path: self.path.to_path_buf(),
            source,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
