//! The probe: a service off the devices' own machines that asks them when it is
//! told to, as a client of theirs would.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::client::{Question, ask};
use super::point::points;
use crate::service::{Env, FromService, ServiceError, ToService, spawn_in};
use crate::supervisor::UNREACHABLE;
use crate::telemetry::{Protocol, Seen};
use crate::units::Span;

/// Questions that may be under way at one time; more are answered with a
/// refusal.
const MAX_ASKED: usize = 1_024;
/// How long the answer of a watched device is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whom a probe may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProbeConfig {
    /// The devices, by name.
    pub devices: IndexMap<String, AskedDevice>,
    /// Devices that it asks all the time, telling what changes.
    pub watch: Vec<Watched>,
    /// How often it asks those.
    pub every: Span,
}

/// A device that is asked all the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// The device.
    pub device: String,
    /// By which protocol.
    pub via: Protocol,
}

/// Where a device's agents are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedDevice {
    /// The kind of its readings, such as `ups`.
    pub kind: String,
    /// The node of its card.
    pub host: String,
    /// The ports that its agents listen on.
    pub ports: IndexMap<Protocol, u16>,
}

/// Asks when it is told to, until it is told to stop.
pub async fn run_probe(mut env: Env, config: ProbeConfig) -> Result<(), ServiceError> {
    let clock = env.clock;
    env.panel.say(FromService::Ready {
        t_us: clock.now_us(),
    });
    let mut asked = JoinSet::new();
    let mut watched = JoinSet::new();
    for Watched { device, via } in config.watch.clone() {
        if let Ok(question) = question(&config, device, via) {
            spawn_in(&mut watched, watch(&env, question, config.every));
        }
    }
    loop {
        let word = tokio::select! {
            biased;
            Some(_) = asked.join_next(), if !asked.is_empty() => continue,
            word = env.panel.inbox.recv() => word,
        };
        let (ticket, device, via, wait) = match word {
            None | Some(ToService::Stop) => return Ok(()),
            Some(ToService::Ask {
                ticket,
                device,
                via,
                wait,
            }) => (ticket, device, via, wait),
            Some(_) => continue,
        };
        let question = match asked.len() < MAX_ASKED {
            true => question(&config, device, via),
            false => Err("too many questions are under way".into()),
        };
        let (net, voice) = (Arc::clone(&env.net), env.panel.voice());
        let began = clock.now_us();
        let answer = move |seen| {
            let t_us = clock.now_us();
            let took = Span::from_micros(t_us.saturating_sub(began));
            let _ = voice.send(FromService::Asked {
                t_us,
                ticket,
                took,
                seen,
            });
        };
        match question {
            Ok(question) => {
                spawn_in(&mut asked, async move {
                    answer(ask(net.as_ref(), &question, wait.duration()).await);
                });
            }
            Err(why) => answer(Seen::Refused(why)),
        }
    }
}

/// Asks a device all the time and tells what changes of its words: a number
/// creeps, a status says something.
fn watch(env: &Env, question: Question, every: Span) -> impl Future<Output = ()> + use<> {
    let (net, clock, voice) = (Arc::clone(&env.net), env.clock, env.panel.voice());
    let words = points(question.via, &question.kind);
    let words = words.iter().filter(|point| point.step == 0.0);
    let every = every.duration().max(Duration::from_millis(1));
    async move {
        let mut beat = interval(every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shown: IndexMap<&str, String> = IndexMap::new();
        loop {
            beat.tick().await;
            let seen = ask(net.as_ref(), &question, PATIENCE).await;
            for point in words.clone() {
                let value = match &seen {
                    Seen::Stale => "STALE".to_string(),
                    Seen::Silent => UNREACHABLE.to_string(),
                    Seen::Refused(why) => why.clone(),
                    Seen::Values(values) => match values.get(point.field) {
                        Some(Json::String(word)) => word.clone(),
                        other => other.map(ToString::to_string).unwrap_or_default(),
                    },
                };
                if shown.get(point.field) == Some(&value) {
                    continue;
                }
                shown.insert(point.field, value.clone());
                let _ = voice.send(FromService::Observed {
                    t_us: clock.now_us(),
                    via: question.via.name().into(),
                    device: question.device.clone(),
                    variable: point.field.into(),
                    value,
                });
            }
        }
    }
}

fn question(config: &ProbeConfig, device: String, via: Protocol) -> Result<Question, String> {
    let Some(asked) = config.devices.get(&device) else {
        return Err(format!("no device {device:?}"));
    };
    let Some(port) = asked.ports.get(&via) else {
        return Err(format!("{device} does not speak {}", via.name()));
    };
    Ok(Question {
        host: asked.host.clone(),
        port: *port,
        device,
        kind: asked.kind.clone(),
        via,
    })
}
