//! What services log, by node.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::clock::Clock;
use crate::service::Home;

/// The log folder of a world: one file a node.
#[derive(Clone, Debug)]
pub(super) struct Logs {
    folder: PathBuf,
    files: Arc<Mutex<IndexMap<String, File>>>,
}

impl Logs {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            files: Arc::default(),
        }
    }

    /// A node's log.
    pub(super) fn path(&self, node: &str) -> PathBuf {
        self.folder.join(format!("{node}.log"))
    }

    /// Opens a node's log: there is one, also where nothing is ever logged.
    pub(super) fn open(&self, node: &str) -> io::Result<()> {
        self.write(node, b"")
    }

    fn write(&self, node: &str, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if !files.contains_key(node) {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(self.path(node))?;
            files.insert(node.to_string(), file);
        }
        match files.get_mut(node) {
            Some(file) => file.write_all(bytes),
            None => Ok(()),
        }
    }
}

/// Writes one event to the log of the node whose task logs it; what the harness
/// itself logs goes to standard error.
pub(super) struct NodeLog(Logs);

impl Write for NodeLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match Home::current() {
            Some(home) => {
                let node = home.label().split('/').next().unwrap_or_default();
                self.0.write(node, bytes)?;
            }
            None => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = NodeLog;

    fn make_writer(&'a self) -> NodeLog {
        NodeLog(self.clone())
    }
}

/// Run time in seconds.
struct RunTime(Clock);

impl FormatTime for RunTime {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        let t_us = self.0.now_us();
        write!(out, "{:>4}.{:06}", t_us / 1_000_000, t_us % 1_000_000)
    }
}

/// Takes the events of every task of a world.
pub(super) fn subscriber(logs: Logs, clock: Clock) -> impl Subscriber + Send + Sync {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(logs)
        .with_timer(RunTime(clock))
        .with_ansi(false)
        .finish()
}
