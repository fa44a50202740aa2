//! A small HTTP server on a thread of its own, so that whoever looks on costs the
//! run nothing but processor time.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};
use tokio_util::sync::CancellationToken;

/// Connections at one time; further ones wait in the backlog.
const CONNECTIONS: usize = 96;
/// Longest wait for a request's head.
const HEAD: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 << 10;
/// A connection that carries no stream ends after this: whoever reads nothing may
/// not keep a place.
const LONGEST: Duration = Duration::from_secs(60);
/// A stream whose browser takes nothing for so long is dropped.
const STALLED: Duration = Duration::from_secs(30);
/// The nice value of the thread: those who look on come last.
#[cfg(target_os = "linux")]
const NICE: i32 = 15;
/// From the end to the last word.
const LAST_WORDS: Duration = Duration::from_millis(1_500);

/// Whether a connection carries a stream, and when its browser last took anything.
#[derive(Clone, Debug)]
pub(super) struct Pulse(Arc<Beats>);

#[derive(Debug)]
struct Beats {
    begun: Instant,
    streams: AtomicBool,
    last_ms: AtomicU64,
}

impl Pulse {
    fn new() -> Self {
        Self(Arc::new(Beats {
            begun: Instant::now(),
            streams: AtomicBool::new(false),
            last_ms: AtomicU64::new(0),
        }))
    }

    pub(super) fn beat(&self) {
        self.0.streams.store(true, Ordering::Relaxed);
        self.0.last_ms.store(self.age_ms(), Ordering::Relaxed);
    }

    fn age_ms(&self) -> u64 {
        self.0.begun.elapsed().as_millis() as u64
    }

    fn is_over(&self) -> bool {
        let (since, most) = match self.0.streams.load(Ordering::Relaxed) {
            true => (self.0.last_ms.load(Ordering::Relaxed), STALLED),
            false => (0, LONGEST),
        };
        self.age_ms().saturating_sub(since) > most.as_millis() as u64
    }
}

/// A server that runs until it is closed or dropped.
pub struct Front {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Serves on a thread of its own; `beside` runs there too.
///
/// # Errors
/// The socket or the thread could not be made.
pub fn open(
    listener: TcpListener,
    router: Router,
    beside: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<Front> {
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let over = stop.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let thread = std::thread::Builder::new()
        .name("gameday".into())
        .spawn(move || {
            stand_back();
            runtime.block_on(async move {
                tokio::spawn(beside);
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => accept(listener, router, over).await,
                    Err(error) => tracing::error!(%error, "the page cannot be served"),
                }
            });
        })?;
    Ok(Front {
        address,
        stop,
        thread: Some(thread),
    })
}

/// Makes the calling thread give way to whatever else this machine has to do.
fn stand_back() {
    // Elsewhere the nice value is the whole process's.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "the page's thread has an ordinary priority");
    }
}

impl Front {
    /// Ends it, once those who look on have had time to hear the last word.
    pub async fn close(mut self) {
        sleep(LAST_WORDS).await;
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: tokio::net::TcpListener, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let router = router.clone();
                connections.spawn(async move {
                    connection(stream, router).await;
                    drop(place);
                });
            }
            // Out of descriptors, or a peer that left early: both pass.
            Err(error) => {
                tracing::debug!(%error, "accept");
                sleep(Duration::from_millis(20)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let pulse = Pulse::new();
    let service = TowerToHyperService::new(router.layer(Extension(pulse.clone())));
    let _ = stream.set_nodelay(true);
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let over = async {
        let mut looks = interval(Duration::from_secs(5));
        while !pulse.is_over() {
            looks.tick().await;
        }
    };
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended");
            }
        }
        () = over => tracing::debug!("a browser that reads nothing was dropped"),
    }
}
