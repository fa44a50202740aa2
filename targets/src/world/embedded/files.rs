//! File descriptors of a node's processes: how many they have, and may have.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use crate::world::FileUse;

use super::kernel;

/// The limits that processes had before they were lowered.
#[derive(Default)]
pub(super) struct Limits {
    before: BTreeMap<i32, u64>,
}

impl Limits {
    /// Lets each of these processes open no more than `leave` further
    /// descriptors. Only the soft limit moves, so that it can go up again
    /// without privileges.
    pub(super) fn lower(&mut self, pids: &[i32], leave: u32) -> io::Result<()> {
        for &pid in pids {
            // One that has ended meanwhile opens nothing.
            let Some(open) = open(&pid.to_string()) else {
                continue;
            };
            let (soft, hard) = match kernel::file_limit(pid) {
                Err(error) if gone(&error) => continue,
                limits => limits?,
            };
            self.before.entry(pid).or_insert(soft);
            kernel::set_file_limit(pid, (open + u64::from(leave)).min(soft), hard)?;
        }
        Ok(())
    }

    /// Gives each of these processes what it had; one that was born meanwhile
    /// gets what this process has.
    pub(super) fn lift(&mut self, pids: &[i32]) -> io::Result<()> {
        let (own, _) = kernel::file_limit(0)?;
        for &pid in pids {
            let soft = self.before.get(&pid).copied().unwrap_or(own);
            match kernel::file_limit(pid) {
                Ok((_, hard)) => kernel::set_file_limit(pid, soft.min(hard), hard)?,
                Err(error) if gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        self.before.clear();
        Ok(())
    }
}

fn gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::errno::Errno::ESRCH as i32)
}

/// What a process has and may have, by the kernel's word. `pid` is its folder
/// in `/proc`.
pub(super) fn usage(service: &str, pid: &str) -> Option<FileUse> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits
        .lines()
        .find_map(|l| l.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    Some(FileUse {
        service: service.to_string(),
        open: open(pid)?,
        limit: soft.parse().unwrap_or(u64::MAX),
    })
}

fn open(pid: &str) -> Option<u64> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    u64::try_from(entries.count()).ok()
}
