//! A NUT client that tells what it sees change.

use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use super::nut::{ClientError, NutClient};
use crate::net::Net;
use crate::service::{Env, FromService, ServiceError, ToService};
use crate::units::Span;

/// What is told of a device that cannot be asked.
pub const UNREACHABLE: &str = "UNREACHABLE";

/// A watcher of `ups.status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WatchConfig {
    /// The NUT server's node; each device's own card where there is none.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// The devices to watch.
    pub ups: Vec<String>,
    /// How often.
    pub poll: Span,
    /// How long one answer may take before the server counts as unreachable.
    pub timeout: Span,
}

impl Default for WatchConfig {
    fn default() -> Self {
        Self {
            host: Some("localhost".into()),
            port: 3493,
            ups: Vec::new(),
            poll: Span::from_millis(100),
            timeout: Span::from_secs(1),
        }
    }
}

/// Watches until it is told to stop. An error is told as a value too: the code
/// of a refusal (`DATA-STALE`), or [`UNREACHABLE`].
pub async fn run_watch(mut env: Env, config: WatchConfig) -> Result<(), ServiceError> {
    let voice = env.panel.voice();
    let clock = env.clock;
    let mut watcher = Watcher {
        net: Arc::clone(&env.net),
        config,
        clients: IndexMap::new(),
        seen: IndexMap::new(),
    };
    env.panel.say(FromService::Ready {
        t_us: clock.now_us(),
    });
    let watch = async {
        let mut beat = interval(
            watcher
                .config
                .poll
                .duration()
                .max(super::supervisor::MIN_POLL),
        );
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            for (device, value) in watcher.round().await {
                let _ = voice.send(FromService::Observed {
                    t_us: clock.now_us(),
                    via: "nut".into(),
                    device,
                    variable: "ups.status".into(),
                    value,
                });
            }
        }
    };
    let stop =
        async { while !matches!(env.panel.inbox.recv().await, None | Some(ToService::Stop)) {} };
    tokio::select! {
        biased;
        () = stop => Ok(()),
        () = watch => Ok(()),
    }
}

struct Watcher {
    net: Arc<dyn Net>,
    config: WatchConfig,
    /// Connections by host.
    clients: IndexMap<String, NutClient>,
    seen: IndexMap<String, String>,
}

impl Watcher {
    /// Asks for every device once; gives what changed. After the first request
    /// that the network fails, whatever is asked of that host in the rest of the
    /// round is unreachable with it, so that no round takes longer than one
    /// connection and one answer for each host.
    async fn round(&mut self) -> Vec<(String, String)> {
        let mut changes = Vec::new();
        let mut down: Vec<String> = Vec::new();
        for ups in self.config.ups.clone() {
            let host = self.config.host.clone().unwrap_or_else(|| ups.clone());
            let value = match down.contains(&host) {
                true => Err(ClientError::Closed),
                false => self.ask(&host, &ups).await,
            };
            let value = match value {
                Ok(value) => value,
                Err(ClientError::Refused(code)) => code,
                Err(_) => {
                    self.clients.shift_remove(&host);
                    down.push(host);
                    UNREACHABLE.into()
                }
            };
            if self.seen.get(&ups) != Some(&value) {
                self.seen.insert(ups.clone(), value.clone());
                changes.push((ups, value));
            }
        }
        changes
    }

    async fn ask(&mut self, host: &str, ups: &str) -> Result<String, ClientError> {
        let client = match self.clients.entry(host.to_string()) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => {
                let wait = self.config.timeout.duration();
                let net = self.net.as_ref();
                let client = NutClient::connect(net, host, self.config.port, wait).await?;
                vacant.insert(client)
            }
        };
        client.get_var(ups, "ups.status").await
    }
}
