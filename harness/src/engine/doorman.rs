//! A service of the monitor node: it waits until the stack can be reached from
//! the clients' side of the fabric, and says so.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use ridethrough_targets::net::{Net, SocketOptions};
use ridethrough_targets::service::{Env, FromService, ServiceError, ToService};

use crate::plan::Door;

/// What to wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoormanConfig {
    /// Hosts and ports that must answer.
    pub doors: Vec<Door>,
}

/// How much of an answer is read: its first line tells.
const FIRST_LINE_MAX: usize = 64;

/// Tries every door until it opens, then says `Ready` and waits for the end.
pub async fn run_doorman(mut env: Env, config: DoormanConfig) -> Result<(), ServiceError> {
    let (net, voice, clock) = (Arc::clone(&env.net), env.panel.voice(), env.clock);
    let open = futures_util::future::join_all(config.doors.iter().map(|at| {
        let (net, voice) = (Arc::clone(&net), voice.clone());
        async move {
            knock(net.as_ref(), at).await;
            let state = FromService::State {
                t_us: clock.now_us(),
                of: door(&at.host, at.port),
                from: "closed".into(),
                to: "open".into(),
                cause: match &at.http {
                    None => "it accepts connections".into(),
                    Some(path) => format!("it answers {path}"),
                },
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

async fn knock(net: &dyn Net, at: &Door) {
    loop {
        let answer = tokio::time::timeout(at.timeout.duration(), answers(net, at));
        if matches!(answer.await, Ok(Ok(true))) {
            return;
        }
        tokio::time::sleep(at.interval.duration()).await;
    }
}

async fn answers(net: &dyn Net, at: &Door) -> io::Result<bool> {
    let options = SocketOptions::default();
    let mut conn = net.connect(&at.host, at.port, options).await?;
    let Some(path) = &at.http else {
        return Ok(true);
    };
    let host = &at.host;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    conn.io.write_all(request.as_bytes()).await?;
    let mut said = Vec::new();
    while said.len() < FIRST_LINE_MAX && !said.contains(&b'\n') {
        if conn.io.read_buf(&mut said).await? == 0 {
            break;
        }
    }
    Ok(is_fine(&said))
}

/// `HTTP/1.1 200 OK`, or any other status below 400.
fn is_fine(said: &[u8]) -> bool {
    let said = String::from_utf8_lossy(said);
    let mut words = said.split_whitespace();
    let http = words.next().is_some_and(|word| word.starts_with("HTTP/"));
    let status = words.next().and_then(|word| word.parse::<u16>().ok());
    http && status.is_some_and(|status| (200..400).contains(&status))
}

async fn stopped(inbox: &mut tokio::sync::mpsc::UnboundedReceiver<ToService>) {
    while let Some(word) = inbox.recv().await {
        if word == ToService::Stop {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_fine;

    #[test]
    fn a_status_below_400_is_fine() {
        assert!(is_fine(b"HTTP/1.1 200 OK\r\n"));
        assert!(is_fine(b"HTTP/1.1 302 Found\r\n"));
        assert!(!is_fine(b"HTTP/1.1 503 Service Unavailable\r\n"));
        assert!(!is_fine(b"SSH-2.0-x 200\r\n"));
        assert!(!is_fine(b""));
    }
}
