//! Namespaces and mounts, as the init processes make them for themselves.

use std::fmt::Display;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;

use crate::fabric::tap;

use super::kernel;
use super::message::{BootOrder, SiteOrder};
use super::refused::{Need, made};

/// The name of a node's device on the fabric.
const DEVICE: &str = "eth0";

/// The largest packet on the fabric, in bytes.
const MTU: u32 = 1500;

/// Says what failed.
pub(super) trait Doing<T> {
    /// Turns an error into a fragment: `could not WHAT: why`.
    fn doing(self, what: &str) -> Result<T, String>;
}

impl<T, E: Display> Doing<T> for Result<T, E> {
    fn doing(self, what: &str) -> Result<T, String> {
        self.map_err(|error| format!("could not {what}: {error}"))
    }
}

/// Enters a user namespace in which this user is root.
pub(super) fn enter_user(user: Option<(u32, u32)>) -> Result<(), String> {
    let Some((uid, gid)) = user else {
        return Ok(());
    };
    let parent = getppid();
    made(Need::User, unshare(CloneFlags::CLONE_NEWUSER)).doing("enter a user namespace")?;
    fs::write("/proc/self/setgroups", "deny").doing("give up supplementary groups")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1")).doing("map the user")?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1")).doing("map the group")?;
    // New credentials may have cleared the bond to the parent's life.
    set_pdeathsig(Signal::SIGKILL).doing("bind its life to the harness")?;
    if getppid() != parent {
        return Err("the harness is gone".into());
    }
    Ok(())
}

/// What all nodes share. Returns what had to be left out.
pub(super) fn site(order: &SiteOrder) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    private_mounts()?;
    // Needed before any node has its own: a node's clock is set through it.
    let _ = fresh_proc();
    let mut over = |file: &Path, target: &str| {
        let bound = fs::canonicalize(target)
            .doing(&format!("find {target}"))
            .and_then(|target| bind(file, &target));
        if let Err(error) = &bound {
            notes.push(format!("nodes see the host's {target} ({error})"));
        }
        bound.is_ok()
    };
    let hosts = if over(&order.resolv_file, "/etc/resolv.conf") {
        &order.bare_hosts_file
    } else {
        &order.hosts_file
    };
    over(hosts, "/etc/hosts");
    Ok(notes)
}

/// Sets the clocks of the next child, relative to the host's.
pub(super) fn next_clock(offset_ns: Option<i64>) -> Result<(), String> {
    let Some(offset_ns) = offset_ns else {
        return Ok(());
    };
    let seconds = offset_ns.div_euclid(1_000_000_000);
    let rest = offset_ns.rem_euclid(1_000_000_000);
    made(Need::Time, unshare(kernel::NEWTIME)).doing("make a time namespace")?;
    fs::write(
        "/proc/self/timens_offsets",
        format!("monotonic {seconds} {rest}\nboottime {seconds} {rest}\n"),
    )
    .doing("set the clock of a time namespace")
}

/// A node that is set up.
pub(super) struct Prepared {
    /// Its device on the fabric.
    pub(super) tap: Option<OwnedFd>,
    /// Whether `/proc` shows this node alone.
    pub(super) own_proc: bool,
    /// What had to be left out.
    pub(super) notes: Vec<String>,
}

/// Makes the calling process, which is alone in a new pid namespace, the init
/// of a node with its own host name, mounts and network.
pub(super) fn node(order: &BootOrder) -> Result<Prepared, String> {
    let mut notes = Vec::new();
    if order.guest {
        return Ok(Prepared {
            tap: None,
            own_proc: true,
            notes,
        });
    }
    // A container has its own of all these.
    let own_proc = order.contained || own_namespaces(order, &mut notes)?;
    let boot_id = Path::new("/proc/sys/kernel/random/boot_id");
    if let Err(error) = bind(&order.boot_id_file, boot_id) {
        notes.push(format!("nodes see the host's boot_id ({error})"));
    }
    tap::loopback_up().doing("bring up the loopback device")?;
    let tap = tap::create_tap(
        DEVICE,
        order.mac,
        order.ip,
        order.prefix,
        MTU,
        order.offload,
    )
    .doing("make a TAP device")?;
    Ok(Prepared {
        tap: Some(tap),
        own_proc,
        notes,
    })
}

/// Returns whether `/proc` shows the node alone.
fn own_namespaces(order: &BootOrder, notes: &mut Vec<String>) -> Result<bool, String> {
    let own = CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    made(Need::Namespaces, unshare(own)).doing("make the node's namespaces")?;
    nix::unistd::sethostname(&order.node).doing("set the host name")?;
    Ok(match fresh_proc() {
        Ok(()) => true,
        Err(error) => {
            notes.push(format!("nodes see the host's /proc ({error})"));
            false
        }
    })
}

fn private_mounts() -> Result<(), String> {
    let none: Option<&str> = None;
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(none, "/", none, flags, none).doing("make the mounts private")
}

fn fresh_proc() -> Result<(), String> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let none: Option<&str> = None;
    mount(Some("proc"), "/proc", Some("proc"), flags, none).doing("mount a fresh /proc")
}

fn bind(file: &Path, target: &Path) -> Result<(), String> {
    let none: Option<&str> = None;
    mount(Some(file), target, none, MsFlags::MS_BIND, none).doing(&format!(
        "bind {} over {}",
        file.display(),
        target.display()
    ))
}
