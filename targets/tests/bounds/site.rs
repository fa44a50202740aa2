//! The small site with a server of each protocol, on a thread of its own.

use std::net::SocketAddr;

use libtest_mimic::Failed;
use ridethrough_targets::net::{HostNet, Listener, Net, SocketOptions};
use ridethrough_targets::supervisor::metrics::{MetricsConfig, run_metrics_on};
use ridethrough_targets::supervisor::redfish::{RedfishConfig, run_redfish_on};
use ridethrough_targets::supervisor::snmp::{SnmpConfig, run_snmp_on};
use ridethrough_targets::supervisor::sunspec::{SunspecConfig, run_sunspec_on};
use ridethrough_targets::supervisor::{NutAgentConfig, nut_on};
use ridethrough_targets::telemetry::Board;
use tokio::sync::oneshot;

use crate::fixture;

/// Where everything is; it ends with this.
pub(crate) struct Site {
    pub(crate) board: Board,
    pub(crate) nut: SocketAddr,
    pub(crate) snmp: SocketAddr,
    pub(crate) modbus: SocketAddr,
    pub(crate) redfish: SocketAddr,
    pub(crate) metrics: SocketAddr,
    _end: oneshot::Sender<()>,
}

impl Site {
    pub(crate) fn start() -> Result<Self, Failed> {
        let (told, site) = std::sync::mpsc::channel();
        std::thread::spawn(move || -> std::io::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let (board, orders) = fixture::board();
                let (nut, nut_at) = listen().await?;
                let (modbus, modbus_at) = listen().await?;
                let (redfish, redfish_at) = listen().await?;
                let (metrics, metrics_at) = listen().await?;
                let snmp = HostNet::loopback().bind_udp(0).await?;
                let (end, ended) = oneshot::channel();
                let _ = told.send(Self {
                    board: board.clone(),
                    nut: nut_at,
                    snmp: snmp.local_addr(),
                    modbus: modbus_at,
                    redfish: redfish_at,
                    metrics: metrics_at,
                    _end: end,
                });
                tokio::select! {
                    biased;
                    _ = ended => {}
                    () = fixture::drive(board.clone(), orders) => {}
                    () = nut_on(board.clone(), NutAgentConfig::default(), nut, 1) => {}
                    () = run_snmp_on(board.clone(), SnmpConfig::default(), snmp) => {}
                    () = run_sunspec_on(board.clone(), SunspecConfig::default(), modbus) => {}
                    () = run_redfish_on(board.clone(), RedfishConfig::default(), redfish) => {}
                    () = run_metrics_on(board, MetricsConfig::default(), metrics) => {}
                }
                Ok(())
            })
        });
        Ok(site.recv()?)
    }
}

async fn listen() -> std::io::Result<(Box<dyn Listener>, SocketAddr)> {
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await?;
    let address = listener.local_addr();
    Ok((listener, address))
}
