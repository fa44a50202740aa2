//! The small site, served on free ports.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use libtest_mimic::Failed;
use ridethrough_targets::net::{Conn, HostNet, Listener, Net, SocketOptions};
use ridethrough_targets::supervisor::metrics::{MetricsConfig, run_metrics_on};
use ridethrough_targets::supervisor::redfish::{Redfish, RedfishConfig};
use ridethrough_targets::units::Span;
use tokio::task::JoinSet;

use crate::fixture;

/// A site of whose devices each does what it is told.
pub(crate) struct Site {
    pub(crate) redfish: u16,
    pub(crate) metrics: u16,
    tls: bool,
    _tasks: JoinSet<()>,
}

/// Reaches this machine and nothing else, whatever address a client subscribes.
struct Inside(HostNet);

#[async_trait]
impl Net for Inside {
    async fn listen(&self, port: u16, options: SocketOptions) -> io::Result<Box<dyn Listener>> {
        self.0.listen(port, options).await
    }

    async fn connect(&self, host: &str, port: u16, options: SocketOptions) -> io::Result<Conn> {
        match self.0.resolve(host) {
            Some(ip) if ip.is_loopback() => self.0.connect(host, port, options).await,
            _ => Err(io::ErrorKind::HostUnreachable.into()),
        }
    }

    fn resolve(&self, host: &str) -> Option<Ipv4Addr> {
        self.0.resolve(host)
    }
}

async fn listener() -> Result<(Box<dyn Listener>, u16), Failed> {
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await?;
    let port = listener.local_addr().port();
    Ok((listener, port))
}

impl Site {
    pub(crate) async fn start(tls: bool) -> Result<Self, Failed> {
        let (board, orders) = fixture::board();
        let (listener_redfish, redfish) = listener().await?;
        let (listener_metrics, metrics) = listener().await?;
        let config = RedfishConfig {
            port: redfish,
            tls,
            cycle: Span::from_millis(50),
            ..RedfishConfig::default()
        };
        let service = Redfish::new(board.clone(), config);
        let service = service.post_through(Arc::new(Inside(HostNet::loopback())));
        let mut tasks = JoinSet::new();
        tasks.spawn(fixture::drive(board.clone(), orders));
        tasks.spawn(service.serve(listener_redfish));
        let config = MetricsConfig::default();
        tasks.spawn(run_metrics_on(board, config, listener_metrics));
        Ok(Self {
            redfish,
            metrics,
            tls,
            _tasks: tasks,
        })
    }

    /// `http://127.0.0.1:<port>`.
    pub(crate) fn root(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.redfish)
    }

    /// An address below `/redfish/v1`.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}/redfish/v1{path}", self.root())
    }
}
