//! The established connections of a node's services, read from the sockets
//! themselves: their options are nowhere in `/proc`, and no netlink dump has them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use socket2::{Protocol, SockRef};

use super::kernel;
use crate::clock::Micros;
use crate::world::{Probing, Socket, Watch};

/// The connections of a process of which a descriptor is held; `pid` is its folder in
/// `/proc`. A socket that several processes share is told once: `seen` holds those
/// that were.
pub(super) fn of(
    pidfd: BorrowedFd<'_>,
    pid: &str,
    seen: &mut BTreeSet<String>,
) -> io::Result<Vec<Socket>> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        // It has ended meanwhile.
        return Ok(found);
    };
    for entry in entries.flatten() {
        let name = fs::read_link(entry.path()).unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let number = entry.file_name().to_string_lossy().parse::<RawFd>();
        let (true, Ok(number)) = (name.starts_with("socket:"), number) else {
            continue;
        };
        if !seen.insert(name) {
            continue;
        }
        match kernel::pidfd_getfd(pidfd, number) {
            Ok(socket) => found.extend(read(&socket)),
            Err(error) if gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Closed, or its process dead, since it was listed.
fn gone(error: &io::Error) -> bool {
    let gone = [Errno::EBADF, Errno::ESRCH].map(|errno| Some(errno as i32));
    gone.contains(&error.raw_os_error())
}

/// Nothing where it is no established TCP connection over IPv4.
fn read(socket: &OwnedFd) -> Option<Socket> {
    let socket = SockRef::from(socket);
    if socket.protocol().ok()? != Some(Protocol::TCP) {
        return None;
    }
    let peer = plain(socket.peer_addr().ok()?.as_socket()?)?;
    let local = plain(socket.local_addr().ok()?.as_socket()?)?;
    let probing = || {
        Some(Probing {
            idle_us: micros(socket.tcp_keepalive_time().ok()?),
            interval_us: micros(socket.tcp_keepalive_interval().ok()?),
            count: socket.tcp_keepalive_retries().ok()?,
        })
    };
    let on = socket.keepalive().ok()?;
    let user_timeout = socket.tcp_user_timeout().ok()?;
    let watch = Watch {
        keepalive: if on { probing() } else { None },
        user_timeout_us: user_timeout.filter(|t| !t.is_zero()).map(micros),
    };
    Some(Socket { local, peer, watch })
}

/// A listener of both families shows IPv4 as a part of IPv6.
fn plain(address: SocketAddr) -> Option<SocketAddrV4> {
    let ip = match address {
        SocketAddr::V4(address) => *address.ip(),
        SocketAddr::V6(address) => address.ip().to_ipv4_mapped()?,
    };
    Some(SocketAddrV4::new(ip, address.port()))
}

fn micros(span: Duration) -> Micros {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::time::Duration;

    use socket2::{SockRef, TcpKeepalive};

    use super::{super::kernel, of};
    use crate::world::{Probing, Socket};

    fn own() -> Vec<Socket> {
        let pid = std::process::id();
        let pidfd = kernel::pidfd_open(pid as i32).expect("a descriptor of this process");
        let read = of(pidfd.as_fd(), &pid.to_string(), &mut BTreeSet::new());
        read.expect("sockets of this process")
    }

    #[test]
    fn options_are_those_of_the_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let near = TcpStream::connect(listener.local_addr().expect("an address")).expect("a way");
        let (far, _) = listener.accept().expect("a connection");
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(7))
            .with_interval(Duration::from_secs(2))
            .with_retries(3);
        let options = SockRef::from(&near);
        options.set_tcp_keepalive(&keepalive).expect("keepalive");
        let timeout = Some(Duration::from_millis(3_500));
        options.set_tcp_user_timeout(timeout).expect("a timeout");

        let found = own();
        let between = |a: &TcpStream| {
            let (local, peer) = (a.local_addr().ok(), a.peer_addr().ok());
            let mut all = found.iter();
            all.find(|s| Some(s.local.into()) == local && Some(s.peer.into()) == peer)
        };
        let probing = Probing {
            idle_us: 7_000_000,
            interval_us: 2_000_000,
            count: 3,
        };
        let near = between(&near).expect("this end").watch;
        assert_eq!(near.keepalive, Some(probing));
        assert_eq!(near.user_timeout_us, Some(3_500_000));
        let far = between(&far).expect("that end").watch;
        assert_eq!((far.keepalive, far.user_timeout_us), (None, None));
        let listens = listener.local_addr().ok();
        assert!(found.iter().all(|s| s.peer.port() != 0), "{listens:?}");
    }
}
