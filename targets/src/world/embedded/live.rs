//! The harness's hold on a node that is up.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::service::{FromService, ServiceStart, ToService};
use crate::world::tail::tail;
use crate::world::{WorldError, WorldEvent};

use super::channel::AsyncChannel;
use super::kernel;
use super::message::{Answer, Ask, FromNode, ToNode, VolumeOrder};

type Waiting = Arc<std::sync::Mutex<BTreeMap<u64, oneshot::Sender<Answer>>>>;

/// A node that is up, or coming up.
#[derive(Debug)]
pub(super) struct Live {
    name: String,
    init: AsyncFd<OwnedFd>,
    control: Arc<AsyncChannel>,
    waiting: Waiting,
    next: AtomicU64,
    wires: std::sync::Mutex<Wires>,
    pub(super) given: Given,
    /// How far the clock of its services is from the host's now.
    pub(super) clock_ns: std::sync::Mutex<Option<i64>>,
}

/// What a boot was given, which its services get again when they are started
/// again.
#[derive(Debug)]
pub(super) struct Given {
    /// How far its clock is from the host's.
    pub(super) offset_ns: Option<i64>,
    /// Its volumes.
    pub(super) volumes: Vec<VolumeOrder>,
}

/// Our ends of the wires of a node's services.
pub(super) type Wires = IndexMap<String, mpsc::UnboundedSender<ToService>>;

impl Live {
    /// Of the init's descriptor and control socket.
    pub(super) fn new(
        name: &str,
        init: OwnedFd,
        control: AsyncChannel,
        wires: Wires,
        given: Given,
    ) -> io::Result<Self> {
        Ok(Self {
            name: name.to_string(),
            init: kernel::watch_process(init)?,
            control: Arc::new(control),
            waiting: Waiting::default(),
            next: AtomicU64::new(0),
            wires: std::sync::Mutex::new(wires),
            clock_ns: std::sync::Mutex::new(given.offset_ns),
            given,
        })
    }

    /// Waits for the word that the node is up; returns its network device if it
    /// has one of its own, what its volumes are held by, and what had to be left
    /// out.
    pub(super) async fn up(
        &self,
        guest: bool,
    ) -> Result<(Option<OwnedFd>, Vec<OwnedFd>, Vec<String>), String> {
        match self.control.receive::<FromNode>().await {
            Ok(Some((FromNode::Up(notes), fds))) if guest => Ok((None, fds, notes)),
            Ok(Some((FromNode::Up(notes), mut fds))) if !fds.is_empty() => {
                let tap = fds.remove(0);
                Ok((Some(tap), fds, notes))
            }
            Ok(Some((FromNode::Up(_), _))) => Err("its init sent no device".into()),
            Ok(Some((FromNode::Broken(error), _))) => Err(error),
            Ok(Some((word, _))) => Err(format!("its init said {word:?} too early")),
            Ok(None) => Err("its init has died".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Passes on what the init says from now on, until it dies.
    pub(super) fn listen(&self, log: PathBuf, events: mpsc::UnboundedSender<WorldEvent>) {
        let control = Arc::clone(&self.control);
        let waiting = Arc::clone(&self.waiting);
        let node = self.name.clone();
        tokio::spawn(async move {
            while let Ok(Some((word, _))) = control.receive::<FromNode>().await {
                match word {
                    FromNode::Reply(id, answer) => {
                        if let Some(asker) = lock(&waiting).remove(&id) {
                            let _ = asker.send(answer);
                        }
                    }
                    FromNode::Exited { service, how } => {
                        let _ = events.send(WorldEvent::Exited {
                            node: node.clone(),
                            service,
                            how,
                            tail: tail(&log),
                        });
                    }
                    FromNode::Up(_) | FromNode::Broken(_) => {}
                }
            }
            // Whoever still waits is told by the drop.
            lock(&waiting).clear();
        });
    }

    /// Asks the init something.
    pub(super) async fn ask(&self, ask: Ask, limit: Duration) -> Result<Answer, WorldError> {
        self.ask_with(ask, &[], limit).await
    }

    /// As [`ask`](Self::ask), with descriptors beside the question.
    pub(super) async fn ask_with(
        &self,
        ask: Ask,
        fds: &[BorrowedFd<'_>],
        limit: Duration,
    ) -> Result<Answer, WorldError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).insert(id, answer);
        let what = format!("{ask:?}");
        let exchange = async {
            self.control.send(&ToNode { id, ask }, fds).await.ok()?;
            answered.await.ok()
        };
        let result = timeout(limit, exchange).await;
        lock(&self.waiting).remove(&id);
        let failed = |why: &str| {
            WorldError::Failed(format!("node `{}` did not do {what}: {why}", self.name))
        };
        match result {
            Ok(Some(Answer::Failed(error))) => Err(failed(&error)),
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(failed("its init has died")),
            Err(_) => Err(failed("no answer in time")),
        }
    }

    /// Says a word to a service, if it has a wire.
    pub(super) fn say(&self, service: &str, word: ToService) {
        if let Some(wire) = lock(&self.wires).get(service) {
            let _ = wire.send(word);
        }
    }

    /// Its services are new processes, with wires of their own.
    pub(super) fn rewire(&self, wires: Wires) {
        *lock(&self.wires) = wires;
    }

    /// The number of its init in the harness's pid namespace.
    pub(super) fn pid(&self) -> Option<i32> {
        kernel::pid_of(self.init.get_ref().as_fd())
    }

    /// Kills the init, and so every process of the node at once.
    pub(super) fn kill(&self) -> io::Result<()> {
        match kernel::pidfd_kill(self.init.get_ref().as_fd()) {
            // Another user's, in a container: it ends with its control socket.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => self.control.shut(),
            killed => killed,
        }
    }

    /// Waits until the kernel says that every process of the node is dead: a
    /// pid namespace's first process becomes waitable only after all others.
    pub(super) async fn dead(&self, limit: Duration) -> io::Result<()> {
        let _ready = timeout(limit, self.init.readable()).await??;
        Ok(())
    }
}

/// Runs the harness's end of a service's wire until the service is gone.
pub(super) fn run_wire(
    stream: UnixStream,
    start: ServiceStart,
    events: mpsc::UnboundedSender<WorldEvent>,
) -> mpsc::UnboundedSender<ToService> {
    let (read, mut write) = stream.into_split();
    let (words, mut to_say) = mpsc::unbounded_channel::<ToService>();
    let (node, service) = (start.node.clone(), start.service.clone());
    tokio::spawn(async move {
        let mut line = serde_json::to_vec(&start).unwrap_or_default();
        loop {
            line.push(b'\n');
            if write.write_all(&line).await.is_err() {
                return;
            }
            match to_say.recv().await {
                Some(word) => line = serde_json::to_vec(&word).unwrap_or_default(),
                None => return,
            }
        }
    });
    tokio::spawn(async move {
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str::<FromService>(&line) {
                Ok(word) => {
                    let (node, service) = (node.clone(), service.clone());
                    let _ = events.send(WorldEvent::Said {
                        node,
                        service,
                        word,
                    });
                }
                Err(error) => tracing::warn!(%node, %service, %error, "unreadable word"),
            }
        }
    });
    words
}

/// A poisoned lock still holds sound data here: no guard lives across a panic
/// that could leave it half changed.
pub(in crate::world) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
