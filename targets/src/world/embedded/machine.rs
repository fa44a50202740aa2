//! The init of a container, which the engine has started.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};

use super::channel;
use super::message::BootOrder;
use super::node;
use super::setup::Doing;

/// The name of the socket at which a container's init asks for its order.
pub(in crate::world) const ORDERS: &str = "orders";

/// Pid 1 of a container: asks for its order in this folder, and is a node's init
/// from then on.
pub(super) fn main(folder: Option<String>) -> ExitCode {
    let Some(folder) = folder else {
        eprintln!("machine: no folder");
        return ExitCode::from(2);
    };
    match order(Path::new(&folder)) {
        Ok((order, fds)) => node::main(order, fds),
        Err(error) => {
            eprintln!("machine: {error}");
            ExitCode::FAILURE
        }
    }
}

fn order(folder: &Path) -> Result<(BootOrder, Vec<OwnedFd>), String> {
    // A socket's path must be short, and a run folder's may be long.
    std::env::set_current_dir(folder).doing(&format!("enter {}", folder.display()))?;
    let orders = orders().doing("reach the harness")?;
    let received = channel::receive::<BootOrder>(orders.as_fd()).doing("read the order")?;
    let (order, fds) = received.ok_or("the harness is gone")?;
    std::env::set_current_dir("/").doing("leave the folder")?;
    Ok((order, fds))
}

fn orders() -> io::Result<OwnedFd> {
    let (family, kind) = (AddressFamily::Unix, SockType::SeqPacket);
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?;
    connect(socket.as_raw_fd(), &UnixAddr::new(ORDERS)?)?;
    Ok(socket)
}
