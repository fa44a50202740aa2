//! The list of what this machine can do, for people.

use std::path::Path;

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};
use nix::unistd::{AccessFlags, access};

use crate::world::{Capability, WorldError, docker};

use super::cgroup::Memory;
use super::kernel::{FUSE_FD, Step};
use super::probe::{Named, attempt, means, time_steps, user_steps};
use super::refused::{Need, Refused, USER_REMEDY, fuse_remedy, tap_remedy};
use super::volume::ext4_missing;

/// The capability that others are tried in.
const USER_NAMESPACES: &str = "user namespaces";

/// Tries everything and lists it, for the user that asks. What must be tried in
/// the kernel is tried in a child process that then ends, so nothing stays.
pub fn capabilities() -> Vec<Capability> {
    let mut list = vec![user_namespaces()];
    list.extend(namespaces());
    list.extend(devices());
    list.extend([ext4(), embedded_world(), cgroups(), docker::capability()]);
    list.push(program(
        "NUT clients",
        "upsc",
        "a look at the supervisor with a client of another make",
        "install the package `nut-client`",
    ));
    list.push(program(
        "tshark",
        "tshark",
        "reading captures in tests",
        "install the package `tshark`",
    ));
    list
}

fn namespaces() -> [Capability; 4] {
    let unshare = |flags| vec![(Need::Namespaces, Step::Unshare(flags))];
    [
        tried(
            "network namespaces",
            inside(unshare(CloneFlags::CLONE_NEWNET)),
            "the embedded world",
            |_| USER_REMEDY,
        ),
        tried(
            "pid namespaces",
            inside(unshare(CloneFlags::CLONE_NEWPID)),
            "the embedded world",
            |_| USER_REMEDY,
        ),
        tried(
            "time namespaces",
            inside(time_steps()),
            "clocks that restart with a node",
            |_| "a kernel built with CONFIG_TIME_NS (5.6 or later)",
        ),
        tried(
            "fresh /proc",
            inside(proc_steps()),
            "nodes that see their own processes alone",
            |_| {
                "in a container, run with an unmasked /proc \
                (`--security-opt systempaths=unconfined`)"
            },
        ),
    ]
}

fn devices() -> [Capability; 3] {
    let tap_steps = vec![
        (Need::Namespaces, Step::Unshare(CloneFlags::CLONE_NEWNET)),
        (Need::Tap, Step::Tap),
    ];
    [
        tried(
            "TAP devices",
            inside(tap_steps),
            "the fabric of the embedded and docker worlds",
            tap_remedy,
        ),
        tried(
            "FUSE",
            fuse(),
            "volumes without root; slow, failing, torn and forgetful disks",
            fuse_remedy,
        ),
        tried(
            "netem",
            inside(netem_steps()),
            "nothing: the fabric delays and drops by itself",
            |_| "not needed",
        ),
    ]
}

/// Whether a FUSE file system can be mounted.
pub(super) fn fuse() -> Result<(), Refused> {
    inside(fuse_steps())
}

/// Tries steps as root of a user namespace, where it takes one.
fn inside(steps: Named) -> Result<(), Refused> {
    let groups = if allowed() {
        vec![steps]
    } else {
        vec![user_steps(), steps]
    };
    tell(attempt(&groups))
}

/// What an attempt told. Where there was none, for want of processes or of
/// descriptors, that is the refusal.
fn tell(told: Result<Result<(), Refused>, WorldError>) -> Result<(), Refused> {
    told.unwrap_or_else(|error| {
        let errno = match &error {
            WorldError::System { source, .. } => source.raw_os_error(),
            _ => None,
        };
        Err(Refused {
            need: Need::Other,
            errno: errno.map_or(Errno::UnknownErrno, Errno::from_raw),
        })
    })
}

/// Whether this process may make namespaces without a user namespace.
fn allowed() -> bool {
    let steps = vec![(
        Need::Namespaces,
        Step::Unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS),
    )];
    matches!(attempt(&[steps]), Ok(Ok(())))
}

fn proc_steps() -> Named {
    vec![
        (
            Need::Namespaces,
            Step::Unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS),
        ),
        (Need::Other, Step::Fork),
        (Need::Mount, Step::PrivateMounts),
        (Need::Mount, Step::Proc),
    ]
}

fn fuse_steps() -> Named {
    let options = format!("fd={FUSE_FD},rootmode=40000,user_id=0,group_id=0");
    let options = std::ffi::CString::new(options).unwrap_or_default();
    vec![
        (Need::Namespaces, Step::Unshare(CloneFlags::CLONE_NEWNS)),
        (Need::Mount, Step::PrivateMounts),
        (Need::Mount, Step::Fuse(options)),
    ]
}

/// A netem queue on the loopback device of a new network namespace.
fn netem_steps() -> Named {
    vec![
        (Need::Namespaces, Step::Unshare(CloneFlags::CLONE_NEWNET)),
        (Need::Other, Step::Route(netem_request())),
    ]
}

