//! What the kernel refused, in words, and the way to get it.

use std::io;

use nix::errno::Errno;

use crate::world::WorldError;

/// What a step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// User namespaces.
    User,
    /// Network, mount, pid, host name and IPC namespaces.
    Namespaces,
    /// The TAP device.
    Tap,
    /// Time namespaces.
    Time,
    /// A mount.
    Mount,
    /// Something else.
    Other,
}

/// What was refused, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    /// What.
    pub(super) need: Need,
    /// What the kernel said.
    pub(super) errno: Errno,
}

impl Refused {
    /// Whether this is the limit on namespaces: the kernel then speaks of space
    /// on a device, or of users.
    pub(super) fn at_limit(self) -> bool {
        let namespaces = matches!(self.need, Need::User | Need::Namespaces | Need::Time);
        namespaces && matches!(self.errno, Errno::ENOSPC | Errno::EUSERS)
    }

    /// What the kernel said, and what it means where its words mislead.
    pub(super) fn said(self) -> String {
        let desc = self.errno.desc();
        match (self.at_limit(), self.need) {
            (false, _) => desc.to_string(),
            (true, Need::User) => {
                format!("{desc}: the limit `sysctl user.max_user_namespaces` is reached")
            }
            (true, _) => format!("{desc}: a limit on namespaces is reached"),
        }
    }

    /// How to get it.
    pub(super) fn remedy(self) -> &'static str {
        match (self.at_limit(), self.need) {
            (true, Need::User) => LIMIT_REMEDY,
            (true, _) => NAMESPACES_REMEDY,
            (false, Need::Tap) => tap_remedy(self.errno),
            (false, _) => USER_REMEDY,
        }
    }

    pub(super) fn missing(self) -> WorldError {
        let what = match self.need {
            Need::Tap => "no TAP device",
            Need::User => "no user namespaces",
            _ => "no namespaces for nodes",
        };
        WorldError::Missing {
            what: format!("{what} ({})", self.said()),
            remedy: self.remedy().into(),
        }
    }
}

/// How to get user namespaces.
pub(super) const USER_REMEDY: &str = "run as root, or allow user namespaces: \
    `sysctl -w user.max_user_namespaces=10000`, and where the key exists \
    `kernel.unprivileged_userns_clone=1` and `kernel.apparmor_restrict_unprivileged_userns=0`";

/// How to get more user namespaces.
const LIMIT_REMEDY: &str =
    "raise the limit with `sysctl -w user.max_user_namespaces=10000`, or run as root";

/// How to get more namespaces of other kinds.
const NAMESPACES_REMEDY: &str = "raise the limits `user.max_net_namespaces`, \
    `user.max_pid_namespaces` and their like: `sysctl -a -r '^user.max_.*_namespaces'` shows them";

/// How to get TAP devices.
pub(super) fn tap_remedy(errno: Errno) -> &'static str {
    match errno {
        Errno::ENOENT | Errno::ENODEV | Errno::ENXIO => {
            "load the driver with `modprobe tun`; in a container, pass `--device /dev/net/tun`"
        }
        Errno::EACCES => "let everybody open it with `chmod 0666 /dev/net/tun`",
        _ => "in a container, allow the device: `--device /dev/net/tun`",
    }
}

/// How to get FUSE.
pub(super) fn fuse_remedy(errno: Errno) -> &'static str {
    match errno {
        Errno::EACCES => "let everybody open it with `chmod 0666 /dev/fuse`",
        _ => "`modprobe fuse`; in a container, pass `--device /dev/fuse`",
    }
}

/// The outcome of a call that makes namespaces, in words that do not send
/// anybody to look for a full disk.
pub(super) fn made<T, E: Into<io::Error>>(need: Need, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| {
        let error: io::Error = error.into();
        match error.raw_os_error() {
            Some(errno) => Refused {
                need,
                errno: Errno::from_raw(errno),
            }
            .said(),
            None => error.to_string(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_on_namespaces_is_not_a_full_disk() {
        let full = || Err::<(), _>(Errno::ENOSPC);
        let said = made(Need::User, full()).unwrap_err();
        assert!(said.contains("`sysctl user.max_user_namespaces`"), "{said}");
        let said = made(Need::Namespaces, full()).unwrap_err();
        assert!(said.contains("a limit on namespaces"), "{said}");
        let disk = made(Need::Other, full()).unwrap_err();
        assert_eq!(disk, Errno::ENOSPC.desc());
    }

    #[test]
    fn a_limit_is_raised_and_a_ban_is_lifted() {
        let remedy = |errno| {
            let need = Need::User;
            Refused { need, errno }.remedy()
        };
        assert!(remedy(Errno::ENOSPC).starts_with("raise the limit"));
        assert!(remedy(Errno::EPERM).contains("unprivileged_userns_clone"));
    }
}
