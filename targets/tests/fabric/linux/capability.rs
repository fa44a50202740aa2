//! Whether this machine can run the tests, and how it could.

use std::fs;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid};

use super::node::Node;

/// Becomes root of a user namespace of its own, unless it is root. Must be
/// called before the first thread starts.
pub(crate) fn become_root() {
    if getuid().is_root() {
        return;
    }
    let (uid, gid) = (getuid(), getgid());
    // What fails here shows when the first device is made.
    if unshare(CloneFlags::CLONE_NEWUSER).is_ok() {
        drop(fs::write("/proc/self/setgroups", "deny"));
        drop(fs::write("/proc/self/uid_map", format!("0 {uid} 1")));
        drop(fs::write("/proc/self/gid_map", format!("0 {gid} 1")));
    }
}

/// What is missing for devices in namespaces, with the way to get it.
pub(crate) fn missing() -> Option<String> {
    let node = match Node::new(1) {
        Ok(node) => node,
        Err(error) => {
            return Some(format!(
                "no network namespace ({error}): run as root, or allow user namespaces"
            ));
        }
    };
    let error = node.tap(true).err()?;
    Some(format!(
        "no TAP device ({error}): `modprobe tun` and make /dev/net/tun readable and writable"
    ))
}

/// Whether tshark can be run.
pub(crate) fn missing_tshark() -> Option<String> {
    let version = std::process::Command::new("tshark").arg("-v").output();
    match version {
        Ok(output) if output.status.success() => None,
        _ => Some("no tshark: install it (`apt-get install tshark`)".to_string()),
    }
}
