//! A panel between processes: one JSON document a line, over any byte stream.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::panel::{Panel, PanelPeer, panel_pair};
use super::signal::ToService;

/// The first line on the wire: everything a service process is told at birth.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceStart {
    /// Name in the registry of built-in services.
    pub program: String,
    /// Its configuration.
    pub config: serde_json::Value,
    /// See [`Env`](super::Env).
    pub service: String,
    /// See [`Env`](super::Env).
    pub node: String,
    /// See [`Env`](super::Env).
    pub boot: u32,
    /// See [`Env`](super::Env).
    pub seed: u64,
    /// The run's origin on the host's monotonic clock, in nanoseconds.
    pub origin_monotonic_ns: i64,
    /// What this process's monotonic clock shows above the host's (a new boot
    /// has a new clock).
    pub monotonic_offset_ns: i64,
    /// Names of all nodes.
    pub hosts: IndexMap<String, Ipv4Addr>,
    /// Where its volume is mounted, if it has one.
    #[serde(default)]
    pub volume: Option<PathBuf>,
}

/// Carries a panel over a byte stream: spawns the tasks that do it and returns
/// the service's end. When the stream ends, the service hears [`ToService::Stop`].
pub fn open_panel<R, W>(read: BufReader<R>, mut write: W) -> Panel
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let (panel, PanelPeer { outbox, mut inbox }) = panel_pair();
    tokio::spawn(async move {
        while let Some(word) = inbox.recv().await {
            let Ok(mut line) = serde_json::to_vec(&word) else {
                continue;
            };
            line.push(b'\n');
            if write.write_all(&line).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        let mut lines = read.lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line) {
                Ok(word) => {
                    let _ = outbox.send(word);
                }
                Err(error) => tracing::warn!(%error, "unreadable word from the machine"),
            }
        }
        let _ = outbox.send(ToService::Stop);
    });
    panel
}
