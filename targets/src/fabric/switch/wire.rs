//! Devices that somebody else has made, as ports of the switch: the host's end of
//! a container's cable, and the way to the bridge that it was plugged into.
#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use nix::libc;
use nix::net::if_::if_nametoindex;

use super::tap;

/// Bytes that a device may hold for the switch.
const QUEUE_BYTES: libc::c_int = 16 << 20;

const PACKET_VNET_HDR: libc::c_int = 15;
const PACKET_QDISC_BYPASS: libc::c_int = 20;
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;

/// Listens on a device of this host and speaks on it: what its other end sends is
/// read, what is written reaches its other end. Frames have virtio-net headers as
/// those of a TAP device do (packet(7)).
///
/// # Errors
/// When there is no such device, or the caller may not.
pub fn listen(device: &str) -> io::Result<OwnedFd> {
    let index = if_nametoindex(device)?;
    // Protocol 0: nothing is received before it is bound.
    let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: socket(2) takes no pointers; a result that is not negative is a new
    // descriptor that nothing else owns.
    let socket = unsafe {
        let fd = libc::socket(libc::AF_PACKET, kind, 0);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(fd)
    };
    let fd = socket.as_raw_fd();
    set(fd, libc::SOL_PACKET, PACKET_VNET_HDR, 1)?;
    set(fd, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
    // Without it, a queue of the kernel's own comes first; only speed is lost.
    let _ = set(fd, libc::SOL_PACKET, PACKET_QDISC_BYPASS, 1);
    set(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, QUEUE_BYTES)?;
    set(fd, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, QUEUE_BYTES)?;
    // SAFETY: sockaddr_ll is plain old data, for which all zeros is valid; bind
    // reads it within its true size.
    unsafe {
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = index as i32;
        let size = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        if libc::bind(fd, (&raw const address).cast(), size) < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(socket)
}

fn set(fd: RawFd, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the kernel reads an int of the stated size, which lives through the
    // call.
    let result = unsafe { libc::setsockopt(fd, level, option, (&raw const value).cast(), size) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Makes a device that is a port of a bridge: what is on the bridge is behind it.
/// It is gone when the descriptor is closed.
///
/// # Errors
/// When there is no such bridge, or the caller may not.
pub fn uplink(name: &str, bridge: &str) -> io::Result<OwnedFd> {
    let mtu = fs::read_to_string(folder(bridge).join("mtu"))?;
    let mtu = mtu.trim().parse().map_err(io::Error::other)?;
    let device = tap::create_bare_tap(name, mtu)?;
    tap::bridge_port(bridge, name, true)?;
    Ok(device)
}

/// Plugs a device into a bridge; where it is there already, nothing changes.
///
/// # Errors
/// When there is no such device or bridge, or it is a port of another.
pub fn plug(device: &str, bridge: &str) -> io::Result<()> {
    match bridge_of(device) {
        Some(there) if there == bridge => Ok(()),
        _ => tap::bridge_port(bridge, device, true),
    }
}

/// Pulls a device out of a bridge.
///
/// # Errors
/// When it is no port of it.
pub fn unplug(device: &str, bridge: &str) -> io::Result<()> {
    tap::bridge_port(bridge, device, false)
}

/// The bridge that a device is a port of.
pub fn bridge_of(device: &str) -> Option<String> {
    let master = fs::read_link(folder(device).join("master")).ok()?;
    Some(master.file_name()?.to_string_lossy().into_owned())
}

/// Whether frames may leave by the bridge port that they came by.
pub fn hairpin(device: &str) -> bool {
    let mode = fs::read_to_string(folder(device).join("brport/hairpin_mode"));
    mode.is_ok_and(|mode| mode.trim() == "1")
}

/// On which of the host's addresses requests are answered that come by a device
/// (ip-sysctl, `arp_ignore`).
///
/// # Errors
/// When there is no such device.
pub fn arp_ignore(device: &str) -> io::Result<u8> {
    let text = fs::read_to_string(arp_file(device))?;
    text.trim().parse().map_err(io::Error::other)
}

/// Sets [`arp_ignore`]. At 8 the host answers for none of its addresses.
///
/// # Errors
/// When there is no such device, or the caller may not.
pub fn set_arp_ignore(device: &str, value: u8) -> io::Result<()> {
    fs::write(arp_file(device), value.to_string())
}

fn arp_file(device: &str) -> PathBuf {
    PathBuf::from("/proc/sys/net/ipv4/conf")
        .join(device)
        .join("arp_ignore")
}

/// The device of this host with this number.
pub fn by_number(index: u32) -> Option<String> {
    nix::net::if_::if_indextoname(index)
        .ok()?
        .into_string()
        .ok()
}

/// Where the kernel shows a device.
fn folder(device: &str) -> PathBuf {
    PathBuf::from("/sys/class/net").join(device)
}
