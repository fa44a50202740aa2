//! Debian's `upsd`, with one device of its `dummy-ups` or with drivers of ours.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Failed;
use nix::unistd::{User, geteuid};
use ridethrough_targets::net::{HostNet, Net, SocketOptions};
use ridethrough_targets::supervisor::nut::{ClientError, NutClient};
use tempfile::TempDir;
use tokio::process::Child;
use tokio::time::timeout;

use super::peer::{Peer, WAIT};

/// A running `upsd`, with its driver where that is a program.
pub(crate) struct Daemon {
    folder: TempDir,
    pub(crate) port: u16,
    _processes: Vec<Child>,
}

impl Daemon {
    /// Starts both; `variables` are the device's, a `name: value` a line, with
    /// an `ups.status` of `OL` among them.
    pub(crate) async fn start(upsd: &Peer, ups: &str, variables: &str) -> Result<Self, Failed> {
        let driver = Peer::find("dummy-ups").ok_or("no dummy-ups beside upsd")?;
        let folder = tempfile::tempdir()?;
        private(folder.path(), "ups.dev", variables)?;
        let conf = format!("[{ups}]\ndriver = dummy-ups\nport = ups.dev\n");
        private(folder.path(), "ups.conf", &conf)?;
        let driver = spawn(&driver, folder.path(), &["-a", ups])?;
        Self::upsd(upsd, folder, vec![driver], ups).await
    }

    /// Starts `upsd` in a folder that has its `ups.conf` and the sockets of its
    /// drivers, which may run as `processes` of their own.
    pub(crate) async fn upsd(
        upsd: &Peer,
        folder: TempDir,
        mut processes: Vec<Child>,
        ups: &str,
    ) -> Result<Self, Failed> {
        // The port is free again when its listener is dropped.
        let held = HostNet::loopback()
            .listen(0, SocketOptions::default())
            .await?;
        let port = held.local_addr().port();
        drop(held);
        private(
            folder.path(),
            "upsd.conf",
            &format!("LISTEN 127.0.0.1 {port}\n"),
        )?;
        private(
            folder.path(),
            "upsd.users",
            "[supervisor]\npassword = supervisor\nactions = SET FSD\ninstcmds = ALL\nupsmon primary\n",
        )?;
        processes.push(spawn(upsd, folder.path(), &[])?);
        let daemon = Self {
            folder,
            port,
            _processes: processes,
        };
        daemon.until_online(ups).await?;
        Ok(daemon)
    }

    async fn until_online(&self, ups: &str) -> Result<(), Failed> {
        let up = async {
            loop {
                if let Ok(mut client) = self.client().await
                    && client
                        .get_var(ups, "ups.status")
                        .await
                        .is_ok_and(|s| s == "OL")
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let logs = || {
            let log = |name| fs::read_to_string(self.folder.path().join(name));
            format!("upsd never came up: {:?} {:?}", log("log0"), log("log2"))
        };
        Ok(timeout(WAIT, up).await.map_err(|_| logs())?)
    }

    pub(crate) async fn client(&self) -> Result<NutClient, ClientError> {
        NutClient::connect(&HostNet::loopback(), "upsd", self.port, WAIT).await
    }
}

/// Writes a file that nobody else reads, as NUT's programs ask for.
pub(crate) fn private(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    let path = folder.join(name);
    fs::write(&path, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640))
}

fn spawn(peer: &Peer, folder: &Path, arguments: &[&str]) -> Result<Child, Failed> {
    let log = fs::File::create(folder.join(format!("log{}", arguments.len())))?;
    let user = User::from_uid(geteuid())?
        .ok_or("this user has no name")?
        .name;
    Ok(peer
        .command_in(folder)
        .args(arguments)
        .args(["-u", &user, "-D"])
        .stdout(Stdio::from(log.try_clone()?))
        .stderr(Stdio::from(log))
        .spawn()?)
}
