//! The one writer of a run's record, shared by the engine's tasks.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use ridethrough_targets::clock::{Clock, Micros};

use super::error::EngineError;
use crate::record::{Body, Event, RecordWriter};

/// Writes events in the order in which they are said, each once, and shows them
/// to whoever watches. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    clock: Clock,
    path: Arc<Path>,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    writer: RecordWriter,
    watcher: Option<mpsc::Sender<Event>>,
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
            failure: None,
        };
        Ok(Self {
            clock,
            path: path.into(),
            inner: Arc::new(Mutex::new(inner)),
        })
    }

    /// Records what happens now.
    pub fn now(&self, source: &str, body: Body) {
        self.at(self.clock.now_us(), source, body);
    }

    /// Records what happened at `t_us`, as its source stamped it.
    pub fn at(&self, t_us: Micros, source: &str, body: Body) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.writer.write(t_us, source, body) {
            Ok(event) => {
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
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.failure.take().map(|source| EngineError::Record {
            path: self.path.to_path_buf(),
            source,
        })
    }
}
