//! What this machine can give, found out by trying it in a child.

use std::ffi::CString;
use std::io;

use nix::errno::Errno;
use nix::sched::CloneFlags;

use crate::world::WorldError;

use super::kernel::{self, Refusal, Step};
use super::refused::{Need, Refused};

/// How an embedded world is made on this machine.
#[derive(Debug)]
pub(super) struct Means {
    /// The user and group that become root in a user namespace; `None` where
    /// the process may do everything itself.
    pub(super) user: Option<(u32, u32)>,
    /// Whether there are time namespaces.
    pub(super) time_ns: bool,
    /// What has to be left out.
    pub(super) notes: Vec<String>,
}

impl Means {
    /// Devices hand over large segments wherever rules and capture allow it.
    pub(super) const OFFLOAD: bool = true;
}

/// Finds the means, or says what is missing.
pub(super) fn means() -> Result<Means, WorldError> {
    let own = || attempt(&[node_steps()]);
    let user = || attempt(&[user_steps(), node_steps()]);
    let as_root = nix::unistd::geteuid().is_root() && own()?.is_ok();
    let user = if as_root {
        None
    } else {
        user()?.map_err(|refusal| refusal.missing())?;
        Some(ids())
    };
    let mut steps = vec![time_steps()];
    if user.is_some() {
        steps.insert(0, user_steps());
    }
    let time_ns = attempt(&steps)?.is_ok();
    let mut notes = Vec::new();
    if !time_ns {
        notes.push("no time namespaces: a new boot does not restart its clock".into());
    }
    Ok(Means {
        user,
        time_ns,
        notes,
    })
}

/// Steps by the name of what they need.
pub(super) type Named = Vec<(Need, Step)>;

/// This process's effective user and group.
fn ids() -> (u32, u32) {
    (
        nix::unistd::geteuid().as_raw(),
        nix::unistd::getegid().as_raw(),
    )
}

/// Becoming root in a user namespace.
pub(super) fn user_steps() -> Named {
    let (uid, gid) = ids();
    let write = |path: &std::ffi::CStr, text: String| {
        let step = Step::Write(CString::from(path), text.into_bytes());
        (Need::User, step)
    };
    vec![
        (Need::User, Step::Unshare(CloneFlags::CLONE_NEWUSER)),
        write(c"/proc/self/setgroups", "deny".into()),
        write(c"/proc/self/uid_map", format!("0 {uid} 1")),
        write(c"/proc/self/gid_map", format!("0 {gid} 1")),
    ]
}

/// Everything that a node needs.
pub(super) fn node_steps() -> Named {
    let namespaces = CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    vec![
        (Need::Namespaces, Step::Unshare(namespaces)),
        (Need::Mount, Step::PrivateMounts),
        (Need::Tap, Step::Tap),
    ]
}

/// A clock that starts anew.
pub(super) fn time_steps() -> Named {
    let offsets = Step::Write(
        c"/proc/self/timens_offsets".into(),
        b"monotonic 1 0\nboottime 1 0\n".to_vec(),
    );
    vec![
        (Need::Time, Step::Unshare(kernel::NEWTIME)),
        (Need::Time, offsets),
    ]
}

/// Tries groups of steps, one after the other, in one child.
pub(super) fn attempt(groups: &[Named]) -> Result<Result<(), Refused>, WorldError> {
    try_steps(groups).map_err(|source| WorldError::System {
        what: "try what this machine can do".into(),
        source,
    })
}

fn try_steps(groups: &[Named]) -> io::Result<Result<(), Refused>> {
    let mut needs = Vec::new();
    let mut steps = Vec::new();
    for (need, step) in groups.iter().flatten() {
        needs.push(*need);
        steps.push(step);
    }
    let result = kernel::attempt(&steps)?;
    Ok(result.map_err(|Refusal { step, errno }| Refused {
        need: needs.get(step).copied().unwrap_or(Need::Other),
        errno: Errno::from_raw(errno),
    }))
}

#[cfg(test)]
mod tests;
