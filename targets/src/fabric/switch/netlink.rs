//! The one setting of a device for which the old ioctl demands the privileges
//! of the machine, and rtnetlink only those of the network namespace.

use std::io;
use std::os::fd::AsRawFd;

use nix::libc;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

/// Bytes of `nlmsghdr`, `ifinfomsg` and one `rtattr` with a 32-bit value.
const REQUEST: usize = 16 + 16 + 8;

/// Sets how many frames a device of the calling thread's network namespace may
/// hold for its reader (rtnetlink(7), `IFLA_TXQLEN`).
pub(crate) fn set_queue_length(name: &str, frames: u32) -> io::Result<()> {
    let index = if_nametoindex(name)?;
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    let (fd, none) = (socket.as_raw_fd(), MsgFlags::empty());
    sendto(fd, &request(index, frames), &NetlinkAddr::new(0, 0), none)?;
    let mut answer = [0; 512];
    let length = recv(fd, &mut answer, none)?;
    // The answer is an `nlmsgerr`: its first word is 0 or a negated errno.
    let error = answer.get(16..20).filter(|_| length >= 20);
    let error = error.and_then(|bytes| bytes.try_into().ok());
    match error.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(-error)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn request(index: u32, frames: u32) -> Vec<u8> {
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
    let mut bytes = Vec::with_capacity(REQUEST);
    bytes.extend((REQUEST as u32).to_ne_bytes());
    bytes.extend(libc::RTM_SETLINK.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    // Sequence number and port: there is one request and one answer.
    bytes.extend([0; 8]);
    // Family and type: any.
    bytes.extend([0; 4]);
    bytes.extend(index.to_ne_bytes());
    // Flags, and which of them change: none.
    bytes.extend([0; 8]);
    bytes.extend(8_u16.to_ne_bytes());
    bytes.extend(libc::IFLA_TXQLEN.to_ne_bytes());
    bytes.extend(frames.to_ne_bytes());
    bytes
}
