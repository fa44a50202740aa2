//! `upsmon`, as primary and as secondary.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::telemetry::{ReadingStatus, UpsReading};
use tempfile::TempDir;
use tokio::process::Child;
use tokio::time::{Instant, timeout};

use super::peer::{Peer, WAIT, check};
use super::site::{Site, reading};

/// A number that no process ever has: one above the kernel's greatest.
const NO_PROCESS: &str = "4194304";

/// Whether this machine is itself watched by an `upsmon`: its process file has
/// one fixed place, which a test must not write over.
pub(crate) fn in_use() -> bool {
    let pid = fs::read_to_string("/run/nut/upsmon.pid").unwrap_or_default();
    let Ok(command) = fs::read_to_string(format!("/proc/{}/cmdline", pid.trim())) else {
        return false;
    };
    let mut words = command.split('\0');
    let upsmon = words
        .next()
        .is_some_and(|program| program.ends_with("upsmon"));
    upsmon && !words.any(|word| word == NO_PROCESS)
}

/// A running `upsmon` whose commands write files.
struct Monitor {
    folder: TempDir,
    process: Child,
}

impl Monitor {
    /// `role` is `primary` or `secondary`; its user is named by its first three
    /// letters.
    fn start(upsmon: &Peer, site: &Site, role: &str, host_sync_s: u32) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let at = folder.path().display();
        let notify = folder.path().join("notify.sh");
        let script = format!("#!/bin/sh\necho \"$NOTIFYTYPE\" >> {at}/notified\n");
        fs::write(&notify, script)?;
        fs::set_permissions(&notify, fs::Permissions::from_mode(0o755))?;
        let mut config = format!(
            "MONITOR {ups} 1 {user} pw {role}\n\
             MINSUPPLIES 1\n\
             SHUTDOWNCMD \"echo down >> {at}/shutdown\"\n\
             NOTIFYCMD {at}/notify.sh\n\
             POWERDOWNFLAG {at}/killpower\n\
             POLLFREQ 1\nPOLLFREQALERT 1\nDEADTIME 5\nFINALDELAY 0\n\
             HOSTSYNC {host_sync_s}\n",
            ups = site.ups(),
            user = &role[..3],
        );
        for kind in ["ONLINE", "ONBATT", "LOWBATT", "FSD", "SHUTDOWN", "COMMBAD"] {
            config.push_str("NOTIFYFLAG ");
            config.push_str(kind);
            config.push_str(" EXEC\n");
        }
        let path = folder.path().join("upsmon.conf");
        fs::write(&path, config)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let log = fs::File::create(folder.path().join("log"))?;
        // `-p`: one process, with no privileged parent to be left behind. `-P`:
        // where it looks for an earlier instance, so that two can run.
        let process = upsmon
            .command_in(folder.path())
            .args(["-F", "-p", "-P", NO_PROCESS])
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .spawn()?;
        Ok(Self { folder, process })
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Waits until a file holds a word.
    async fn until(&self, name: &str, word: &str) -> Result<(), Failed> {
        let found = async {
            while !self.file(name).lines().any(|line| line == word) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let found = timeout(WAIT, found).await;
        found.map_err(|_| format!("no {word:?} in {name}; log: {}", self.file("log")).into())
    }

    /// Waits for the shutdown command and the program's own end.
    async fn until_down(&mut self) -> Result<(), Failed> {
        self.until("shutdown", "down").await?;
        timeout(WAIT, self.process.wait())
            .await
            .map_err(|_| "upsmon did not end after its shutdown")??;
        Ok(())
    }
}

fn low() -> UpsReading {
    UpsReading {
        low_battery: true,
        ..reading(ReadingStatus::OnBattery)
    }
}

/// The supervisor leaves the shutdown to the primary, which orders it.
pub(crate) async fn primary(upsmon: Peer) -> Result<(), Failed> {
    let mut site = Site::start(false).await?;
    let mut monitor = Monitor::start(&upsmon, &site, "primary", 2)?;
    site.until_logins(1).await?;
    site.read(reading(ReadingStatus::OnBattery));
    monitor.until("notified", "ONBATT").await?;
    site.read(low());
    monitor.until("notified", "LOWBATT").await?;
    site.until_state("shutting_down").await?;
    let status = site.client().await?.get_var("ups-a", "ups.status").await?;
    check(status == "FSD OB DISCHRG LB", status)?;
    monitor.until_down().await?;
    let flag = monitor.file("killpower");
    check(
        flag.contains("upsmon-shutdown-file"),
        format!("flag {flag:?}"),
    )?;
    site.until_logins(0).await
}

/// The supervisor orders the shutdown, a secondary obeys.
pub(crate) async fn secondary(upsmon: Peer) -> Result<(), Failed> {
    let mut site = Site::start(true).await?;
    // It would wait this long for the order; that it does not shows the order.
    let mut monitor = Monitor::start(&upsmon, &site, "secondary", 60)?;
    site.until_logins(1).await?;
    site.read(low());
    site.until_state("shutting_down").await?;
    monitor.until_down().await?;
    site.until_logins(0).await
}

/// The primary goes down only after its secondary has logged out.
pub(crate) async fn host_sync(upsmon: Peer) -> Result<(), Failed> {
    let mut site = Site::start(false).await?;
    let mut primary = Monitor::start(&upsmon, &site, "primary", 30)?;
    let mut secondary = Monitor::start(&upsmon, &site, "secondary", 30)?;
    site.until_logins(2).await?;
    let begin = Instant::now();
    site.read(low());
    site.until_state("shutting_down").await?;
    secondary.until_down().await?;
    primary.until_down().await?;
    // Had NUMLOGINS not fallen, it would have waited for all of HOSTSYNC.
    let took = begin.elapsed();
    check(took < Duration::from_secs(30), format!("took {took:?}"))
}

/// A client that stays logged in delays the primary by HOSTSYNC, no longer.
pub(crate) async fn stuck_secondary(upsmon: Peer) -> Result<(), Failed> {
    let mut site = Site::start(false).await?;
    let mut stuck = site.client().await?;
    stuck.credentials("sec", "pw").await?;
    stuck.login("ups-a").await?;
    let mut monitor = Monitor::start(&upsmon, &site, "primary", 2)?;
    site.until_logins(2).await?;
    site.read(low());
    site.until_state("shutting_down").await?;
    let begin = Instant::now();
    monitor.until_down().await?;
    let took = begin.elapsed();
    check(took > Duration::from_secs(1), format!("took {took:?}"))?;
    site.until_logins(1).await
}
