//! Ctrl-C, and what else asks a run to end.

use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use terminate::Terminate;

/// The first Ctrl-C heals and ends the run; a second one ends the program, and
/// the kernel takes the world down with it.
pub(super) async fn interrupt(stop: CancellationToken) {
    let mut terminate = match Terminate::new() {
        Ok(terminate) => terminate,
        Err(error) => return tracing::warn!(%error, "SIGTERM will not be handled"),
    };
    let mut asked = false;
    loop {
        tokio::select! {
            biased;
            result = tokio::signal::ctrl_c() => if result.is_err() { return },
            () = terminate.asked() => {}
        }
        if asked {
            eprintln!("ending at once; the kernel takes the nodes down");
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        asked = true;
        eprintln!("healing and ending; press Ctrl-C again to end at once");
        stop.cancel();
    }
}

/// The first Ctrl-C or SIGTERM.
pub(super) async fn asked_to_end() {
    let terminated = async {
        match Terminate::new() {
            Ok(mut terminate) => terminate.asked().await,
            Err(error) => {
                tracing::warn!(%error, "SIGTERM will not be handled");
                std::future::pending().await
            }
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// SIGTERM, where there is such a thing.
#[cfg(unix)]
mod terminate {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) struct Terminate(Signal);

    impl Terminate {
        pub(super) fn new() -> std::io::Result<Self> {
            signal(SignalKind::terminate()).map(Self)
        }

        pub(super) async fn asked(&mut self) {
            self.0.recv().await;
        }
    }
}

#[cfg(not(unix))]
mod terminate {
    pub(super) struct Terminate;

    impl Terminate {
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn asked(&mut self) {
            std::future::pending().await
        }
    }
}
