//! The calls behind volumes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::libc;

/// `_IO('L', 0x82)`, from `linux/loop.h`.
const LOOP_CTL_GET_FREE: libc::c_ulong = 0x4c82;
/// `_IO('L', 0x0a)`, from `linux/loop.h`: since Linux 5.8.
const LOOP_CONFIGURE: libc::c_ulong = 0x4c0a;
/// The device lets go of its file when nobody uses it any more.
const LO_FLAGS_AUTOCLEAR: u32 = 4;

/// `_IOR('X', 125, __u32)`, from `linux/ext4.h`.
const EXT4_IOC_SHUTDOWN: libc::c_ulong = 0x8004_587d;
/// `EXT4_GOING_FLAGS_NOLOGFLUSH`: neither data nor the log are flushed.
const NOLOGFLUSH: u32 = 2;

/// How often somebody else may take the device that was free.
const RACES: u32 = 50;

/// `struct loop_info64`.
#[repr(C)]
struct LoopInfo {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config`.
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

/// Puts a file behind a free loop device, which goes with its last user.
pub(in crate::world::embedded) fn attach_loop(image: &Path) -> io::Result<(OwnedFd, PathBuf)> {
    let file = OpenOptions::new().read(true).write(true).open(image)?;
    let control = File::open("/dev/loop-control")?;
    for _ in 0..RACES {
        // SAFETY: this request takes no argument and touches no memory.
        let number = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE as _) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        let path = PathBuf::from(format!("/dev/loop{number}"));
        let device = OpenOptions::new().read(true).write(true).open(&path)?;
        // SAFETY: all zeros is a valid value of these plain integers.
        let mut config: LoopConfig = unsafe { std::mem::zeroed() };
        config.fd = file.as_raw_fd() as u32;
        config.info.flags = LO_FLAGS_AUTOCLEAR;
        // SAFETY: the structure is laid out as the kernel's and outlives the
        // call, which only reads it.
        let result = unsafe {
            libc::ioctl(
                device.as_raw_fd(),
                LOOP_CONFIGURE as _,
                std::ptr::from_ref(&config),
            )
        };
        if result == 0 {
            return Ok((device.into(), path));
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EBUSY) {
            return Err(error);
        }
    }
    Err(io::Error::from_raw_os_error(libc::EBUSY))
}

/// Stops an ext4 file system as it stands: what has not reached the medium never
/// will.
pub(in crate::world::embedded) fn shut_down(root: BorrowedFd<'_>) -> io::Result<()> {
    let flags = NOLOGFLUSH;
    // SAFETY: the kernel reads one 32-bit number, which outlives the call.
    let result = unsafe {
        libc::ioctl(
            root.as_raw_fd(),
            EXT4_IOC_SHUTDOWN as _,
            std::ptr::from_ref(&flags),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
