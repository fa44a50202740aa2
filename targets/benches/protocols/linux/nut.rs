//! The NUT agent beside Debian's `upsd`.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::daemon::Daemon;
use super::peer::Peer;
use super::site::{Site, UPS};
use super::table::{Rates, delays, rate};
use super::{PATIENCE, Result};

const BAR_RATIO: f64 = 2.0;
/// Variables that may be made longer, to fill an answer.
const TEXTS: [&str; 3] = ["device.mfr", "device.model", "device.serial"];

/// A client that knows no more than where an answer ends.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// It acknowledges what it reads at once. upsd sends a small segment for
    /// every line and waits for their acknowledgements (Nagle), which a client
    /// that does not ask for more delays by 40 ms.
    quick: bool,
}

impl Client {
    async fn connect(server: SocketAddr, quick: bool) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 << 10),
            quick,
        })
    }

    /// Sends a line and reads until the answer ends so.
    async fn ask(&mut self, line: &str, end: &str) -> Result<&str> {
        self.stream.write_all(line.as_bytes()).await?;
        self.buffer.clear();
        while !self.buffer.ends_with(end.as_bytes()) {
            if self.quick {
                // The kernel forgets it.
                self.stream.set_quickack(true)?;
            }
            let read = self.stream.read_buf(&mut self.buffer);
            if timeout(PATIENCE, read).await?? == 0 {
                return Err("the server hung up".into());
            }
        }
        Ok(std::str::from_utf8(&self.buffer)?)
    }

    async fn list(&mut self) -> Result<&str> {
        let line = format!("LIST VAR {UPS}\n");
        let end = format!("END LIST VAR {UPS}\n");
        self.ask(&line, &end).await
    }
}

/// Variables by name, as `LIST VAR` has them.
fn variables(list: &str) -> Vec<(&str, &str)> {
    let rows = list.lines().filter_map(|row| {
        let row = row.strip_prefix("VAR ")?.split_once(' ')?.1;
        let (name, value) = row.split_once(' ')?;
        Some((name, value.trim_matches('"')))
    });
    rows.collect()
}

/// Requests for all variables of one UPS.
pub(super) async fn rates(site: &Site) -> Result<()> {
    let ours = Client::connect(site.nut, false)
        .await?
        .list()
        .await?
        .to_string();
    let peer = twin(&ours).await?;
    Rates::head("NUT: LIST VAR, answers a second", "upsd");
    size("ours", &ours);
    if let Some((_, theirs)) = &peer {
        size("upsd", theirs);
    }
    let upsd = peer
        .as_ref()
        .map(|(daemon, _)| SocketAddr::from(([127, 0, 0, 1], daemon.port)));
    for (connections, quick) in [(1, false), (100, false), (1, true), (100, true)] {
        let rates = Rates::measure(
            async || lists(site.nut, connections, quick).await,
            async || match upsd {
                Some(upsd) => Ok(Some(lists(upsd, connections, quick).await?)),
                None => Ok(None),
            },
        );
        let acks = if quick { ", acknowledged at once" } else { "" };
        let what = format!("connections: {connections}{acks}");
        rates.await?.print(&what, BAR_RATIO);
    }
    Ok(())
}

fn size(whose: &str, list: &str) {
    let count = variables(list).len();
    println!(
        "  an answer of {whose}: {count} variables, {} B",
        list.len()
    );
}

/// An `upsd` that answers with as many variables and bytes. Its driver adds
/// some of its own, and the longest of ours are left out for them.
async fn twin(ours: &str) -> Result<Option<(Daemon, String)>> {
    let Some(upsd) = Peer::find("upsd") else {
        return Ok(None);
    };
    let wanted = variables(ours);
    let mut rows: Vec<(String, String)> = wanted
        .iter()
        .filter(|(name, _)| !name.starts_with("driver."))
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    loop {
        let device: Vec<String> = rows.iter().map(|(n, v)| format!("{n}: {v}\n")).collect();
        let daemon = Daemon::start(&upsd, UPS, &device.concat())
            .await
            .map_err(|failed| failed.message().unwrap_or_default().to_string())?;
        let address = SocketAddr::from(([127, 0, 0, 1], daemon.port));
        let list = Client::connect(address, false)
            .await?
            .list()
            .await?
            .to_string();
        let more = variables(&list).len().saturating_sub(wanted.len());
        if more > 0 {
            for _ in 0..more {
                let spare = |(_, row): &(usize, &(String, String))| {
                    row.0 != "ups.status" && !TEXTS.contains(&row.0.as_str())
                };
                let length = |(_, row): &(usize, &(String, String))| row.0.len() + row.1.len();
                let spare = rows.iter().enumerate().filter(spare);
                let longest = spare.max_by_key(length).map(|(index, _)| index);
                rows.remove(longest.ok_or("upsd has variables of its own only")?);
            }
        } else if list.len() < ours.len() {
            // A value holds no more than 255 bytes.
            let texts = rows
                .iter_mut()
                .filter(|(name, _)| TEXTS.contains(&name.as_str()));
            let filler = "x".repeat((ours.len() - list.len()).div_ceil(TEXTS.len()));
            texts.for_each(|(_, text)| text.push_str(&filler));
        } else {
            return Ok(Some((daemon, list)));
        }
    }
}

/// Answers a second to so many clients.
async fn lists(server: SocketAddr, connections: usize, quick: bool) -> Result<f64> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::connect(server, quick).await?);
    }
    rate(clients, |mut client: Client| async move {
        client.list().await.ok()?;
        Some(client)
    })
    .await
}

/// A reader that asks for the status again and again.
pub(super) async fn readers(site: &Site) -> Result<()> {
    let mut client = Client::connect(site.nut, true).await?;
    let line = format!("GET VAR {UPS} ups.status\n");
    let change = |on: bool| site.ups(!on);
    delays("NUT: to a reader's answer", change, async |on| {
        let word = if on { "\"OB" } else { "\"OL" };
        while !client.ask(&line, "\n").await?.contains(word) {}
        Ok(())
    })
    .await
}
