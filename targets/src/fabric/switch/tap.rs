//! TAP devices: made inside a node's network namespace, driven by the switch.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::libc;

use super::netlink;

/// Bytes of the virtio-net header that precedes every frame of these devices.
pub const VNET_HEADER: usize = 10;

/// Frames that may wait in a device for the switch. What does not fit, the
/// kernel drops, uncounted by the fabric.
const QUEUE_FRAMES: u32 = 4096;

/// The nice value of a thread that keeps appointments.
const PREFERRED_NICE: libc::c_int = -15;

const TUNSETIFF: libc::c_ulong = 0x4004_54ca;
const TUNSETOFFLOAD: libc::c_ulong = 0x4004_54d0;
const TUNSETVNETHDRSZ: libc::c_ulong = 0x4004_54d8;

const SIOCBRADDIF: libc::c_ulong = 0x89a2;
const SIOCBRDELIF: libc::c_ulong = 0x89a3;

const TUN_F_CSUM: libc::c_ulong = 0x01;
const TUN_F_TSO4: libc::c_ulong = 0x02;
const TUN_F_TSO6: libc::c_ulong = 0x04;
const TUN_F_USO4: libc::c_ulong = 0x20;
const TUN_F_USO6: libc::c_ulong = 0x40;

/// Makes a TAP device in the network namespace of the calling thread, gives it
/// its addresses and brings it up. Every frame read from or written to the
/// descriptor begins with a virtio-net header of [`VNET_HEADER`] bytes; reads
/// do not block.
///
/// # Errors
/// When `/dev/net/tun` cannot be opened, or the thread may not administer its
/// network namespace, or a name or address is refused.
pub fn create_tap(
    name: &str,
    mac: [u8; 6],
    ip: Ipv4Addr,
    prefix: u8,
    mtu: u32,
    offload: bool,
) -> io::Result<OwnedFd> {
    let device = open_tap(name, offload)?;
    let socket = control_socket()?;
    let mut request = request_for(name)?;
    request.ifr_ifru.ifru_hwaddr = hardware_address(mac);
    call(&socket, libc::SIOCSIFHWADDR, &mut request)?;
    let mut request = request_for(name)?;
    request.ifr_ifru.ifru_mtu = i32::try_from(mtu).map_err(|_| io::ErrorKind::InvalidInput)?;
    call(&socket, libc::SIOCSIFMTU, &mut request)?;
    let mut request = request_for(name)?;
    request.ifr_ifru.ifru_addr = internet_address(ip);
    call(&socket, libc::SIOCSIFADDR, &mut request)?;
    let mut request = request_for(name)?;
    request.ifr_ifru.ifru_netmask = internet_address(netmask(prefix)?);
    call(&socket, libc::SIOCSIFNETMASK, &mut request)?;
    netlink::set_queue_length(name, QUEUE_FRAMES)?;
    raise(&socket, name)?;
    Ok(device)
}

/// Makes a TAP device without addresses in the network namespace of the calling
/// thread, as the port of a bridge, and brings it up.
///
/// # Errors
/// As [`create_tap`].
pub(crate) fn create_bare_tap(name: &str, mtu: u32) -> io::Result<OwnedFd> {
    let device = open_tap(name, true)?;
    let socket = control_socket()?;
    let mut request = request_for(name)?;
    request.ifr_ifru.ifru_mtu = i32::try_from(mtu).map_err(|_| io::ErrorKind::InvalidInput)?;
    call(&socket, libc::SIOCSIFMTU, &mut request)?;
    netlink::set_queue_length(name, QUEUE_FRAMES)?;
    raise(&socket, name)?;
    Ok(device)
}

