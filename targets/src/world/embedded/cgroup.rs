//! Control groups of the host, in which a node's memory is bounded.
//!
//! They live outside of every namespace: the kernel does not take them down
//! with the world, so each is in the journal before it is made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::world::WorldError;

/// Where the kernel shows its control groups.
const ROOT: &str = "/sys/fs/cgroup";

/// What it says of the groups that this process is in.
const OWN: &str = "/proc/self/cgroup";

/// What the name of every group of ours begins with.
const OWNER: &str = "ridethrough-";

/// A place where groups with a bound on memory can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// The group that ours are made in.
    parent: PathBuf,
    /// The group that processes are in, and go back to.
    home: PathBuf,
    /// The file that holds the bound.
    bound: &'static str,
}

impl Memory {
    /// Finds one, without making anything.
    ///
    /// # Errors
    /// [`WorldError::Missing`] where there is none, with the way to one.
    pub(super) fn find() -> Result<Self, WorldError> {
        let own = fs::read_to_string(OWN).unwrap_or_default();
        Self::find_below(Path::new(ROOT), &own).ok_or_else(|| WorldError::Missing {
            what: "no control group with a bound on memory can be made here".into(),
            remedy: "run as root, or below a cgroup v2 tree that is delegated to this user \
                     (`systemd-run --user --scope -p Delegate=yes`)"
                .into(),
        })
    }

    fn find_below(root: &Path, own: &str) -> Option<Self> {
        // Version 2: next to this process's own group, since a group that has
        // processes cannot bound those below it.
        let unified = own.lines().find_map(|line| line.strip_prefix("0::/"));
        let second = unified.and_then(|path| {
            let own = root.join(path);
            let mut above = own.ancestors().take_while(|p| p.starts_with(root));
            above
                .find(|group| {
                    let passed = fs::read_to_string(group.join("cgroup.subtree_control"));
                    let passed =
                        passed.is_ok_and(|all| all.split(' ').any(|c| c.trim() == "memory"));
                    passed && writable(group)
                })
                .map(|group| Self {
                    parent: group.to_path_buf(),
                    home: root.join(path),
                    bound: "memory.max",
                })
        });
        let first = || {
            let of = |line: &str| {
                let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
                let memory = controllers.split(',').any(|c| c == "memory");
                memory.then(|| root.join("memory").join(path.trim_start_matches('/')))
            };
            let home = own.lines().find_map(of)?;
            let there = home.join("memory.limit_in_bytes").exists() && writable(&home);
            there.then(|| Self {
                parent: home.clone(),
                home,
                bound: "memory.limit_in_bytes",
            })
        };
        second.or_else(first)
    }

    /// Where processes go back to.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// The group of a node.
    pub(super) fn group(&self, run: &str, node: &str) -> PathBuf {
        self.parent.join(format!("{OWNER}{run}-{node}"))
    }

    /// Makes the group, with its bound.
    pub(super) fn make(&self, group: &Path, bytes: u64) -> io::Result<()> {
        fs::create_dir(group)?;
        fs::write(group.join(self.bound), bytes.to_string())?;
        // Where swap is accounted, it would be a way around the bound.
        for (file, value) in [
            ("memory.swap.max", "0".to_string()),
            ("memory.memsw.limit_in_bytes", bytes.to_string()),
        ] {
            if group.join(file).exists() {
                fs::write(group.join(file), value)?;
            }
        }
        Ok(())
    }
}

/// Moves processes into a group.
pub(super) fn enter(group: &Path, pids: &[i32]) -> io::Result<()> {
    for pid in pids {
        match fs::write(group.join("cgroup.procs"), pid.to_string()) {
            // It has ended meanwhile.
            Err(error) if error.raw_os_error() == Some(nix::errno::Errno::ESRCH as i32) => {}
            entered => entered?,
        }
    }
    Ok(())
}

fn writable(group: &Path) -> bool {
    nix::unistd::access(group, nix::unistd::AccessFlags::W_OK).is_ok()
        && nix::unistd::access(&group.join("cgroup.procs"), nix::unistd::AccessFlags::W_OK).is_ok()
}

/// The process behind a descriptor and all that descend from it, by the
/// numbers of this pid namespace; parents first.
pub(super) fn descendants(init: i32) -> Vec<i32> {
    let mut all = vec![init];
    let mut at = 0;
    while let Some(pid) = all.get(at) {
        let tasks = fs::read_dir(format!("/proc/{pid}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<i32>().ok()),
            );
        }
        at += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_second_version_is_used_beside_the_own_group() {
        let root = tree(&[
            ("user/cgroup.subtree_control", "cpu memory pids\n"),
            ("user/cgroup.procs", ""),
            ("user/app/cgroup.subtree_control", "\n"),
            ("user/app/cgroup.procs", ""),
        ]);
        let found = Memory::find_below(root.path(), "0::/user/app\n").unwrap();
        assert_eq!(found.parent, root.path().join("user"));
        // A group with groups below it may hold no processes of its own.
        assert_eq!(found.home(), root.path().join("user/app"));
        assert_eq!(found.bound, "memory.max");
    }

    #[test]
    fn the_first_version_is_used_where_the_second_has_no_memory() {
        let root = tree(&[
            ("cgroup.subtree_control", ""),
            ("memory/jobs/memory.limit_in_bytes", "0"),
            ("memory/jobs/cgroup.procs", ""),
        ]);
        let own = "4:memory:/jobs\n1:name=systemd:/\n0::/\n";
        let found = Memory::find_below(root.path(), own).unwrap();
        assert_eq!(found.home(), root.path().join("memory/jobs"));
        assert!(Memory::find_below(root.path(), "0::/\n").is_none());
    }
}
