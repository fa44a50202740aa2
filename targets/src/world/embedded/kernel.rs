//! The calls to the kernel that need `unsafe`, and nothing else.
#![allow(unsafe_code)]

mod attempt;
mod volume;

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::world::LookupError;

pub(super) use attempt::{FUSE_FD, Refusal, Step, attempt};
pub(super) use volume::{attach_loop, shut_down};

/// The descriptor on which a built-in service finds its wire.
pub(super) const WIRE_FD: RawFd = 3;

/// `CLONE_NEWTIME`, which only `unshare` takes here.
pub(super) const NEWTIME: CloneFlags = CloneFlags::from_bits_retain(libc::CLONE_NEWTIME);

/// Which side of a fork this is.
pub(super) enum Forked {
    /// The new process.
    Child,
    /// The old one, with a descriptor of the new process.
    Parent(OwnedFd),
}

#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

/// Forks into new namespaces, as `clone3` with `flags` (`CLONE_NEWPID`, say).
///
/// The caller must have a single thread: the new process carries a copy of
/// the whole address space, locks included.
pub(super) fn fork_into(flags: CloneFlags) -> io::Result<Forked> {
    let mut pidfd: RawFd = -1;
    let mut args = CloneArgs {
        flags: flags.bits() as u64 | libc::CLONE_PIDFD as u64,
        pidfd: std::ptr::from_mut(&mut pidfd) as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    // SAFETY: the argument block is valid for its stated size; without
    // CLONE_VM the child runs on its own copy of this stack, as after fork(2).
    // Callers are single-threaded children of this binary, so no other thread
    // can hold a lock that the child would wait for.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            std::ptr::from_mut(&mut args),
            size_of::<CloneArgs>(),
        )
    };
    match result {
        0 => Ok(Forked::Child),
        // SAFETY: the kernel has put a new descriptor there; nothing else owns it.
        1.. => Ok(Forked::Parent(unsafe { OwnedFd::from_raw_fd(pidfd) })),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A descriptor for a process.
pub(in crate::world) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes no pointers; a result that is not negative is a
    // new descriptor that nothing else owns.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// A descriptor of the same file as this one of another process (Linux 5.6).
pub(super) fn pidfd_getfd(pidfd: BorrowedFd<'_>, number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_getfd takes no pointers; a result that is not negative is a
    // new descriptor that nothing else owns.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), number, 0);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// The number of the process behind a descriptor, as this pid namespace has it.
pub(in crate::world) fn pid_of(pidfd: BorrowedFd<'_>) -> Option<i32> {
    let path = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
    let text = std::fs::read_to_string(path).ok()?;
    let pid = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    pid.trim().parse().ok()
}

/// Kills the process behind a descriptor with SIGKILL; one that is dead
/// already is no error.
pub(in crate::world) fn pidfd_kill(pidfd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: a null siginfo is allowed, and no other memory is involved.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            libc::SIGKILL,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    if result == 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        error => Err(error),
    }
}

/// Takes over a descriptor that this process was started with.
///
/// Call it at most once for each number, before anything else opens files.
pub(super) fn inherited(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD only looks the number up; once it is known to be open,
    // the one caller per number becomes its owner.
    unsafe {
        if libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Whether the process behind a descriptor has ended.
pub(in crate::world) fn has_ended(pidfd: BorrowedFd<'_>) -> bool {
    let mut look = [PollFd::new(pidfd, PollFlags::POLLIN)];
    poll(&mut look, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// Takes over a descriptor that a call to the kernel has just returned.
pub(in crate::world) fn owned(fd: RawFd) -> OwnedFd {
    // SAFETY: the one caller has it from a call that makes a new descriptor.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Closes every descriptor from 3 up that `keep` does not name. For a child
/// right after a fork, which then never uses the values that owned the others.
pub(super) fn close_others(keep: &[RawFd]) -> io::Result<()> {
    let mut keep: Vec<RawFd> = keep.iter().copied().filter(|fd| *fd >= 3).collect();
    keep.sort_unstable();
    let mut first: RawFd = 3;
    for fd in keep {
        if fd > first {
            close_range(first as u32, (fd - 1) as u32)?;
        }
        first = first.max(fd + 1);
    }
    close_range(first as u32, u32::MAX)
}

fn close_range(first: u32, last: u32) -> io::Result<()> {
    // SAFETY: no memory is involved. The callers have just forked and leave
    // every closed descriptor's owner unused, its drop included.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Receives one message and the descriptors that came with it. Zero bytes mean
/// that the other end is closed.
pub(super) fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> io::Result<(usize, Vec<OwnedFd>)> {
    // Room for 64 descriptors; aligned for the control message header.
    let mut control = [MaybeUninit::<u64>::uninit(); 36];
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: msghdr is plain old data; every pointer in it is to memory that
    // outlives the call, with its true length. The kernel fills the control
    // buffer with whole headers, which the CMSG macros walk within the length
    // that it reports; each descriptor in them is new and owned by nobody.
    unsafe {
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_iov = &mut part;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&control) as _;
        let count = libc::recvmsg(socket.as_raw_fd(), &mut header, libc::MSG_CMSG_CLOEXEC);
        if count < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut fds = Vec::new();
        let mut at = libc::CMSG_FIRSTHDR(&header);
        while !at.is_null() {
            if (*at).cmsg_level == libc::SOL_SOCKET && (*at).cmsg_type == libc::SCM_RIGHTS {
                let bytes = (*at).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let data = libc::CMSG_DATA(at).cast::<RawFd>();
                for index in 0..bytes / size_of::<RawFd>() {
                    fds.push(OwnedFd::from_raw_fd(data.add(index).read_unaligned()));
                }
            }
            at = libc::CMSG_NXTHDR(&header, at);
        }
        if header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "message larger than its buffer",
            ));
        }
        Ok((count as usize, fds))
    }
}

/// Starts a program that dies with the thread that calls this, in a session of
/// its own: an interrupt from the keyboard is for the harness alone, which then
/// ends the world in good order.
pub(super) fn spawn_bound(command: &mut Command) -> io::Result<Child> {
    let parent = std::process::id();
    // SAFETY: the hook runs between fork and exec and makes system calls
    // that allocate nothing.
    unsafe {
        command.pre_exec(move || {
            nix::unistd::setsid()?;
            nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
            // The parent may have died before the line above took effect.
            if nix::unistd::getppid().as_raw() as u32 == parent {
                Ok(())
            } else {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        });
    }
    command.spawn()
}

/// Starts a service: its wire, if it has one, becomes descriptor 3; it inherits
/// nothing else beyond its standard streams.
pub(super) fn spawn_service(command: &mut Command, wire: Option<OwnedFd>) -> io::Result<Child> {
    // SAFETY: the hook runs between fork and exec and makes system calls only.
    // Descriptors above 3 are marked and not closed, because the standard
    // library reports a failing exec through one of them.
    unsafe {
        command.pre_exec(move || {
            let first = match &wire {
                Some(wire) if wire.as_raw_fd() == WIRE_FD => {
                    if libc::fcntl(WIRE_FD, libc::F_SETFD, 0) < 0 {
                        return Err(io::Error::last_os_error());
                    }
                    WIRE_FD + 1
                }
                Some(wire) => {
                    if libc::dup2(wire.as_raw_fd(), WIRE_FD) < 0 {
                        return Err(io::Error::last_os_error());
                    }
                    WIRE_FD + 1
                }
                None => WIRE_FD,
            };
            libc::syscall(
                libc::SYS_close_range,
                first,
                u32::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            );
            // The node's init collects deaths through a descriptor, and so
            // blocks the signal; a service must not inherit that.
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            Ok(())
        });
    }
    // The library's own pipe for a failing exec must not get the number that
    // the wire is about to take, so every number up to it is in use meanwhile.
    let mut held = Vec::new();
    loop {
        let file = std::fs::File::open("/dev/null")?;
        let above = file.as_raw_fd() > WIRE_FD;
        held.push(file);
        if above {
            break;
        }
    }
    command.spawn()
}

/// The soft and the hard limit of a process on open descriptors; 0 is this
/// process.
pub(super) fn file_limit(pid: i32) -> io::Result<(u64, u64)> {
    let mut now = libc::rlimit64 {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: a null new limit is allowed; the old one is written to a value
    // that outlives the call.
    let result = unsafe {
        libc::prlimit64(
            pid,
            libc::RLIMIT_NOFILE,
            std::ptr::null(),
            std::ptr::from_mut(&mut now),
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((now.rlim_cur, now.rlim_max))
}

/// Sets the limits of a process on open descriptors; one that has ended is no
/// error.
pub(super) fn set_file_limit(pid: i32, soft: u64, hard: u64) -> io::Result<()> {
    let limit = libc::rlimit64 {
        rlim_cur: soft,
        rlim_max: hard,
    };
    // SAFETY: the new limit is only read; a null old one is allowed.
    let result = unsafe {
        libc::prlimit64(
            pid,
            libc::RLIMIT_NOFILE,
            std::ptr::from_ref(&limit),
            std::ptr::null_mut(),
        )
    };
    if result == 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        error => Err(error),
    }
}

/// Lets children of this process vanish when they die (`true`), or leaves them
/// to be waited for.
pub(super) fn reap_by_itself(on: bool) -> io::Result<()> {
    let action = if on { libc::SIG_IGN } else { libc::SIG_DFL };
    // SAFETY: no handler function is involved.
    if unsafe { libc::signal(libc::SIGCHLD, action) } == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Watches a descriptor with the runtime.
pub(in crate::world) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned, is never swapped for another, and stays
    // open for as long as the registration, which owns it.
    Ok(unsafe { AsyncFd::register(fd) }?)
}

/// Watches a process's descriptor, which can only become readable.
pub(in crate::world) fn watch_process(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: as in `watch`.
    Ok(unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?)
}

/// Makes a mount and all below it read-only. Kernels before 5.12 cannot.
pub(super) fn read_only(path: &std::path::Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path ends in a zero byte, and the attributes are read for their
    // stated size; both outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            std::ptr::from_ref(&attributes),
            size_of::<libc::mount_attr>(),
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The IPv4 address of a name, as the C library finds it.
pub(super) fn look_up(name: &str) -> Result<Ipv4Addr, LookupError> {
    let name = CString::new(name).map_err(|_| LookupError::NoSuchName)?;
    // SAFETY: addrinfo is plain old data, for which all zeros is a valid value.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_family = libc::AF_INET;
    hints.ai_socktype = libc::SOCK_STREAM;
    let mut list: *mut libc::addrinfo = std::ptr::null_mut();
    // SAFETY: the name ends in a zero byte, and all pointers are valid for the
    // length of the call; `list` is looked at only where it says that it is set.
    let code = unsafe {
        libc::getaddrinfo(
            name.as_ptr(),
            std::ptr::null(),
            &raw const hints,
            &raw mut list,
        )
    };
    match code {
        0 => {}
        libc::EAI_NONAME => return Err(LookupError::NoSuchName),
        // With an address, the C library has no other reason not to find one.
        _ => return Err(LookupError::TryAgain),
    }
    // SAFETY: the call succeeded, so that the list has at least one entry, whose
    // address is a sockaddr_in as the hints asked; it is freed once, after that.
    let address = unsafe {
        let first = (*list).ai_addr.cast::<libc::sockaddr_in>();
        let address = std::ptr::read_unaligned(first).sin_addr.s_addr;
        libc::freeaddrinfo(list);
        address
    };
    Ok(Ipv4Addr::from(u32::from_be(address)))
}
