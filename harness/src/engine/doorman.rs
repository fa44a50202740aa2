//! A service of the monitor node: it waits until the stack can be reached from
//! the clients' side of the fabric, and says so.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use ridethrough_targets::net::SocketOptions;
use ridethrough_targets::service::{Env, FromService, ServiceError, ToService};

/// What to wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoormanConfig {
    /// Hosts and ports that must accept connections.
    pub doors: Vec<(String, u16)>,
}

const RETRY: Duration = Duration::from_millis(20);
const CONNECT: Duration = Duration::from_millis(500);

/// Tries every door until it opens, then says `Ready` and waits for the end.
pub async fn run_doorman(mut env: Env, config: DoormanConfig) -> Result<(), ServiceError> {
    let open = async {
        for (host, port) in &config.doors {
            loop {
                let connect = env.net.connect(host, *port, SocketOptions::default());
                if matches!(tokio::time::timeout(CONNECT, connect).await, Ok(Ok(_))) {
                    break;
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    };
    tokio::select! {
        biased;
        () = stopped(&mut env.panel.inbox) => return Ok(()),
        () = open => {}
    }
    env.panel.say(FromService::Ready { t_us: env.clock.now_us() });
    stopped(&mut env.panel.inbox).await;
    Ok(())
}

async fn stopped(inbox: &mut tokio::sync::mpsc::UnboundedReceiver<ToService>) {
    while let Some(word) = inbox.recv().await {
        if word == ToService::Stop {
            return;
        }
    }
}
