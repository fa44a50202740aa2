//! `snmptrapd`.

use std::fs;
use std::net::UdpSocket;
use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::supervisor::snmp::{
    AuthProtocol, PrivProtocol, SnmpConfig, TrapSink, TrapVersion, UsmUser,
};
use ridethrough_targets::telemetry::ReadingStatus;
use ridethrough_targets::units::Span;
use tempfile::TempDir;
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::peer::{Peer, WAIT, check};
use crate::site::{Site, low, ups};

/// The name of our engine, which a receiver of its traps must know beforehand.
const ENGINE: &str = "8000013e0472696465";
const PASSWORD: &str = "correct horse";

/// A receiver of traps that writes what it hears.
struct Receiver {
    folder: TempDir,
    port: u16,
    _process: Child,
}

impl Receiver {
    async fn start(snmptrapd: &Peer) -> Result<Self, Failed> {
        let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("snmptrapd.conf");
        // The user as our engine's, for traps, and as its own, for informs.
        let user = format!("sha256 SHA-256 \"{PASSWORD}\" AES \"{PASSWORD}\"");
        fs::write(
            &config,
            format!(
                "disableAuthorization yes\ncreateUser -e 0x{ENGINE} {user}\ncreateUser {user}\n"
            ),
        )?;
        let log = fs::File::create(folder.path().join("log"))?;
        // One line a trap: v1's enterprise and numbers, then the variables.
        let format = "%w %W %q %V|%v\\n";
        let process = snmptrapd
            .command()
            .env("SNMP_PERSISTENT_DIR", folder.path())
            .env("MIBS", "")
            .args(["-f", "-Lo", "-On", "-n", "-C", "-c"])
            .arg(&config)
            .args(["-p".as_ref(), folder.path().join("pid").as_os_str()])
            .args(["-F", format])
            .arg(format!("udp:127.0.0.1:{port}"))
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .spawn()?;
        let receiver = Self {
            folder,
            port,
            _process: process,
        };
        receiver.until(&["NET-SNMP version"]).await?;
        Ok(receiver)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until all of this was heard.
    async fn until(&self, words: &[&str]) -> Result<(), Failed> {
        let heard = async {
            while !words.iter().all(|word| self.log().contains(word)) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let heard = timeout(WAIT, heard).await;
        heard.map_err(|_| format!("not all of {words:?} in {}", self.log()).into())
    }
}

async fn hears(snmptrapd: &Peer, sink: TrapSink, words: [&str; 6]) -> Result<(), Failed> {
    let receiver = Receiver::start(snmptrapd).await?;
    let inform = sink.inform;
    let sink = TrapSink {
        port: receiver.port,
        timeout: Span::from_millis(300),
        ..sink
    };
    let user = UsmUser {
        name: "sha256".into(),
        auth: Some(AuthProtocol::Sha256),
        auth_password: PASSWORD.into(),
        privacy: Some(PrivProtocol::Aes128),
        priv_password: PASSWORD.into(),
        ..UsmUser::default()
    };
    let config = SnmpConfig {
        traps: vec![sink],
        users: vec![user],
        engine_id: Some(ENGINE.into()),
        ..SnmpConfig::default()
    };
    let site = Site::start(config).await?;
    let [on_battery, low_battery, restored, added, removed, gone] = words;
    site.read(ups(ReadingStatus::OnBattery));
    receiver
        .until(&[on_battery, "ups-a: the UPS is on battery"])
        .await?;
    site.read(low());
    receiver.until(&[low_battery, added]).await?;
    site.read(ups(ReadingStatus::OnLine));
    receiver.until(&[restored, removed]).await?;
    if inform {
        // What was answered is not sent again.
        sleep(Duration::from_secs(1)).await;
    }
    let log = receiver.log();
    check(log.matches(restored).count() == 1, log.clone())?;
    check(!log.contains(gone), log)
}

/// The forms of SNMPv2 name a trap by a variable.
async fn hears_names(snmptrapd: &Peer, sink: TrapSink) -> Result<(), Failed> {
    let name = ".1.3.6.1.6.3.1.1.4.1.0 = OID: ";
    let named = |oid: &str| format!("{name}{oid}");
    let words = [
        named(".1.3.6.1.2.1.33.2.1"),
        named(".1.3.6.1.4.1.318.0.7"),
        named(".1.3.6.1.4.1.318.0.9"),
        named(".1.3.6.1.2.1.33.2.3"),
        named(".1.3.6.1.2.1.33.2.4"),
        named(".1.3.6.1.4.1.318.0.1"),
    ];
    hears(snmptrapd, sink, words.each_ref().map(String::as_str)).await
}

fn sink(version: TrapVersion, inform: bool) -> TrapSink {
    TrapSink {
        version,
        inform,
        user: "sha256".into(),
        ..TrapSink::default()
    }
}

pub(crate) async fn v2c(snmptrapd: Peer) -> Result<(), Failed> {
    hears_names(&snmptrapd, sink(TrapVersion::V2c, false)).await
}

pub(crate) async fn v2c_inform(snmptrapd: Peer) -> Result<(), Failed> {
    hears_names(&snmptrapd, sink(TrapVersion::V2c, true)).await
}

pub(crate) async fn v3(snmptrapd: Peer) -> Result<(), Failed> {
    hears_names(&snmptrapd, sink(TrapVersion::V3, false)).await
}

pub(crate) async fn v3_inform(snmptrapd: Peer) -> Result<(), Failed> {
    hears_names(&snmptrapd, sink(TrapVersion::V3, true)).await
}

pub(crate) async fn v1(snmptrapd: Peer) -> Result<(), Failed> {
    let words = [
        "6 Enterprise Specific .1 ",
        "6 Enterprise Specific .7 ",
        "6 Enterprise Specific .9 ",
        ".1.3.6.1.2.1.33.1.6.2.1.2.",
        "6 Enterprise Specific .4 ",
        "6 Enterprise Specific .8 ",
    ];
    hears(&snmptrapd, sink(TrapVersion::V1, false), words).await
}
