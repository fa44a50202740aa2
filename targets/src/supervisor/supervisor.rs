//! The supervisor: hears every card, serves all devices on one NUT server, says
//! what it believes of the site, and tells devices what its policy wants.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::bess::{BessEar, BessHeard, variables};
use super::config::SupervisorConfig;
use super::forward::{Address, forward};
use super::govern::Govern;
use super::machine::{DeviceView, Machine};
use super::nut::{Device, Limits, Link, NutUser, Order, SharedBank, Tracked, is_name, serve};
use super::policy::{Governed, Outcome};
use super::poller::{Ear, Heard, What};
use super::sunspec::ModbusError;
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
    /// The cards of UPSs, which it asks by NUT.
    pub devices: Vec<CardAddress>,
    /// The cards of storage systems, which it asks and tells by Modbus.
    pub bess: Vec<CardAddress>,
    /// The cards of generators, which it tells by NUT.
    pub generators: Vec<CardAddress>,
    /// The cards of transfer switches, which it tells by Redfish.
    pub transfers: Vec<CardAddress>,
    /// Machines that it may cap and switch off.
    pub machines: Vec<Governed>,
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
            bess: Vec::new(),
            generators: Vec::new(),
            transfers: Vec::new(),
            machines: Vec::new(),
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
    let devices = config.devices.iter().chain(&config.bess);
    let devices = devices.map(|card| Device::new(&card.name, &card.description));
    let (bank, mut orders) = SharedBank::new(devices.collect(), config.users.clone(), env.seed);
    let mut supervisor = Supervisor {
        machine: Machine::new(&config.policy),
        govern: Govern::new(&config, Arc::clone(&env.net)),
        heard_at: vec![None; config.devices.len() + config.bess.len()],
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

/// Tells of an order that failed, or went through after one that did.
fn tell(env: &Env, outcome: Outcome, before: Option<String>) {
    let wish: Vec<String> = outcome.wish.iter().map(ToString::to_string).collect();
    let word = |failed: Option<String>| failed.map_or("obeyed".to_string(), |why| why);
    env.panel.say(FromService::State {
        t_us: env.clock.now_us(),
        of: format!("order:{}", outcome.device),
        from: word(before),
        to: word(outcome.result.err()),
        cause: wish.join(", "),
    });
}

fn check_names(config: &SupervisorService) -> Result<(), ServiceError> {
    let cards: Vec<&CardAddress> = config.devices.iter().chain(&config.bess).collect();
    for (index, card) in cards.iter().enumerate() {
        if !is_name(&card.name) {
            let name = &card.name;
            return Err(ServiceError::Config(format!(
                "{name:?} is no name of a device"
            )));
        }
        let twin = |c: &&CardAddress| c.name.eq_ignore_ascii_case(&card.name);
        if cards[..index].iter().any(twin) {
            return Err(ServiceError::Config(format!("two devices {:?}", card.name)));
        }
    }
    Ok(())
}

struct Supervisor {
    config: SupervisorService,
    bank: SharedBank,
    machine: Machine,
    govern: Govern,
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
        let (to, mut stored) = mpsc::channel(MAX_HEARD);
        for ear in self.bess_ears(poll) {
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
                Some(word) = stored.recv() => {
                    self.hear_bess(word);
                    self.look(env);
                }
                Some((outcome, before)) = self.govern.told() => tell(env, outcome, before),
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

    fn bess_ears(&self, poll: Duration) -> Vec<BessEar> {
        let cards = self.config.bess.iter();
        cards
            .map(|card| BessEar {
                name: card.name.clone(),
                host: card.host.clone(),
                port: card.port,
                poll,
                heartbeat: self.config.policy.bess.heartbeat.duration(),
                timeout: self.timeout(),
            })
            .collect()
    }

    fn hear_bess(&mut self, heard: BessHeard) {
        let mut bank = self.bank.lock();
        let place = self.config.bess.iter().position(|c| c.name == heard.name);
        let (Some(place), Some(device)) = (place, bank.device_mut(&heard.name)) else {
            return;
        };
        match heard.reading {
            Ok(reading) => {
                for (name, value) in variables(&reading) {
                    device.put(name, value);
                }
                device.link = Link::Up;
                let place = self.config.devices.len() + place;
                self.heard_at[place] = Some(Instant::now());
                self.govern.hear(&heard.name, reading);
            }
            Err(ModbusError::Refused(_)) => device.link = Link::Stale,
            Err(error) => {
                tracing::debug!(device = %heard.name, %error, "card not reached");
                device.link = Link::Down;
            }
        }
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
                let known = device.variables().map(|(name, _)| name);
                if !known.eq(rows.iter().map(|(name, _)| name.as_str())) {
                    device.retain(|name| rows.iter().any(|(known, _)| known == name));
                }
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
        let cards = self.config.devices.iter().chain(&self.config.bess);
        for (card, heard_at) in cards.zip(&self.heard_at) {
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
        let sheds = self.govern.look(t_us, self.machine.state(), bank.devices());
        for shed in sheds {
            env.panel.say(FromService::State {
                t_us,
                of: "shed".into(),
                from: shed.from.to_string(),
                to: shed.to.to_string(),
                cause: shed.cause,
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
