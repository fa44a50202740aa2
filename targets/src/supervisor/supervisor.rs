//! The supervisor: hears every card, serves all devices on one NUT server and
//! says what it believes of the site.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::config::SupervisorConfig;
use super::forward::{Address, forward};
use super::machine::{DeviceView, Machine};
use super::nut::{Device, Limits, Link, NutUser, Order, SharedBank, Tracked, is_name, serve};
use super::poller::{Ear, Heard, What};
use crate::net::{Listener, SocketOptions};
use crate::service::{Env, FromService, ServiceError, ToService, spawn_in};

/// Answers of devices that may wait to be looked at.
const MAX_HEARD: usize = 256;
/// Orders that are under way at one time.
const MAX_FORWARDS: usize = 32;
/// The shortest time between two questions to one device.
pub(super) const MIN_POLL: Duration = Duration::from_millis(1);

/// The supervisor as a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SupervisorService {
    /// The port its NUT server listens on.
    pub port: u16,
    /// Its policy.
    pub policy: SupervisorConfig,
    /// The cards that it asks.
    pub devices: Vec<CardAddress>,
    /// Who may log in, set and command.
    pub users: Vec<NutUser>,
    /// The user that it is at the cards.
    pub card_user: String,
    /// That user's password.
    pub card_password: String,
}

/// Where one card is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardAddress {
    /// The device's name, at the card and here.
    pub name: String,
    /// What it is; served as its description.
    #[serde(default)]
    pub description: String,
    /// The card's node.
    pub host: String,
    /// The card's port.
    pub port: u16,
}

impl Default for SupervisorService {
    fn default() -> Self {
        Self {
            port: 3493,
            policy: SupervisorConfig::default(),
            devices: Vec::new(),
            users: Vec::new(),
            card_user: "supervisor".into(),
            card_password: "supervisor".into(),
        }
    }
}

/// Runs the supervisor until it is told to stop.
pub async fn run_supervisor(env: Env, config: SupervisorService) -> Result<(), ServiceError> {
    let options = SocketOptions {
        nodelay: true,
        ..SocketOptions::default()
    };
    let listener = env
        .net
        .listen(config.port, options)
        .await
        .map_err(|source| ServiceError::Io {
            what: format!("listen on port {}", config.port),
            source,
        })?;
    supervisor_on(env, config, listener).await
}

/// As [`run_supervisor`], on a listener that is there already.
pub async fn supervisor_on(
    mut env: Env,
    config: SupervisorService,
    listener: Box<dyn Listener>,
) -> Result<(), ServiceError> {
    check_names(&config)?;
    let devices = config.devices.iter();
    let devices = devices.map(|card| Device::new(&card.name, &card.description));
    let (bank, mut orders) = SharedBank::new(devices.collect(), config.users.clone(), env.seed);
    let mut supervisor = Supervisor {
        machine: Machine::new(&config.policy),
        heard_at: vec![None; config.devices.len()],
        bank: bank.clone(),
        forwards: JoinSet::new(),
        config,
    };
    env.panel.say(FromService::Ready {
        t_us: env.clock.now_us(),
    });
    tokio::select! {
        biased;
        () = supervisor.run(&mut env, &mut orders) => Ok(()),
        () = serve(listener, bank, Limits::default()) => Ok(()),
    }
}

fn check_names(config: &SupervisorService) -> Result<(), ServiceError> {
    for (index, card) in config.devices.iter().enumerate() {
        if !is_name(&card.name) {
            let name = &card.name;
            return Err(ServiceError::Config(format!(
                "{name:?} is no name of a device"
            )));
        }
        let twin = |c: &CardAddress| c.name.eq_ignore_ascii_case(&card.name);
        if config.devices[..index].iter().any(twin) {
            return Err(ServiceError::Config(format!("two devices {:?}", card.name)));
        }
    }
    Ok(())
}

struct Supervisor {
    config: SupervisorService,
    bank: SharedBank,
    machine: Machine,
    /// When each device was last heard.
    heard_at: Vec<Option<Instant>>,
    forwards: JoinSet<()>,
}

