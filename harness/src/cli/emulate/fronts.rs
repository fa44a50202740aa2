//! The addresses that a site is served on.

use std::net::{Ipv4Addr, SocketAddrV4};

use tokio::task::JoinSet;

use ridethrough_targets::net::{Datagram, HostNet, Listener, Net, SocketOptions};
use ridethrough_targets::supervisor::metrics::{MetricsConfig, run_metrics_on};
use ridethrough_targets::supervisor::redfish::{RedfishConfig, run_redfish_on};
use ridethrough_targets::supervisor::snmp::{SnmpConfig, run_snmp_on};
use ridethrough_targets::supervisor::sunspec::{SunspecConfig, run_sunspec_on};
use ridethrough_targets::supervisor::{NutAgentConfig, nut_on};
use ridethrough_targets::telemetry::Board;

use super::args::EmulateArgs;

/// One protocol on one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Front {
    pub(super) kind: FrontKind,
    pub(super) address: SocketAddrV4,
}

/// A protocol that a site can be asked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrontKind {
    Nut,
    Snmp,
    Modbus,
    Redfish { tls: bool },
    Metrics,
    Http,
}

impl FrontKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nut => "nut",
            Self::Snmp => "snmp",
            Self::Modbus => "modbus",
            Self::Redfish { .. } => "redfish",
            Self::Metrics => "metrics",
            Self::Http => "http",
        }
    }

    /// How a person asks it.
    pub(super) fn hint(self, at: SocketAddrV4) -> String {
        match self {
            Self::Snmp => format!("snmpwalk -v2c -c public {at} 1.3.6.1.2.1.33"),
            Self::Nut => format!("upsc -l {}:{}", at.ip(), at.port()),
            Self::Modbus => format!(
                "mbpoll -m tcp -p {} -a 1 -t 4 -0 -r 40000 -c 2 -1 {}",
                at.port(),
                at.ip()
            ),
            Self::Redfish { tls: false } => {
                format!("curl -u supervisor:supervisor http://{at}/redfish/v1/")
            }
            // Nobody has signed the certificate.
            Self::Redfish { tls: true } => {
                format!("curl -k -u supervisor:supervisor https://{at}/redfish/v1/")
            }
            Self::Metrics => format!("curl http://{at}/metrics"),
            Self::Http => format!("a browser at http://{at}/"),
        }
    }
}

/// What was asked for; everything on the loopback address where nothing was.
///
/// # Errors
/// TLS for a Redfish service that is not asked for.
pub(super) fn asked(args: &EmulateArgs) -> Result<Vec<Front>, String> {
    let tls = args.redfish_tls;
    let named = [
        (FrontKind::Nut, args.nut, 3493),
        (FrontKind::Snmp, args.snmp, 1161),
        (FrontKind::Modbus, args.modbus, 1502),
        (FrontKind::Redfish { tls }, args.redfish, 8000),
        (FrontKind::Metrics, args.metrics, 9100),
        (FrontKind::Http, args.http, 8080),
    ];
    #[cfg(unix)]
    let driver = args.nut_driver.is_some();
    #[cfg(not(unix))]
    let driver = false;
    let all = !driver && named.iter().all(|(_, address, _)| address.is_none());
    if tls && !all && args.redfish.is_none() {
        return Err("--redfish-tls needs --redfish ADDR beside the other addresses".into());
    }
    let front = |(kind, address, port): (FrontKind, Option<SocketAddrV4>, u16)| {
        let address = match address {
            None if all => Some(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)),
            address => address,
        };
        address.map(|address| Front { kind, address })
    };
    Ok(named.into_iter().filter_map(front).collect())
}

/// Opens every address before anything is served: all or nothing.
///
/// # Errors
/// The first address that cannot be had, and why.
pub(super) async fn open(fronts: &[Front]) -> Result<Vec<Open>, String> {
    let mut open = Vec::new();
    for front in fronts {
        let socket = bind(front).await.map_err(|error| refused(front, &error))?;
        let address = match socket.local_addr() {
            std::net::SocketAddr::V4(address) => address,
            std::net::SocketAddr::V6(_) => front.address,
        };
        open.push(Open {
            kind: front.kind,
            address,
            socket,
        });
    }
    Ok(open)
}

/// What a front is reached by.
enum Socket {
    Stream(Box<dyn Listener>),
    Datagram(Box<dyn Datagram>),
}

impl Socket {
    fn local_addr(&self) -> std::net::SocketAddr {
        match self {
            Self::Stream(listener) => listener.local_addr(),
            Self::Datagram(datagram) => datagram.local_addr(),
        }
    }
}

async fn bind(front: &Front) -> std::io::Result<Socket> {
    let (net, port) = (HostNet::on(*front.address.ip()), front.address.port());
    if front.kind == FrontKind::Snmp {
        return Ok(Socket::Datagram(net.bind_udp(port).await?));
    }
    let options = SocketOptions {
        nodelay: true,
        ..SocketOptions::default()
    };
    Ok(Socket::Stream(net.listen(port, options).await?))
}

/// A front with its socket.
pub(super) struct Open {
    pub(super) kind: FrontKind,
    pub(super) address: SocketAddrV4,
    socket: Socket,
}

fn refused(front: &Front, error: &std::io::Error) -> String {
    let flag = front.kind.name();
    let help = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("another program has it; try --{flag} 127.0.0.1:0")
        }
        std::io::ErrorKind::PermissionDenied => {
            format!("ports below 1024 need a privilege; try --{flag} with a higher one")
        }
        std::io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_string(),
        _ => "see --help for the addresses".to_string(),
    };
    format!("cannot serve {flag} on {}: {error}; {help}", front.address)
}

/// Serves a front until the set is dropped.
pub(super) fn serve(
    tasks: &mut JoinSet<()>,
    front: Open,
    board: &Board,
    seed: u64,
    page: &super::page::Page,
) {
    let board = board.clone();
    let listener = match front.socket {
        Socket::Stream(listener) => listener,
        Socket::Datagram(datagram) => {
            tasks.spawn(run_snmp_on(board, SnmpConfig::default(), datagram));
            return;
        }
    };
    match front.kind {
        FrontKind::Nut => {
            tasks.spawn(nut_on(board, NutAgentConfig::default(), listener, seed));
        }
        FrontKind::Modbus => {
            tasks.spawn(run_sunspec_on(board, SunspecConfig::default(), listener));
        }
        FrontKind::Redfish { tls } => {
            let config = RedfishConfig {
                port: front.address.port(),
                tls,
                seed,
                epoch_s: jiff::Timestamp::now().as_second(),
                ..RedfishConfig::default()
            };
            tasks.spawn(run_redfish_on(board, config, listener));
        }
        FrontKind::Metrics => {
            tasks.spawn(run_metrics_on(board, MetricsConfig::default(), listener));
        }
        FrontKind::Http | FrontKind::Snmp => {
            tasks.spawn(page.clone().serve(listener));
        }
    }
}
