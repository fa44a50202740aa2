//! NUT's `snmp-ups` driver, asked over its own socket what it sees.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::supervisor::snmp::SnmpConfig;
use ridethrough_targets::telemetry::ReadingStatus;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::peer::{Peer, WAIT, check};
use crate::site::{Site, low, ups};

/// A running driver.
struct Driver {
    folder: TempDir,
    _process: Child,
}

impl Driver {
    fn start(snmp_ups: &Peer, site: &Site, mibs: &str, more: &str) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let config = format!(
            "[dut]\n  driver = snmp-ups\n  port = {}\n  mibs = {mibs}\n  pollfreq = 1\n{more}\n",
            site.address()
        );
        fs::write(folder.path().join("ups.conf"), config)?;
        let log = fs::File::create(folder.path().join("log"))?;
        let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
        let process = snmp_ups
            .command_in(folder.path())
            .env("SNMP_PERSISTENT_DIR", folder.path())
            .args(["-D", "-a", "dut", "-u", &user])
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .spawn()?;
        Ok(Self {
            folder,
            _process: process,
        })
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("snmp-ups-dut")
    }

    /// Every variable of the driver, as `SETINFO` lines.
    async fn dump(&self) -> std::io::Result<String> {
        let mut stream = BufReader::new(UnixStream::connect(self.socket()).await?);
        stream.write_all(b"DUMPALL\n").await?;
        let mut all = String::new();
        while stream.read_line(&mut all).await? > 0 && !all.ends_with("DUMPDONE\n") {}
        Ok(all)
    }

    /// Waits until the driver shows all of this.
    async fn until(&self, lines: &[&str]) -> Result<(), Failed> {
        let mut last = String::new();
        let shown = async {
            loop {
                last = self.dump().await.unwrap_or_default();
                if lines.iter().all(|line| last.lines().any(|l| l == *line)) {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        let shown = timeout(WAIT, shown).await.is_ok();
        let log = fs::read_to_string(self.folder.path().join("log"));
        let saw = format!("not {lines:?} in {last} {}", log.unwrap_or_default());
        check(shown, saw)
    }
}

/// The last word is its status on battery and low, in the order in which it asks.
async fn sees(
    snmp_ups: &Peer,
    [mibs, more, at_last]: [&str; 3],
    at_first: &[&str],
) -> Result<(), Failed> {
    let site = Site::start(SnmpConfig::default()).await?;
    let driver = Driver::start(snmp_ups, &site, mibs, more)?;
    driver.until(at_first).await?;
    site.read(ups(ReadingStatus::OnBattery));
    driver.until(&["SETINFO ups.status \"OB\""]).await?;
    site.read(low());
    driver.until(&[at_last]).await?;
    site.read(ups(ReadingStatus::OnLine));
    driver.until(&["SETINFO ups.status \"OL\""]).await
}

pub(crate) async fn ietf(snmp_ups: Peer) -> Result<(), Failed> {
    let at_first = [
        "SETINFO ups.status \"OL\"",
        "SETINFO battery.charge \"60\"",
        "SETINFO ups.mfr \"ridethrough\"",
        "SETINFO input.voltage \"231\"",
    ];
    sees(
        &snmp_ups,
        [
            "ietf",
            "  community = public",
            "SETINFO ups.status \"LB OB\"",
        ],
        &at_first,
    )
    .await
}

pub(crate) async fn apcc(snmp_ups: Peer) -> Result<(), Failed> {
    let at_first = [
        "SETINFO ups.status \"OL\"",
        "SETINFO battery.charge \"60\"",
        "SETINFO ups.serial \"RT-ups-a\"",
    ];
    sees(
        &snmp_ups,
        [
            "apcc",
            "  snmp_version = v2c",
            "SETINFO ups.status \"OB LB\"",
        ],
        &at_first,
    )
    .await
}