impl Supervisor {
    async fn run(&mut self, env: &mut Env, orders: &mut Receiver<Order>) {
        let (to, mut heard) = mpsc::channel(MAX_HEARD);
        let poll = self.config.policy.poll.duration().max(MIN_POLL);
        let mut ears = JoinSet::new();
        for ear in self.ears(poll) {
            spawn_in(&mut ears, ear.listen(Arc::clone(&env.net), to.clone()));
        }
        let mut beat = interval(poll);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                word = env.panel.inbox.recv() => match word {
                    None | Some(ToService::Stop) => return,
                    Some(_) => {}
                },
                Some(order) = orders.recv() => self.order(env, order),
                Some(word) = heard.recv() => {
                    self.hear(word);
                    self.look(env);
                }
                Some(_) = self.forwards.join_next(), if !self.forwards.is_empty() => {}
                _ = beat.tick() => {
                    self.age();
                    self.look(env);
                }
            }
        }
    }

    /// A request that takes longer than data may be old is of no use.
    fn timeout(&self) -> Duration {
        let stale_after = self.config.policy.stale_after.duration();
        stale_after.clamp(Duration::from_millis(10), Duration::from_secs(60))
    }

    fn ears(&self, poll: Duration) -> Vec<Ear> {
        let cards = self.config.devices.iter().enumerate();
        cards
            .map(|(index, card)| Ear {
                index,
                name: card.name.clone(),
                host: card.host.clone(),
                port: card.port,
                poll,
                timeout: self.timeout(),
            })
            .collect()
    }

    fn hear(&mut self, heard: Heard) {
        let mut bank = self.bank.lock();
        let Some(device) = bank.device_mut(&self.config.devices[heard.index].name) else {
            return;
        };
        match heard.what {
            What::Shape { commands, writable } => {
                device.set_commands(commands.into_iter().filter(|c| is_name(c)).collect());
                for (name, variable) in writable.into_iter().filter(|(name, _)| is_name(name)) {
                    device.define(&name, variable);
                }
            }
            What::Values(rows) => {
                device.retain(|name| rows.iter().any(|(known, _)| known == name));
                for (name, value) in rows.into_iter().filter(|(name, _)| is_name(name)) {
                    device.put(&name, value);
                }
                device.link = Link::Up;
                self.heard_at[heard.index] = Some(Instant::now());
            }
            What::Stale => device.link = Link::Stale,
            What::Down(error) => {
                tracing::debug!(device = %device.name, %error, "card not reached");
                device.link = Link::Down;
            }
        }
    }

    /// Data grow stale where nothing is heard.
    fn age(&mut self) {
        let mut bank = self.bank.lock();
        for (card, heard_at) in self.config.devices.iter().zip(&self.heard_at) {
            if let Some(device) = bank.device_mut(&card.name)
                && device.link == Link::Up
                && !self.is_fresh(*heard_at)
            {
                device.link = Link::Stale;
            }
        }
    }

    fn is_fresh(&self, heard_at: Option<Instant>) -> bool {
        heard_at.is_some_and(|at| at.elapsed() <= self.config.policy.stale_after.duration())
    }

    fn look(&mut self, env: &Env) {
        let mut bank = self.bank.lock();
        let views: Vec<DeviceView<'_>> = bank
            .devices()
            .iter()
            .zip(&self.heard_at)
            .map(|(device, heard_at)| DeviceView {
                name: &device.name,
                heard: self.is_fresh(*heard_at),
                status: device.variable("ups.status").map_or("", |v| &v.value),
                fsd: device.fsd,
            })
            .collect();
        let t_us = env.clock.now_us();
        let look = self.machine.look(t_us, &views);
        for name in &look.shut_down {
            if let Some(device) = bank.device_mut(name) {
                device.fsd = true;
            }
        }
        if look.release {
            for card in &self.config.devices {
                if let Some(device) = bank.device_mut(&card.name) {
                    device.fsd = false;
                }
            }
        }
        for step in look.steps {
            env.panel.say(FromService::State {
                t_us,
                of: "supervisor".into(),
                from: step.from.to_string(),
                to: step.to.to_string(),
                cause: step.cause,
            });
        }
    }

    fn order(&mut self, env: &Env, order: Order) {
        let cards = &self.config.devices;
        let card = cards.iter().find(|card| card.name == order.device);
        let (Some(card), true) = (card, self.forwards.len() < MAX_FORWARDS) else {
            self.bank.lock().finish(order.id, Tracked::Failed);
            return;
        };
        let address = Address {
            host: card.host.clone(),
            port: card.port,
            user: self.config.card_user.clone(),
            password: self.config.card_password.clone(),
            timeout: self.timeout(),
        };
        let (net, bank) = (Arc::clone(&env.net), self.bank.clone());
        spawn_in(&mut self.forwards, async move {
            let outcome = forward(net, address, &order).await;
            bank.lock().finish(order.id, outcome);
        });
    }
}
