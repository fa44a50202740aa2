//! promtool: what Prometheus thinks of the metrics.

use libtest_mimic::Failed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::peer::{Peer, check as holds};
use crate::site::Site;

pub(crate) async fn check(promtool: Peer) -> Result<(), Failed> {
    let site = Site::start(false).await?;
    let mut page = String::new();
    let mut stream = TcpStream::connect(("127.0.0.1", site.metrics)).await?;
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await?;
    stream.read_to_string(&mut page).await?;
    let (head, body) = page.split_once("\r\n\r\n").ok_or("no answer")?;
    holds(head.starts_with("HTTP/1.1 200"), head)?;
    let output = promtool.run_with(&["check", "metrics"], body).await?;
    let said = format!("{}{}", output.out, output.err);
    holds(output.good && said.trim().is_empty(), said)
}
