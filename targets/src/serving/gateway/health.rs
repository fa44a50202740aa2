//! Is a replica fit for requests? Active checks, and what real traffic shows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::StatusCode;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::attempt::connect;
use super::balance::Peer;
use super::patience::by;
use super::service::Gateway;
use crate::service::{AttemptEnd, FromService, Notice};
use crate::serving::config::HealthCheck;

/// How often a replica that was never seen healthy is asked, at most.
const EAGER: Duration = Duration::from_millis(100);

/// Broken requests in a row that take a replica out, at least: one torn stream
/// may be the stream's own.
const LEAST_BROKEN: u32 = 3;

/// The counts behind a view; pure.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    healthy: bool,
    seen: bool,
    failures: u32,
    successes: u32,
    transport: u32,
}

/// What happened to a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A check was answered.
    CheckOk,
    /// A check was not answered.
    CheckFailed,
    /// A request was answered whole.
    RequestOk,
    /// A request broke on the way: not an HTTP status, whatever it was.
    RequestBroke,
}

impl Counts {
    /// Takes a sign; returns the new health when it changes.
    pub(super) fn take(&mut self, sign: Sign, check: &HealthCheck) -> Option<bool> {
        match sign {
            Sign::CheckOk => {
                self.failures = 0;
                self.successes = self.successes.saturating_add(1);
            }
            Sign::CheckFailed => {
                self.successes = 0;
                self.failures = self.failures.saturating_add(1);
            }
            Sign::RequestOk => self.transport = 0,
            Sign::RequestBroke => self.transport = self.transport.saturating_add(1),
        }
        let bound = check.unhealthy_after.max(1);
        if self.healthy && (self.failures >= bound || self.transport >= bound.max(LEAST_BROKEN)) {
            // The way back is through checks alone: half open.
            self.successes = 0;
            self.transport = 0;
            self.healthy = false;
            return Some(false);
        }
        // One good check is enough for a replica nobody has complained of yet.
        let enough = if self.seen {
            check.healthy_after.max(1)
        } else {
            1
        };
        if !self.healthy && self.successes >= enough {
            self.failures = 0;
            self.transport = 0;
            self.seen = true;
            self.healthy = true;
            return Some(true);
        }
        None
    }
}

/// A replica's health for all who wait on it.
pub(super) struct HealthView {
    counts: Mutex<Counts>,
    healthy: Notice<bool>,
}

impl Default for HealthView {
    fn default() -> Self {
        Self {
            counts: Mutex::default(),
            healthy: Notice::new(false),
        }
    }
}

impl HealthView {
    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.get()
    }

    /// Waits until the replica is unhealthy.
    pub(super) async fn evicted(&self) {
        self.healthy.wait_for(|healthy| !healthy).await;
    }

    #[cfg(test)]
    pub(super) fn force(&self, healthy: bool) {
        self.healthy.set(healthy);
    }

    fn seen(&self) -> bool {
        self.counts
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
            .seen
    }
}

/// Takes a sign of a replica, and tells everybody when it changes the view.
pub(super) fn note(gateway: &Gateway, peer: &Peer, sign: Sign, cause: &str) {
    let mut counts = peer
        .health
        .counts
        .lock()
        .unwrap_or_else(|poison| poison.into_inner());
    let Some(healthy) = counts.take(sign, &gateway.config.health) else {
        return;
    };
    drop(counts);
    let names = ["unhealthy", "healthy"];
    let _ = gateway.voice.send(FromService::State {
        t_us: gateway.clock.now_us(),
        of: format!("replica:{}", peer.at.name),
        from: names[usize::from(!healthy)].into(),
        to: names[usize::from(healthy)].into(),
        cause: cause.into(),
    });
    peer.health.healthy.set(healthy);
    gateway.pool.changed.update(|n| n + 1);
}

/// What an attempt's end says of its replica; `None`: nothing.
pub(super) fn sign_of(end: AttemptEnd) -> Option<Sign> {
    match end {
        AttemptEnd::Completed => Some(Sign::RequestOk),
        AttemptEnd::Eof
        | AttemptEnd::Reset
        | AttemptEnd::IdleTimeout
        | AttemptEnd::ConnectTimeout
        | AttemptEnd::Refused
        | AttemptEnd::Unreachable
        | AttemptEnd::TcpTimeout => Some(Sign::RequestBroke),
        AttemptEnd::ClientGone
        | AttemptEnd::ErrorFrame
        | AttemptEnd::HttpError
        | AttemptEnd::Evicted
        | AttemptEnd::Deadline => None,
    }
}

/// Checks one replica for as long as it is polled.
pub(super) async fn watch_over(gateway: Arc<Gateway>, peer: Arc<Peer>) {
    let check = &gateway.config.health;
    let period = check.interval.duration().max(Duration::from_millis(1));
    let mut eager = interval(period.min(EAGER));
    eager.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !peer.health.seen() {
        eager.tick().await;
        probe_once(&gateway, &peer).await;
    }
    let mut steady = interval(period);
    steady.set_missed_tick_behavior(MissedTickBehavior::Delay);
    steady.tick().await;
    loop {
        steady.tick().await;
        probe_once(&gateway, &peer).await;
    }
}

async fn probe_once(gateway: &Gateway, peer: &Peer) {
    let start = Instant::now();
    let limit = gateway.config.health.timeout.duration();
    let (sign, cause) = match by(start + limit, probe(gateway, peer)).await {
        Some(Ok(())) => (Sign::CheckOk, "checks answered".to_string()),
        Some(Err(why)) => (Sign::CheckFailed, format!("check failed: {why}")),
        None => (
            Sign::CheckFailed,
            format!("check not answered in {} ms", start.elapsed().as_millis()),
        ),
    };
    note(gateway, peer, sign, &cause);
}

/// A generation of one token: what answers it can serve.
async fn probe(gateway: &Gateway, peer: &Peer) -> Result<(), String> {
    let body = r#"{"messages":[{"role":"user","content":"health"}],"max_tokens":1}"#;
    let mut link = connect(gateway, peer)
        .await
        .map_err(|end| format!("{end:?}"))?;
    let request = super::attempt::request("/v1/chat/completions", body.into(), "health", "health")
        .map_err(|error| error.to_string())?;
    let response = link
        .sender
        .send_request(request)
        .await
        .map_err(|error| error.to_string())?;
    if response.status() != StatusCode::OK {
        return Err(format!("HTTP {}", response.status().as_u16()));
    }
    let body = http_body_util::Limited::new(response.into_body(), 64 << 10);
    let body = body
        .collect()
        .await
        .map_err(|error| error.to_string())?
        .to_bytes();
    let document: serde_json::Value =
        serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    match document["choices"].as_array() {
        Some(choices) if !choices.is_empty() => Ok(()),
        _ => Err("no choices in the answer".into()),
    }
}

#[cfg(test)]
mod tests;