fn open_tap(name: &str, offload: bool) -> io::Result<OwnedFd> {
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open("/dev/net/tun")?;
    let mut request = request_for(name)?;
    request.ifr_ifru.ifru_flags =
        (libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as libc::c_short;
    call(&device, TUNSETIFF, &mut request)?;
    let mut size = VNET_HEADER as libc::c_int;
    call(&device, TUNSETVNETHDRSZ, &mut size)?;
    let device = OwnedFd::from(device);
    set_offload_fd(&device, offload)?;
    Ok(device)
}

/// Makes a device a port of a bridge, or no longer one.
///
/// # Errors
/// When there is no such device or bridge, or the caller may not.
pub(crate) fn bridge_port(bridge: &str, device: &str, member: bool) -> io::Result<()> {
    let socket = control_socket()?;
    let index = nix::net::if_::if_nametoindex(device)?;
    let mut request = request_for(bridge)?;
    request.ifr_ifru.ifru_ifindex = index as libc::c_int;
    let order = match member {
        true => SIOCBRADDIF,
        false => SIOCBRDELIF,
    };
    call(&socket, order, &mut request)
}

/// Brings the loopback device up in the network namespace of the calling
/// thread.
///
/// # Errors
/// When the thread may not administer its network namespace.
pub fn loopback_up() -> io::Result<()> {
    raise(&control_socket()?, "lo")
}

/// Lets a TAP device hand over large segments and unfinished checksums, or
/// forbids it. Works from any namespace.
///
/// # Errors
/// When the descriptor is no TAP device.
pub fn set_offload(tap: BorrowedFd<'_>, offload: bool) -> io::Result<()> {
    set_offload_fd(&tap, offload)
}

/// Asks the scheduler to run the calling thread before ordinary ones: in real
/// time at the lowest priority, else at a better nice value. Either needs a
/// privilege that a user namespace does not give; without it nothing changes.
pub(crate) fn prefer_this_thread() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: 1 };
    // SAFETY: the parameters live through the call, and the kernel only reads
    // them; 0 means the calling thread.
    if unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const parameters) } == 0 {
        return Ok(());
    }
    // SAFETY: setpriority(2) takes no pointers; 0 means the calling thread.
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, PREFERRED_NICE) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn set_offload_fd(tap: &impl AsRawFd, offload: bool) -> io::Result<()> {
    if !offload {
        return call_value(tap, TUNSETOFFLOAD, 0);
    }
    let tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    // Older kernels refuse the UDP flags as a whole; TCP is what matters.
    call_value(tap, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6)
        .or_else(|_| call_value(tap, TUNSETOFFLOAD, tcp))
}

fn netmask(prefix: u8) -> io::Result<Ipv4Addr> {
    match prefix {
        0 => Ok(Ipv4Addr::UNSPECIFIED),
        1..=32 => Ok(Ipv4Addr::from(u32::MAX << (32 - prefix))),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

fn raise(socket: &File, name: &str) -> io::Result<()> {
    let mut request = request_for(name)?;
    call(socket, libc::SIOCGIFFLAGS, &mut request)?;
    // SAFETY: SIOCGIFFLAGS has just filled the flags member of the union.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = flags | (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    call(socket, libc::SIOCSIFFLAGS, &mut request)
}

fn control_socket() -> io::Result<File> {
    // SAFETY: socket(2) takes no pointers; a result that is not negative is a
    // new descriptor that nothing else owns.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(File::from_raw_fd(fd))
    }
}

fn request_for(name: &str) -> io::Result<libc::ifreq> {
    let text = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
    let bytes = text.as_bytes_with_nul();
    // SAFETY: ifreq is plain old data, for which all zeros is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if bytes.len() > request.ifr_name.len() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("device name `{name}` is longer than 15 bytes"),
        ));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    Ok(request)
}

fn hardware_address(mac: [u8; 6]) -> libc::sockaddr {
    let mut data = [0 as libc::c_char; 14];
    for (to, from) in data.iter_mut().zip(mac) {
        *to = from as libc::c_char;
    }
    libc::sockaddr {
        sa_family: libc::ARPHRD_ETHER,
        sa_data: data,
    }
}

fn internet_address(ip: Ipv4Addr) -> libc::sockaddr {
    // A sockaddr_in: two bytes of port, then the address in network order.
    let mut data = [0 as libc::c_char; 14];
    for (to, from) in data[2..6].iter_mut().zip(ip.octets()) {
        *to = from as libc::c_char;
    }
    libc::sockaddr {
        sa_family: libc::AF_INET as libc::sa_family_t,
        sa_data: data,
    }
}

fn call<T>(fd: &impl AsRawFd, request: libc::c_ulong, argument: &mut T) -> io::Result<()> {
    // SAFETY: the callers pair each request with the argument type that the
    // kernel reads or writes for it (ifreq or c_int), and the reference is
    // valid and exclusive for the length of the call.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), request as _, std::ptr::from_mut(argument)) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn call_value(fd: &impl AsRawFd, request: libc::c_ulong, value: libc::c_ulong) -> io::Result<()> {
    // SAFETY: TUNSETOFFLOAD takes its argument by value; no memory is touched.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), request as _, value) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
