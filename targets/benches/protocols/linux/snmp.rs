//! The SNMP agent beside snmpsim.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

use super::site::Site;
use super::table::{Rates, delays, rate};
use super::{PATIENCE, Result};

const BAR_RATIO: f64 = 10.0;

/// GET of `upsOutputSource` in v2c; the last byte of its answer is the value.
const GET: &[u8] = b"\x30\x2b\x02\x01\x01\x04\x06public\xa0\x1e\x02\x04\x01\x02\x03\x04\
    \x02\x01\x00\x02\x01\x00\x30\x10\x30\x0e\x06\x0a\x2b\x06\x01\x02\x01\x21\x01\x04\x01\x00\
    \x05\x00";
const RECORD: &str = "1.3.6.1.2.1.33.1.4.1.0|2|3\n";

/// Where traps arrive.
pub(super) struct Sink(UdpSocket);

impl Sink {
    pub(super) async fn bind() -> Result<Self> {
        Ok(Self(UdpSocket::bind("127.0.0.1:0").await?))
    }

    pub(super) fn port(&self) -> Result<u16> {
        Ok(self.0.local_addr()?.port())
    }

    /// The next trap, whatever it says.
    async fn next(&self, wait: Duration) -> Result<()> {
        timeout(wait, self.0.recv_from(&mut [0; 512])).await??;
        Ok(())
    }
}

/// `snmpsim-command-responder` with the one object that is asked for.
struct Simulator {
    process: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Simulator {
    async fn start() -> Result<Option<Self>> {
        let Some(program) = std::env::var_os("SNMPSIM") else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777))
            .tempdir()?;
        let data = folder.path().join("data");
        std::fs::create_dir(&data)?;
        std::fs::write(data.join("public.snmprec"), RECORD)?;
        let port = UdpSocket::bind("127.0.0.1:0").await?.local_addr()?.port();
        let mut command = Command::new(program);
        command
            .arg(format!("--data-dir={}", data.display()))
            .arg(format!(
                "--cache-dir={}",
                folder.path().join("cache").display()
            ))
            .arg(format!("--agent-udpv4-endpoint=127.0.0.1:{port}"))
            .args(["--process-user=root", "--process-group=root"])
            .args(["--log-level=error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let simulator = Self {
            process: command.spawn()?,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            _folder: folder,
        };
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        for _ in 0..100 {
            sleep(Duration::from_millis(100)).await;
            if ask(&socket, simulator.address).await.is_ok() {
                return Ok(Some(simulator));
            }
        }
        Err("snmpsim does not answer".into())
    }
}

/// One GET; the value in its answer.
async fn ask(socket: &UdpSocket, to: SocketAddr) -> Result<u8> {
    let mut buffer = [0; 512];
    socket.send_to(GET, to).await?;
    let received = timeout(Duration::from_secs(1), socket.recv_from(&mut buffer));
    let (length, _) = received.await??;
    Ok(buffer[..length].last().copied().unwrap_or_default())
}

/// GETs of one object.
pub(super) async fn rates(site: &Site) -> Result<()> {
    let simulator = Simulator::start().await?;
    Rates::head("SNMP: GET, answers a second", "snmpsim");
    for requesters in [1, 32] {
        let rates = Rates::measure(
            async || gets(site.snmp, requesters).await,
            async || match &simulator {
                Some(simulator) => Ok(Some(gets(simulator.address, requesters).await?)),
                None => Ok(None),
            },
        );
        let what = format!("requesters: {requesters}");
        rates.await?.print(&what, BAR_RATIO);
    }
    Ok(())
}

async fn gets(to: SocketAddr, requesters: usize) -> Result<f64> {
    let mut sockets = Vec::new();
    for _ in 0..requesters {
        sockets.push(UdpSocket::bind("127.0.0.1:0").await?);
    }
    rate(sockets, move |socket: UdpSocket| async move {
        ask(&socket, to).await.ok()?;
        Some(socket)
    })
    .await
}

/// A reader that asks for the output's source again and again.
pub(super) async fn readers(site: &Site) -> Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let change = |on: bool| site.ups(!on);
    delays("SNMP: to a reader's answer", change, async |on| {
        let value = if on { 5 } else { 3 };
        while ask(&socket, site.snmp).await? != value {}
        Ok(())
    })
    .await
}

/// From a change to its trap.
pub(super) async fn traps(site: &Site, sink: &Sink) -> Result<()> {
    // What was sent before.
    while sink.next(Duration::from_millis(200)).await.is_ok() {}
    let change = |on: bool| site.ups(!on);
    delays("SNMP: to the trap", change, async |_| {
        sink.next(PATIENCE).await?;
        Ok(())
    })
    .await
}
