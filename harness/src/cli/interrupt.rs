//! Ctrl-C, and what else asks a run to end.

use tokio_util::sync::CancellationToken;

use super::exit::Exit;

pub(super) use signals::Signals;

/// The first Ctrl-C heals and ends the run; a second one ends the program, and
/// the kernel takes the world down with it.
pub(super) async fn interrupt(mut signals: Signals, stop: CancellationToken) {
    let mut asked = false;
    loop {
        signals.asked().await;
        if asked {
            eprintln!("ending at once; the nodes die with this, and the guardian undoes the rest");
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        asked = true;
        eprintln!("healing and ending; press Ctrl-C again to end at once");
        stop.cancel();
    }
}

/// Ctrl-C and SIGTERM, heard from the moment this is made.
#[cfg(unix)]
mod signals {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(in super::super) struct Signals(Option<(Signal, Signal)>);

    impl Signals {
        /// Listens; where the system does not let it, it says so and hears
        /// nothing.
        pub(in super::super) fn listen() -> Self {
            let both = signal(SignalKind::interrupt())
                .and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)));
            Self(both.map_or_else(
                |error| {
                    tracing::warn!(%error, "signals will not be handled");
                    None
                },
                Some,
            ))
        }

        /// Waits for the next one.
        pub(in super::super) async fn asked(&mut self) {
            match &mut self.0 {
                Some((interrupt, terminate)) => {
                    tokio::select! {
                        biased;
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                }
                None => std::future::pending().await,
            }
        }
    }
}

/// Ctrl-C alone, where there is no SIGTERM.
#[cfg(not(unix))]
mod signals {
    pub(in super::super) struct Signals;

    impl Signals {
        pub(in super::super) fn listen() -> Self {
            Self
        }

        pub(in super::super) async fn asked(&mut self) {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending().await
            }
        }
    }
}