/// `RTM_NEWQDISC` for device 1, as rtnetlink(7) lays it out.
fn netem_request() -> Vec<u8> {
    const RTM_NEWQDISC: u16 = 36;
    // NLM_F_REQUEST | NLM_F_ACK | NLM_F_REPLACE | NLM_F_CREATE.
    const FLAGS: u16 = 0x0001 | 0x0004 | 0x0100 | 0x0400;
    const TC_H_ROOT: u32 = u32::MAX;
    const TCA_KIND: u16 = 1;
    const TCA_OPTIONS: u16 = 2;
    const DEVICE: i32 = 1;
    let mut body = Vec::new();
    body.extend([0_u8; 4]);
    body.extend(DEVICE.to_ne_bytes());
    body.extend(0_u32.to_ne_bytes());
    body.extend(TC_H_ROOT.to_ne_bytes());
    body.extend(0_u32.to_ne_bytes());
    body.extend(10_u16.to_ne_bytes());
    body.extend(TCA_KIND.to_ne_bytes());
    body.extend(*b"netem\0\0\0");
    // A tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter.
    body.extend(28_u16.to_ne_bytes());
    body.extend(TCA_OPTIONS.to_ne_bytes());
    for value in [0_u32, 1000, 0, 0, 0, 0] {
        body.extend(value.to_ne_bytes());
    }
    let mut message = Vec::new();
    message.extend((16 + body.len() as u32).to_ne_bytes());
    message.extend(RTM_NEWQDISC.to_ne_bytes());
    message.extend(FLAGS.to_ne_bytes());
    message.extend([0_u8; 8]);
    message.extend(body);
    message
}

fn tried(
    name: &'static str,
    result: Result<(), Refused>,
    needed_for: &'static str,
    remedy: impl Fn(Errno) -> &'static str,
) -> Capability {
    match result {
        Ok(()) => Capability {
            name,
            found: true,
            detail: "tried and works".into(),
            needed_for,
            remedy: String::new(),
        },
        Err(refused) => Capability {
            name,
            found: false,
            detail: if untried(name, refused) {
                format!(
                    "could not be tried without {USER_NAMESPACES} ({})",
                    refused.said()
                )
            } else {
                format!("refused: {}", refused.said())
            },
            needed_for,
            remedy: if untried(name, refused) || refused.at_limit() {
                refused.remedy().into()
            } else {
                remedy(refused.errno).into()
            },
        },
    }
}

/// Whether the user namespace in which this was to be tried was refused. What
/// the kernel said is then about that, and so is the way out.
fn untried(name: &str, refused: Refused) -> bool {
    refused.need == Need::User && name != USER_NAMESPACES
}

fn user_namespaces() -> Capability {
    tried(
        USER_NAMESPACES,
        tell(attempt(&[user_steps()])),
        "the embedded world without root",
        |_| USER_REMEDY,
    )
}

fn embedded_world() -> Capability {
    let (found, detail, remedy) = match means() {
        Ok(means) => {
            let how = match means.user {
                None => "as this user, without a user namespace".to_string(),
                Some((uid, _)) => format!("uid {uid} as root of a user namespace"),
            };
            (true, how, String::new())
        }
        Err(WorldError::Missing { what, remedy }) => (false, what, remedy),
        Err(error) => (false, error.to_string(), String::new()),
    };
    Capability {
        name: "embedded world",
        found,
        detail,
        needed_for: "`--world embedded`",
        remedy,
    }
}

fn ext4() -> Capability {
    let root = nix::unistd::geteuid().is_root() && allowed();
    let missing = ext4_missing(root);
    let (detail, remedy) = match &missing {
        None => ("as root, on loop devices", ""),
        Some((what, remedy)) => (what.as_str(), *remedy),
    };
    Capability {
        name: "ext4 volumes",
        found: missing.is_none(),
        detail: detail.into(),
        needed_for: "volumes with a real file system under power cuts",
        remedy: remedy.into(),
    }
}

fn cgroups() -> Capability {
    let root = Path::new("/sys/fs/cgroup");
    let magic = statfs(root).map(|stat| stat.filesystem_type()).ok();
    let version = match magic {
        Some(CGROUP2_SUPER_MAGIC) => "version 2",
        Some(_) if root.join("memory").exists() => "version 1",
        Some(_) => "not mounted",
        None => "no /sys/fs/cgroup",
    };
    let found = Memory::find();
    let (detail, remedy) = match &found {
        Ok(memory) => {
            let home = memory.home().display();
            (format!("{version}, below {home}"), String::new())
        }
        Err(WorldError::Missing { what, remedy }) => (format!("{version}: {what}"), remedy.clone()),
        Err(other) => (other.to_string(), USER_REMEDY.into()),
    };
    Capability {
        name: "memory bounds",
        found: found.is_ok(),
        detail,
        needed_for: "the fault `memory_pressure`",
        remedy,
    }
}

fn program(
    name: &'static str,
    file: &str,
    needed_for: &'static str,
    remedy: &'static str,
) -> Capability {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(file))
        .find(|path| path.is_file() && access(path, AccessFlags::X_OK).is_ok());
    Capability {
        name,
        found: found.is_some(),
        detail: match &found {
            Some(path) => path.display().to_string(),
            None => format!("no `{file}` in PATH"),
        },
        needed_for,
        remedy: if found.is_some() { "" } else { remedy }.into(),
    }
}

#[cfg(test)]
mod tests;
