//! The service processes of a node, as its init sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::world::{FileUse, NodeState, Socket};

use super::child::{MARKER, RUN_MARK};
use super::enclosure::{HOME, entered};
use super::files;
use super::kernel;
use super::message::ServiceOrder;
use super::setup::Doing;
use super::sockets;

/// Where programs are looked for.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What services take over from the harness's environment.
const PASSED: [&str; 4] = [RUN_MARK, "RUST_LOG", "RUST_BACKTRACE", "TZ"];

/// Services that ended, and how; other processes, and whether they ended well.
type Reaped = (Vec<(String, String)>, Vec<(i32, bool)>);

/// The service processes.
pub(super) struct Procs {
    services: BTreeMap<i32, (String, OwnedFd)>,
    log: OwnedFd,
    own_proc: bool,
}

impl Procs {
    /// Starts all services; each process runs its program when this returns.
    pub(super) fn start(
        services: &[ServiceOrder],
        log: OwnedFd,
        wires: Vec<OwnedFd>,
        own_proc: bool,
    ) -> Result<Self, String> {
        let mut procs = Self {
            services: BTreeMap::new(),
            log,
            own_proc,
        };
        procs.add(services, wires)?;
        Ok(procs)
    }

    /// Starts services beside those that run.
    pub(super) fn add(
        &mut self,
        services: &[ServiceOrder],
        wires: Vec<OwnedFd>,
    ) -> Result<(), String> {
        let mut wires = wires.into_iter();
        let mut entries = Vec::new();
        for service in services {
            let what = format!("start service `{}`", service.name);
            let mut command = program(service)?;
            let (entry, wire) = match service.command {
                Some(_) => {
                    let (entry, wire) = nix::unistd::pipe2(OFlag::O_CLOEXEC).doing(&what)?;
                    (Some(entry), wire)
                }
                None => (None, wires.next().ok_or("a wire is missing").doing(&what)?),
            };
            command
                .stdin(Stdio::null())
                .stdout(self.log.try_clone().doing(&what)?)
                .stderr(self.log.try_clone().doing(&what)?);
            let child = kernel::spawn_service(&mut command, Some(wire)).doing(&what)?;
            // Its copy of the wire would keep an entry open.
            drop(command);
            let pid = child.id() as i32;
            // Its death is collected with everybody's, so not through this.
            drop(child);
            let pidfd = kernel::pidfd_open(pid).doing(&what)?;
            self.services.insert(pid, (service.name.clone(), pidfd));
            entries.extend(entry.map(|entry| (what, entry)));
        }
        // Side by side, and each is its program when this returns.
        for (what, entry) in entries {
            entered(entry).doing(&what)?;
        }
        Ok(())
    }

    /// The processes of the services, and all others of the node where they can
    /// be seen, by the node's own numbers.
    pub(super) fn numbers(&self) -> Vec<i32> {
        match self.own_proc {
            true => self
                .pids()
                .iter()
                .filter_map(|pid| pid.parse().ok())
                .collect(),
            false => self.services.keys().copied().collect(),
        }
    }

    /// The process of a service, if it runs.
    pub(super) fn of(&self, service: &str) -> Option<BorrowedFd<'_>> {
        let mut services = self.services.values();
        let found = services.find(|(name, _)| name == service);
        found.map(|(_, pidfd)| pidfd.as_fd())
    }

    /// What descriptors each service has and may have.
    pub(super) fn files(&self) -> Vec<FileUse> {
        let services = self.services.iter();
        services
            .filter_map(|(pid, (service, pidfd))| match self.own_proc {
                true => files::usage(service, &pid.to_string()),
                false => files::usage(service, &outer(pidfd)?),
            })
            .collect()
    }

    /// The established connections of every process.
    pub(super) fn sockets(&self) -> io::Result<Vec<Socket>> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        let ended = |error: &io::Error| error.raw_os_error() == Some(Errno::ESRCH as i32);
        // A guest is not the first process where it lives, and the first is one of them.
        let first = (std::process::id() != 1 && self.own_proc).then_some(1);
        for number in first.into_iter().chain(self.numbers()) {
            let pidfd = match kernel::pidfd_open(number) {
                Err(error) if ended(&error) => continue,
                pidfd => pidfd?,
            };
            let pid = match self.own_proc {
                true => Some(number.to_string()),
                false => outer(&pidfd),
            };
            let Some(pid) = pid else { continue };
            all.extend(sockets::of(pidfd.as_fd(), &pid, &mut seen)?);
        }
        Ok(all)
    }

    /// Sends a signal to every process of the node but its init.
    pub(super) fn signal_all(&self, signal: Signal) -> io::Result<()> {
        match kill(Pid::from_raw(-1), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Where services log to.
    pub(super) fn log(&self) -> io::Result<OwnedFd> {
        self.log.try_clone()
    }

    /// Collects the dead; returns the services among them and how they ended,
    /// and the others and whether they ended well.
    pub(super) fn reap(&mut self) -> Reaped {
        let (mut ended, mut others) = (Vec::new(), Vec::new());
        loop {
            let (pid, how) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, format!("exit code {code}")),
                Ok(WaitStatus::Signaled(pid, signal, _)) => {
                    (pid, format!("signal {}", signal as i32))
                }
                Ok(WaitStatus::StillAlive) | Err(_) => return (ended, others),
                Ok(_) => continue,
            };
            match self.services.remove(&pid.as_raw()) {
                Some((name, _)) => ended.push((name, how)),
                None => others.push((pid.as_raw(), how == "exit code 0")),
            }
        }
    }

    /// What the processes do, from `/proc`.
    pub(super) fn state(&self) -> NodeState {
        let mut found = false;
        let mut all_stopped = true;
        for pid in self.pids() {
            match letter(&pid) {
                None | Some('Z' | 'X') => {}
                Some('T' | 't') => found = true,
                Some('D') if stop_pending(&pid) => found = true,
                Some(_) => (found, all_stopped) = (true, false),
            }
        }
        match (found, all_stopped) {
            (false, _) => NodeState::Empty,
            (true, true) => NodeState::Stopped,
            (true, false) => NodeState::Running,
        }
    }

    /// The processes by the names of their folders in `/proc`.
    fn pids(&self) -> Vec<String> {
        if self.own_proc {
            let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
            return entries
                .filter_map(|entry| entry.file_name().into_string().ok())
                .filter(|name| name != "1" && name.bytes().all(|byte| byte.is_ascii_digit()))
                .collect();
        }
        // Another pid namespace's /proc: it tells its own number for each
        // process of which this one holds a descriptor.
        self.services
            .values()
            .filter_map(|(_, pidfd)| outer(pidfd))
            .collect()
    }
}

