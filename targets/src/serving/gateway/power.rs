//! What the site's UPSs say, asked of a NUT server.
//!
//! `GET VAR <ups> ups.status` of the Network UPS Tools protocol (RFC 9271,
//! section 4.2.4.6), over one connection that is made again when it breaks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::admission::PowerState;
use super::service::Gateway;
use crate::net::{Io, SocketOptions};
use crate::service::FromService;

/// NUT's registered port.
const NUT_PORT: u16 = 3493;
/// Longest answer that is read.
const MAX_LINE: u64 = 4096;

type Wire = BufReader<Box<dyn Io>>;

/// Asks for as long as it is polled. What cannot be asked keeps its last state.
pub(super) async fn watch_power(gateway: Arc<Gateway>) {
    let power = &gateway.config.power;
    let (host, port) = address(&power.nut);
    let period = power.poll.duration().max(Duration::from_millis(10));
    // An answer may be slow, but not for ever.
    let patience = (period * 4).max(Duration::from_secs(1));
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut wire: Option<Wire> = None;
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    loop {
        ticks.tick().await;
        let asked = timeout(
            patience,
            ask_all(&gateway, host, port, wire.take(), &mut known),
        )
        .await;
        wire = asked.ok().flatten();
        judge(&gateway, &known);
    }
}

fn address(nut: &str) -> (&str, u16) {
    match nut.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host, port),
            Err(_) => (nut, NUT_PORT),
        },
        None => (nut, NUT_PORT),
    }
}

/// One round; returns the connection while it is good.
async fn ask_all(
    gateway: &Gateway,
    host: &str,
    port: u16,
    wire: Option<Wire>,
    known: &mut BTreeMap<String, String>,
) -> Option<Wire> {
    let mut wire = match wire {
        Some(wire) => wire,
        None => {
            let options = SocketOptions {
                nodelay: true,
                ..SocketOptions::default()
            };
            let conn = gateway.net.connect(host, port, options).await.ok()?;
            BufReader::new(conn.io)
        }
    };
    for ups in &gateway.config.power.ups {
        let Some(status) = ask(&mut wire, ups).await? else {
            continue;
        };
        if known.get(ups) != Some(&status) {
            let _ = gateway.voice.send(FromService::Observed {
                t_us: gateway.clock.now_us(),
                via: "nut".into(),
                device: ups.clone(),
                variable: "ups.status".into(),
                value: status.clone(),
            });
            known.insert(ups.clone(), status);
        }
    }
    Some(wire)
}

/// One question: `None` when the connection is no good, `Some(None)` when the
/// server does not know.
async fn ask(wire: &mut Wire, ups: &str) -> Option<Option<String>> {
    let question = format!("GET VAR {ups} ups.status\n");
    wire.write_all(question.as_bytes()).await.ok()?;
    wire.flush().await.ok()?;
    let mut line = String::new();
    let read = (&mut *wire)
        .take(MAX_LINE)
        .read_line(&mut line)
        .await
        .ok()?;
    if read == 0 || !line.ends_with('\n') {
        return None;
    }
    Some(status(&line, ups))
}

/// The status in `VAR <ups> ups.status "<status>"`.
fn status(line: &str, ups: &str) -> Option<String> {
    let rest = line.trim_end().strip_prefix("VAR ")?.strip_prefix(ups)?;
    let quoted = rest.strip_prefix(" ups.status ")?;
    let status = quoted.strip_prefix('"')?.strip_suffix('"')?;
    Some(status.to_string())
}

/// What all the statuses together allow.
fn verdict(known: &BTreeMap<String, String>) -> (PowerState, String) {
    let mut state = PowerState::Normal;
    let mut cause = "no UPS is on battery".to_string();
    for (ups, status) in known {
        let has = |flag| status.split_whitespace().any(|word| word == flag);
        let this = match () {
            () if has("LB") => PowerState::LowBattery,
            () if has("OB") => PowerState::OnBattery,
            () => PowerState::Normal,
        };
        if this > state {
            state = this;
            cause = format!("{ups}: {status}");
        }
    }
    (state, cause)
}

fn judge(gateway: &Gateway, known: &BTreeMap<String, String>) {
    let (state, cause) = verdict(known);
    let before = gateway.door.set_power(state);
    if before != state {
        let _ = gateway.voice.send(FromService::State {
            t_us: gateway.clock.now_us(),
            of: "shedding".into(),
            from: before.name().into(),
            to: state.name().into(),
            cause,
        });
    }
}

#[cfg(test)]
mod tests;
