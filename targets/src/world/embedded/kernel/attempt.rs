//! Trying things in a child that then ends.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sched::CloneFlags;

/// One thing to try in a throw-away child.
pub(in crate::world::embedded) enum Step {
    /// `unshare` with these flags.
    Unshare(CloneFlags),
    /// Writes text to a file.
    Write(CString, Vec<u8>),
    /// Forks, and goes on in the new process.
    Fork,
    /// Makes a TAP device in the present network namespace.
    Tap,
    /// Makes every mount private.
    PrivateMounts,
    /// Mounts a fresh `/proc`.
    Proc,
    /// Mounts a FUSE file system over `/mnt`, without a server behind it.
    Fuse(CString),
    /// Sends a message to the kernel's routing socket; its answer must be 0.
    Route(Vec<u8>),
}

/// Why a step was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::world::embedded) struct Refusal {
    /// Which step, counted from 0.
    pub(in crate::world::embedded) step: usize,
    /// What the kernel said.
    pub(in crate::world::embedded) errno: i32,
}

/// Tries steps in a child that then ends, so that nothing stays.
pub(in crate::world::embedded) fn attempt(steps: &[&Step]) -> io::Result<Result<(), Refusal>> {
    let (read, low) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    // The answer must not go where `Step::Fuse` puts its device.
    let above = FcntlArg::F_DUPFD_CLOEXEC(FUSE_FD + 1);
    // SAFETY: the call has just made this descriptor, so nobody else owns it.
    let write = unsafe { OwnedFd::from_raw_fd(fcntl(&low, above)?) };
    drop(low);
    // SAFETY: the child may be a copy of a process with many threads, so it
    // makes system calls on memory that is ready, allocates nothing, and ends
    // with _exit.
    let child = unsafe {
        match libc::fork() {
            -1 => return Err(io::Error::last_os_error()),
            0 => {
                let result = run_steps(steps);
                let bytes = match result {
                    Ok(()) => [0_i32; 2],
                    Err(refusal) => [refusal.step as i32 + 1, refusal.errno],
                };
                libc::write(
                    write.as_raw_fd(),
                    bytes.as_ptr().cast(),
                    size_of_val(&bytes),
                );
                libc::_exit(0);
            }
            pid => pid,
        }
    };
    drop(write);
    let mut answer = [0_u8; 8];
    let mut got = 0;
    while got < answer.len() {
        match nix::unistd::read(&read, &mut answer[got..]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(nix::errno::Errno::EINTR) => {}
            Err(_) => break,
        }
    }
    let _ = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(child), None);
    if got < answer.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let word = |at: usize| {
        i32::from_ne_bytes([answer[at], answer[at + 1], answer[at + 2], answer[at + 3]])
    };
    match word(0) {
        0 => Ok(Ok(())),
        step => Ok(Err(Refusal {
            step: (step - 1) as usize,
            errno: word(4),
        })),
    }
}

/// Runs in the forked child: system calls only.
fn run_steps(steps: &[&Step]) -> Result<(), Refusal> {
    for (index, step) in steps.iter().enumerate() {
        // SAFETY: see each function; all take memory that outlives the call.
        let result = unsafe { run_step(step) };
        if result < 0 {
            return Err(Refusal {
                step: index,
                errno: nix::errno::Errno::last_raw(),
            });
        }
    }
    Ok(())
}

/// # Safety
/// Only for a process that has just forked and will soon end.
unsafe fn run_step(step: &Step) -> i64 {
    // SAFETY: every pointer is to a C string or buffer that lives in `step` or
    // on this stack, with its true length.
    unsafe {
        match step {
            Step::Unshare(flags) => libc::unshare(flags.bits()).into(),
            Step::Write(path, bytes) => {
                let fd = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
                if fd < 0 {
                    return -1;
                }
                libc::write(fd, bytes.as_ptr().cast(), bytes.len()) as i64
            }
            Step::Fork => match libc::fork() {
                0 => 0,
                -1 => -1,
                pid => {
                    // The new process answers through the pipe that both hold.
                    libc::waitpid(pid, std::ptr::null_mut(), 0);
                    libc::_exit(0)
                }
            },
            Step::Tap => {
                let fd = libc::open(c"/dev/net/tun".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
                if fd < 0 {
                    return -1;
                }
                let mut request: libc::ifreq = std::mem::zeroed();
                request.ifr_name[0] = b't' as libc::c_char;
                request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short;
                const TUNSETIFF: libc::c_ulong = 0x4004_54ca;
                libc::ioctl(fd, TUNSETIFF as _, std::ptr::from_mut(&mut request)).into()
            }
            Step::PrivateMounts => libc::mount(
                std::ptr::null(),
                c"/".as_ptr(),
                std::ptr::null(),
                libc::MS_REC | libc::MS_PRIVATE,
                std::ptr::null(),
            )
            .into(),
            Step::Proc => libc::mount(
                c"proc".as_ptr(),
                c"/proc".as_ptr(),
                c"proc".as_ptr(),
                libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC,
                std::ptr::null(),
            )
            .into(),
            Step::Fuse(options) => {
                let fd = libc::open(c"/dev/fuse".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
                if fd < 0 || libc::dup2(fd, FUSE_FD) < 0 {
                    return -1;
                }
                libc::mount(
                    c"ridethrough".as_ptr(),
                    c"/mnt".as_ptr(),
                    c"fuse".as_ptr(),
                    libc::MS_NOSUID | libc::MS_NODEV,
                    options.as_ptr().cast(),
                )
                .into()
            }
            Step::Route(message) => ask_route(message),
        }
    }
}

/// The number under which [`Step::Fuse`] offers its device, for its options.
pub(in crate::world::embedded) const FUSE_FD: RawFd = 90;

/// # Safety
/// As [`run_step`].
unsafe fn ask_route(message: &[u8]) -> i64 {
    // SAFETY: a plain socket; send and receive on buffers with their lengths.
    unsafe {
        let fd = libc::socket(
            libc::AF_NETLINK,
            libc::SOCK_RAW | libc::SOCK_CLOEXEC,
            libc::NETLINK_ROUTE,
        );
        if fd < 0 || libc::send(fd, message.as_ptr().cast(), message.len(), 0) < 0 {
            return -1;
        }
        let mut answer = [0_u8; 1024];
        let count = libc::recv(fd, answer.as_mut_ptr().cast(), answer.len(), 0);
        // An NLMSG_ERROR: a 16-byte header, then the error number, 0 for none.
        if count < 20 {
            return -1;
        }
        let error = i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]);
        if error != 0 {
            nix::errno::Errno::set_raw(-error);
            return -1;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that holds many files gives the pipe of the answer the very
    /// number at which the device is offered.
    #[test]
    fn the_device_does_not_take_the_place_of_the_answer() {
        let mut held = Vec::new();
        loop {
            let file = std::fs::File::open("/dev/null").unwrap();
            let above = file.as_raw_fd() > FUSE_FD;
            held.push(file);
            if above {
                break;
            }
        }
        // Other tests open files too, so more than one pair of numbers is left
        // to the pipe in turn.
        for left in 0..8 {
            held.retain(|file| {
                let at = file.as_raw_fd();
                at > FUSE_FD || at < FUSE_FD - left
            });
            // Refused in any case: a mode of the root is missing.
            let told = attempt(&[&Step::Fuse(c"fd=90".into())]);
            assert!(told.is_ok(), "nothing was told: {told:?}");
        }
    }
}
