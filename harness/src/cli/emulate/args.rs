//! What `ridethrough emulate` takes.

use std::net::SocketAddrV4;
use std::path::PathBuf;

use clap::Args;

pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  ridethrough emulate playbooks/sites/two-feed.yaml
  ridethrough emulate playbooks/sites/two-feed.yaml --nut 127.0.0.1:3493 &
  upsc ups-a@127.0.0.1
  ridethrough emulate playbooks/sites/two-feed.yaml --playbook playbooks/power/utility-outage.yaml
  curl -d 'outage grid' http://127.0.0.1:8080/command";

#[derive(Debug, Args)]
pub(in crate::cli) struct EmulateArgs {
    /// The site.
    pub(in crate::cli) site: PathBuf,
    /// Serve NUT here.
    #[arg(long, value_name = "ADDR")]
    pub(in crate::cli) nut: Option<SocketAddrV4>,
    /// Serve a NUT driver for each device, in this folder, to an upsd.
    #[cfg(unix)]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) nut_driver: Option<PathBuf>,
    /// Serve SNMP v1, v2c and v3 here.
    #[arg(long, value_name = "ADDR")]
    pub(in crate::cli) snmp: Option<SocketAddrV4>,
    /// Serve battery storage by SunSpec Modbus here.
    #[arg(long, value_name = "ADDR")]
    pub(in crate::cli) modbus: Option<SocketAddrV4>,
    /// Serve Redfish here.
    #[arg(long, value_name = "ADDR")]
    pub(in crate::cli) redfish: Option<SocketAddrV4>,
    /// Serve Redfish by TLS, with a certificate of its own that nobody signed.
    #[arg(long)]
    pub(in crate::cli) redfish_tls: bool,
    /// Serve Prometheus metrics and the state stream here.
    #[arg(long, value_name = "ADDR")]
    pub(in crate::cli) metrics: Option<SocketAddrV4>,
    /// Serve the diagram as a page, and take commands, here.
    #[arg(long, value_name = "ADDR")]
    pub(in crate::cli) http: Option<SocketAddrV4>,
    /// Play the power faults of this playbook, then end.
    #[arg(long, value_name = "PLAYBOOK")]
    pub(in crate::cli) playbook: Option<PathBuf>,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}
