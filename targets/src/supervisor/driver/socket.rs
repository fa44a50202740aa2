//! The sockets at which upsd looks for its drivers.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};

use crate::supervisor::agent::is_served;
use crate::supervisor::nut::quote;
use crate::telemetry::{Board, Identity};

/// The name of the driver, as `ups.conf` has it.
pub const DRIVER: &str = "ridethrough";

/// A socket that cannot be had.
#[derive(Debug, Error)]
#[error("{}: {source}", path.display())]
pub struct DriverSocketError {
    /// Where it should be.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// The sockets of a board's devices, open. They are removed when dropped.
pub struct DriverSockets {
    pub(super) sockets: Vec<Socket>,
}

/// One device's socket.
pub(super) struct Socket {
    pub(super) device: Identity,
    pub(super) listener: UnixListener,
    pub(super) path: Removed,
}

/// A path that is removed with its owner.
pub(super) struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl DriverSockets {
    /// Opens `<folder>/ridethrough-<device>` for every UPS, transfer switch, PDU
    /// and generator of a board: all or none. A socket that a dead process left
    /// behind is replaced. Who may connect, the folder and the umask decide.
    ///
    /// # Errors
    /// The first socket that cannot be had: another driver answers there,
    /// something else has its name, or the folder cannot be written.
    pub async fn open(board: &Board, folder: &Path) -> Result<Self, DriverSocketError> {
        let mut sockets = Vec::new();
        for identity in board.devices().iter().filter(|d| is_served(d)) {
            let path = folder.join(format!("{DRIVER}-{}", identity.name));
            match listen(&path, &identity.name).await {
                Ok(listener) => sockets.push(Socket {
                    device: (**identity).clone(),
                    listener,
                    path: Removed(path),
                }),
                Err(source) => return Err(DriverSocketError { path, source }),
            }
        }
        Ok(Self { sockets })
    }

    /// What `ups.conf` must say, so that upsd looks for these drivers.
    pub fn ups_conf(&self) -> String {
        let section = |socket: &Socket| {
            let Identity {
                name, description, ..
            } = &socket.device;
            let desc = quote(description);
            format!("[{name}]\n  driver = {DRIVER}\n  port = auto\n  desc = {desc}\n")
        };
        self.sockets.iter().map(section).collect()
    }
}

async fn listen(path: &Path, device: &str) -> io::Result<UnixListener> {
    if device.contains('/') {
        let why = "a device with a slash in its name has no socket";
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    }
    if let Ok(there) = fs::symlink_metadata(path) {
        if there.is_file() || there.is_dir() || there.is_symlink() {
            let why = "something that is no socket has this name";
            return Err(io::Error::new(ErrorKind::AlreadyExists, why));
        }
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path)?,
            Err(error) => return Err(error),
            Ok(_) => {
                let why = "another driver answers there";
                return Err(io::Error::new(ErrorKind::AddrInUse, why));
            }
        }
    }
    UnixListener::bind(path)
}