/// The number of a process in the pid namespace of `/proc`.
fn outer(pidfd: &OwnedFd) -> Option<String> {
    kernel::pid_of(pidfd.as_fd()).map(|pid| pid.to_string())
}

/// Whether a stop waits for the process to leave the kernel. One that has been
/// caught between `vfork` and its child's `exec` waits for a child that is
/// stopped itself: it never gets to the letter T, nor back to its program.
fn stop_pending(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let pending = pending.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    pending.is_some_and(|bits| bits & (1 << (Signal::SIGSTOP as u64 - 1)) != 0)
}

/// The state letter of a process.
fn letter(pid: &str) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may itself hold spaces and brackets.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.trim_start().chars().next()
}

fn program(service: &ServiceOrder) -> Result<Command, String> {
    let mut command = match &service.command {
        None => {
            // Not by its path: the file may be out of reach, or replaced.
            let mut command = Command::new("/proc/self/exe");
            command.args([MARKER, "service", &service.name]);
            command
        }
        Some(order) => {
            let Some(program) = order.argv.first() else {
                return Err(format!("service `{}` has an empty command", service.name));
            };
            let given = order.enclosure.files.iter().any(|(_, to)| to == program);
            if !given && find_program(program).is_none() {
                let name = &service.name;
                return Err(format!(
                    "could not start service `{name}`: no program `{program}`"
                ));
            }
            let enclosure = serde_json::to_string(&order.enclosure).doing("tell an enclosure")?;
            let mut command = Command::new("/proc/self/exe");
            command.args([MARKER, "enclosure", &enclosure]);
            command.args(&order.argv);
            command
        }
    };
    let home = service.command.as_ref().map_or("/", |_| HOME);
    command.env_clear().env("PATH", PATH).env("HOME", home);
    for name in PASSED {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if let Some(order) = &service.command {
        command.envs(order.env.iter().map(|(name, value)| (name, value)));
    }
    Ok(command)
}

/// Where a program of the host is, by name or path; `None` where nothing can be run
/// there.
pub(super) fn find_program(program: &str) -> Option<PathBuf> {
    let runs = |path: &PathBuf| {
        let meta = fs::metadata(path);
        meta.is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(runs);
    }
    let folders = PATH.split(':').map(Path::new);
    folders.map(|folder| folder.join(program)).find(runs)
}

/// Packets that the kernel of this network namespace has dropped for a checksum
/// above IP (`/proc/net/snmp`).
pub(super) fn bad_checksums() -> io::Result<u64> {
    Ok(sum_of(
        &std::fs::read_to_string("/proc/self/net/snmp")?,
        "InCsumErrors",
    ))
}

/// The sum of a counter over all protocols: pairs of lines, names and values.
fn sum_of(table: &str, counter: &str) -> u64 {
    let lines: Vec<&str> = table.lines().collect();
    let pairs = lines.as_chunks::<2>().0.iter();
    let values = pairs.filter_map(|[names, values]| {
        let at = names.split_whitespace().position(|name| name == counter)?;
        values.split_whitespace().nth(at)?.parse::<u64>().ok()
    });
    values.sum()
}

#[cfg(test)]
mod tests {
    use super::sum_of;

    #[test]
    fn checksum_errors_of_all_protocols_are_summed() {
        let table = "Tcp: InSegs InCsumErrors\nTcp: 9 2\nUdp: InCsumErrors In\nUdp: 3 7\n\
                     UdpLite: In\nUdpLite: 5\n";
        assert_eq!(sum_of(table, "InCsumErrors"), 5);
    }
}
