//! Connections between the kernels of two nodes, for witnesses.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::wire::NodeNet;
use super::world::VirtualWorld;
use crate::net::{Conn, Listener, Net, SocketOptions};
use crate::world::{ConnectionReport, ConnectionSpec, End, PROBE_PORT, WorldError};

/// How long a connection may take to come up.
const LIMIT: Duration = Duration::from_secs(3);
/// From one exchange to the next.
const PAUSE: Duration = Duration::from_millis(20);
/// While another connection to the same node comes up.
const RETRY: Duration = Duration::from_millis(1);

/// A connection under watch.
#[derive(Debug)]
pub(super) struct Watched {
    report: Arc<Mutex<ConnectionReport>>,
    far_node: String,
    tasks: [AbortHandle; 2],
}

impl Watched {
    /// Between these two ends.
    fn new(near: Conn, far: Conn, far_node: &str) -> Self {
        let report = Arc::new(Mutex::new(ConnectionReport {
            near: End::Open,
            far: Some(End::Open),
            exchanges: 0,
        }));
        let asking = ask(near, Arc::clone(&report));
        let answering = answer(far, Arc::clone(&report));
        Self {
            report,
            far_node: far_node.to_string(),
            tasks: [
                tokio::spawn(asking).abort_handle(),
                tokio::spawn(answering).abort_handle(),
            ],
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Sends bytes and waits for them to come back, until the connection ends.
async fn ask(mut near: Conn, report: Arc<Mutex<ConnectionReport>>) {
    let end = loop {
        let mut bytes = [0; 8];
        let exchange = async {
            near.io.write_all(&bytes).await?;
            near.io.read_exact(&mut bytes).await
        };
        match exchange.await {
            Ok(_) => note(&report, |report| report.exchanges += 1),
            Err(error) => break ended(&error),
        }
        sleep(PAUSE).await;
    };
    note(&report, |report| report.near = end);
}

/// Sends back what comes, until the connection ends.
async fn answer(mut far: Conn, report: Arc<Mutex<ConnectionReport>>) {
    let end = loop {
        let mut bytes = [0; 8];
        let exchange = async {
            far.io.read_exact(&mut bytes).await?;
            far.io.write_all(&bytes).await
        };
        if let Err(error) = exchange.await {
            break ended(&error);
        }
    };
    note(&report, |report| report.far = Some(end));
}

fn note(report: &Mutex<ConnectionReport>, change: impl FnOnce(&mut ConnectionReport)) {
    change(&mut report.lock().unwrap_or_else(PoisonError::into_inner));
}

fn ended(error: &io::Error) -> End {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => End::Reset,
        _ => End::Ended,
    }
}

impl VirtualWorld {
    /// See [`World::connect`](crate::world::World::connect).
    pub(super) async fn connect_nodes(&self, spec: &ConnectionSpec) -> Result<Watched, WorldError> {
        let failed = |why: &str| {
            let (from, to) = (&spec.from, &spec.to);
            WorldError::Failed(format!("no connection from {from} to {to}: {why}"))
        };
        let net = |node: &str| -> Result<NodeNet, WorldError> {
            let place = self.place(node)?;
            if !self.nodes().contains_key(node) {
                return Err(failed(&format!("node `{node}` is down")));
            }
            let boot = self.wire.boot_of(place);
            Ok(NodeNet::new(self.wire.clone(), place, boot))
        };
        let (near, far) = (net(&spec.from)?, net(&spec.to)?);
        let to = self.place(&spec.to)?;
        let open = async {
            let mut listener = listen(&far).await?;
            let connecting = near.connect_from(spec.port, to, PROBE_PORT);
            tokio::try_join!(connecting, listener.accept())
        };
        match timeout(LIMIT, open).await {
            Ok(Ok((near, far))) => Ok(Watched::new(near, far, &spec.to)),
            Ok(Err(error)) => Err(failed(&error.to_string())),
            Err(_) => Err(failed("it did not come up in 3 s")),
        }
    }

    /// See [`World::connection`](crate::world::World::connection).
    pub(super) fn report(&self, watched: &Watched) -> ConnectionReport {
        let report = watched
            .report
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut report = *report;
        if !self.nodes().contains_key(&watched.far_node) {
            report.far = None;
        }
        report
    }
}

/// Waits for the port to be free: one connection comes up at a time.
async fn listen(node: &NodeNet) -> io::Result<Box<dyn Listener>> {
    loop {
        match node.listen(PROBE_PORT, SocketOptions::default()).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => sleep(RETRY).await,
            listener => return listener,
        }
    }
}
