//! A built-in service as a process of its own.

use std::io;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncBufReadExt, AsyncWrite, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::disk::{Disk, HostDisk};
use crate::net::HostNet;
use crate::service::{Env, FromService, Registry, ServiceStart, open_panel};

use super::kernel;

/// How long a service that has ended may take to say its last words.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Runs the service that the wire names.
pub(super) fn main(registry: &Registry) -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match (runtime, kernel::inherited(kernel::WIRE_FD)) {
        (Ok(runtime), Ok(wire)) => runtime.block_on(run(registry, UnixStream::from(wire))),
        (Err(error), _) | (_, Err(error)) => Err(format!("could not start: {error}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "service failed");
            ExitCode::FAILURE
        }
    }
}

async fn run(registry: &Registry, wire: UnixStream) -> Result<(), String> {
    let bad_wire = |error: io::Error| format!("could not read the wire: {error}");
    wire.set_nonblocking(true).map_err(bad_wire)?;
    let wire = tokio::net::UnixStream::from_std(wire).map_err(bad_wire)?;
    let (read, write) = wire.into_split();
    let mut read = BufReader::new(read);
    let mut line = String::new();
    read.read_line(&mut line).await.map_err(bad_wire)?;
    let start: ServiceStart = serde_json::from_str(&line)
        .map_err(|error| format!("could not read the first line of the wire: {error}"))?;

    let (silent, said) = oneshot::channel();
    let panel = open_panel(
        read,
        LastWords {
            write,
            _silent: silent,
        },
    );
    let voice = panel.voice();
    let env = Env {
        service: start.service,
        node: start.node,
        boot: start.boot,
        net: Arc::new(HostNet::asking(start.hosts)),
        disk: start
            .volume
            .map(|folder| Arc::new(HostDisk::new(&folder)) as Arc<dyn Disk>),
        clock: Clock::started(ago(start.origin_monotonic_ns, start.monotonic_offset_ns)),
        seed: start.seed,
        panel,
    };
    let result = match registry(&start.program, start.config, env) {
        Some(service) => service.await.map_err(|error| error.to_string()),
        None => Err(format!("no built-in service `{}`", start.program)),
    };
    if let Err(error) = &result {
        let _ = voice.send(FromService::Failed {
            error: error.clone(),
        });
    }
    drop(voice);
    let _ = tokio::time::timeout(LAST_WORDS, said).await;
    result
}

/// How long ago the run began.
fn ago(origin_ns: i64, offset_ns: i64) -> Duration {
    let now_ns = clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |now| now.tv_sec() * 1_000_000_000 + now.tv_nsec());
    let ago_ns = now_ns - offset_ns - origin_ns;
    Duration::from_nanos(u64::try_from(ago_ns).unwrap_or(0))
}

/// Tells by its drop that every word has been written.
struct LastWords {
    write: OwnedWriteHalf,
    _silent: oneshot::Sender<()>,
}

impl AsyncWrite for LastWords {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(cx)
    }
}
