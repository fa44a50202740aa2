//! Debian's `upsd` with one device of its `dummy-ups`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
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

/// A running `upsd` and its driver.
pub(crate) struct Daemon {
    folder: TempDir,
    pub(crate) port: u16,
    _processes: [Child; 2],
}

impl Daemon {
    /// Starts both; `variables` are the device's, a `name: value` a line, with
    /// an `ups.status` of `OL` among them.
    pub(crate) async fn start(upsd: &Peer, ups: &str, variables: &str) -> Result<Self, Failed> {
        let driver = Peer::find("dummy-ups").ok_or("no dummy-ups beside upsd")?;
        let folder = tempfile::tempdir()?;
        // The port is free again when its listener is dropped.
        let held = HostNet::loopback()
            .listen(0, SocketOptions::default())
            .await?;
        let port = held.local_addr().port();
        drop(held);
        for (name, text) in [
            ("ups.conf", format!("[{ups}]\ndriver = dummy-ups\nport = ups.dev\n")),
            ("upsd.conf", format!("LISTEN 127.0.0.1 {port}\n")),
            (
                "upsd.users",
                "[supervisor]\npassword = supervisor\nactions = SET FSD\ninstcmds = ALL\nupsmon primary\n".to_string(),
            ),
            ("ups.dev", variables.to_string()),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640))?;
        }
        let daemon = |peer: &Peer, arguments: &[&str]| -> Result<Child, Failed> {
            let log = fs::File::create(folder.path().join(format!("log{}", arguments.len())))?;
            let user = User::from_uid(geteuid())?
                .ok_or("this user has no name")?
                .name;
            Ok(peer
                .command_in(folder.path())
                .args(arguments)
                .args(["-u", &user, "-D"])
                .stdout(Stdio::from(log.try_clone()?))
                .stderr(Stdio::from(log))
                .spawn()?)
        };
        let processes = [daemon(&driver, &["-a", ups])?, daemon(upsd, &[])?];
        let daemon = Self {
            folder,
            port,
            _processes: processes,
        };
        let up = async {
            loop {
                if let Ok(mut client) = daemon.client().await
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
            let log = |name| fs::read_to_string(daemon.folder.path().join(name));
            format!("upsd never came up: {:?} {:?}", log("log0"), log("log2"))
        };
        timeout(WAIT, up).await.map_err(|_| logs())?;
        Ok(daemon)
    }

    pub(crate) async fn client(&self) -> Result<NutClient, ClientError> {
        NutClient::connect(&HostNet::loopback(), "upsd", self.port, WAIT).await
    }
}
