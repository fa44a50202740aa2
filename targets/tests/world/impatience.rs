//! A node whose kernel gives up on its neighbours soon.

use std::fs;
use std::io::{self, ErrorKind};

use nix::mount::{MsFlags, mount};
use ridethrough_targets::service::{BuiltinFuture, Env, ServiceError};
use ridethrough_targets::world::conformance;

/// Neighbour entries go stale in half a second and fail after three unanswered
/// requests, 200 ms apart.
const IMPATIENT: [(&str, &str); 3] = [
    ("base_reachable_time_ms", "500"),
    ("delay_first_probe_time", "0"),
    ("retrans_time_ms", "200"),
];

/// The table's client on such a node. Whatever it connects to becomes a neighbour
/// after its kernel has lost patience.
pub(crate) const CLIENT: &str = "impatient-client";

pub(crate) fn client(config: &serde_json::Value, env: Env) -> Option<BuiltinFuture> {
    match set() {
        Ok(()) => conformance::builtin(conformance::CLIENT, config, env),
        Err(source) => Some(Box::pin(async move {
            Err(ServiceError::Io {
                what: "make its kernel impatient".into(),
                source,
            })
        })),
    }
}

fn set() -> io::Result<()> {
    for (name, value) in IMPATIENT {
        let path = format!("/proc/sys/net/ipv4/neigh/eth0/{name}");
        match fs::write(&path, value) {
            Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => {
                writable()?;
                fs::write(&path, value)?;
            }
            written => written?,
        }
    }
    Ok(())
}

/// Engines keep the kernel's settings from their containers.
fn writable() -> io::Result<()> {
    let none: Option<&str> = None;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND;
    Ok(mount(none, "/proc/sys", none, flags, none)?)
}
