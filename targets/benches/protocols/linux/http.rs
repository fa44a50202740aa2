//! Redfish: a reader, and a stream of events.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::site::Site;
use super::table::delays;
use super::{PATIENCE, Result};

const OUTLET: &str = "/redfish/v1/PowerEquipment/RackPDUs/pdu-a/Outlets/1";
const EVENTS: &str = "/redfish/v1/EventService/SSE";
/// `supervisor:supervisor`.
const USER: &str = "Basic c3VwZXJ2aXNvcjpzdXBlcnZpc29y";

struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    async fn send(&mut self, path: &str) -> Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {USER}\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        Ok(())
    }

    /// Reads until this many bytes or more are there.
    async fn fill(&mut self) -> Result<()> {
        let read = self.stream.read_buf(&mut self.buffer);
        match timeout(PATIENCE, read).await?? {
            0 => Err("the server hung up".into()),
            _ => Ok(()),
        }
    }

    /// Reads until the text has come.
    async fn until(&mut self, text: &str) -> Result<()> {
        while !contains(&self.buffer, text) {
            self.fill().await?;
        }
        Ok(())
    }

    /// The body of one answer.
    async fn get(&mut self, path: &str) -> Result<&[u8]> {
        self.send(path).await?;
        self.until("\r\n\r\n").await?;
        let text = String::from_utf8_lossy(&self.buffer);
        let (head, _) = text.split_once("\r\n\r\n").ok_or("no head")?;
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length: usize = length.ok_or("no length")?.1.parse()?;
        let body = head.len() + 4;
        while self.buffer.len() < body + length {
            self.fill().await?;
        }
        Ok(&self.buffer[body..])
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

/// A reader that asks for an outlet again and again.
pub(super) async fn readers(site: &Site) -> Result<()> {
    let mut client = Client::connect(site.redfish).await?;
    let change = |on: bool| site.outlet(!on);
    delays("Redfish: to a reader's answer", change, async |on| {
        let word = match on {
            true => r#""PowerState":"Off""#,
            false => r#""PowerState":"On""#,
        };
        while !contains(client.get(OUTLET).await?, word) {}
        Ok(())
    })
    .await
}

/// From a change to its event on a stream.
pub(super) async fn events(site: &Site) -> Result<()> {
    let mut client = Client::connect(site.redfish).await?;
    client.send(EVENTS).await?;
    client.until(": ridethrough").await?;
    // What was told before.
    while timeout(Duration::from_millis(200), client.fill())
        .await
        .is_ok()
    {}
    let change = |on: bool| site.outlet(!on);
    delays("Redfish: to the event on a stream", change, async |on| {
        let word = if on { "PoweredOff" } else { "PoweredOn" };
        client.buffer.clear();
        client.until(word).await?;
        client.until("\n\n").await?;
        Ok(())
    })
    .await
}
