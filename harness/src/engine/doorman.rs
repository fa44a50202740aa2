//! A service of the monitor node: it waits until the stack can be reached from
//! the clients' side of the fabric, and says so.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use ridethrough_targets::net::{Net, SocketOptions};
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
    let (net, voice, clock) = (Arc::clone(&env.net), env.panel.voice(), env.clock);
    let open = futures_util::future::join_all(config.doors.iter().map(|(host, port)| {
        let (net, voice) = (Arc::clone(&net), voice.clone());
        async move {
            knock(net.as_ref(), host, *port).await;
            let state = FromService::State {
                t_us: clock.now_us(),
                of: door(host, *port),
                from: "closed".into(),
                to: "open".into(),
                cause: "it accepts connections".into(),
            };
            let _ = voice.send(state);
        }
    }));
    tokio::select! {
        biased;
        () = stopped(&mut env.panel.inbox) => return Ok(()),
        _ = open => {}
    }
    env.panel.say(FromService::Ready {
        t_us: env.clock.now_us(),
    });
    stopped(&mut env.panel.inbox).await;
    Ok(())
}

/// How a door is called in the record.
pub(crate) fn door(host: &str, port: u16) -> String {
    format!("door:{host}:{port}")
}

async fn knock(net: &dyn Net, host: &str, port: u16) {
    loop {
        let connect = net.connect(host, port, SocketOptions::default());
        if matches!(tokio::time::timeout(CONNECT, connect).await, Ok(Ok(_))) {
            return;
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn stopped(inbox: &mut tokio::sync::mpsc::UnboundedReceiver<ToService>) {
    while let Some(word) = inbox.recv().await {
        if word == ToService::Stop {
            return;
        }
    }
}
