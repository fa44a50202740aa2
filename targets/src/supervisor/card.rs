//! The management card of one UPS: it reads the device's meters over the
//! panel and serves that device over NUT.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::mapping::{CardView, variables};
use super::nut::{
    Device, Limits, Link, NutUser, Order, OrderKind, Range, SharedBank, Tracked, Variable, is_name,
    serve,
};
use crate::net::{Listener, SocketOptions};
use crate::service::{Env, FromService, ServiceError, ToService};
use crate::telemetry::{Reading, ReadingStatus, UpsReading};
use crate::units::Span;

/// Commands that the card carries out itself.
const OWN_COMMANDS: [&str; 4] = [
    "beeper.disable",
    "beeper.enable",
    "beeper.mute",
    "beeper.toggle",
];

/// A management card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CardConfig {
    /// The port it listens on.
    pub port: u16,
    /// The device's name on NUT, such as `ups-a`.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its model, as `device.model`.
    pub model: String,
    /// Battery low below this charge, in percent, once a client has set it;
    /// until then the device's own word counts.
    pub charge_low_percent: u32,
    /// Battery low below this runtime in seconds, in the same way.
    pub runtime_low_s: u32,
    /// Nominal voltage of the battery string.
    pub battery_nominal_v: f64,
    /// Readings older than this are stale; without it the last one holds.
    pub stale_after: Option<Span>,
    /// Commands that the machine behind the panel carries out, such as
    /// `load.off`. Those that are not here are refused.
    pub commands: Vec<String>,
    /// How long a switched output may take to show in the readings before the
    /// command counts as failed.
    pub switch_timeout: Span,
    /// Who may set and command.
    pub users: Vec<NutUser>,
}

impl Default for CardConfig {
    fn default() -> Self {
        Self {
            port: 3493,
            name: "ups".into(),
            description: String::new(),
            model: "ridethrough UPS".into(),
            charge_low_percent: 20,
            runtime_low_s: 120,
            battery_nominal_v: 192.0,
            stale_after: None,
            commands: Vec::new(),
            switch_timeout: Span::from_secs(5),
            users: vec![NutUser::all("supervisor", "supervisor")],
        }
    }
}

/// Runs the card until it is told to stop.
pub async fn run_card(env: Env, config: CardConfig) -> Result<(), ServiceError> {
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
    card_on(env, config, listener).await
}

/// As [`run_card`], on a listener that is there already.
pub async fn card_on(
    mut env: Env,
    config: CardConfig,
    listener: Box<dyn Listener>,
) -> Result<(), ServiceError> {
    if !is_name(&config.name) {
        let name = &config.name;
        return Err(ServiceError::Config(format!(
            "{name:?} is no name of a device"
        )));
    }
    let device = describe(&config);
    let (bank, mut orders) = SharedBank::new(vec![device], config.users.clone(), env.seed);
    let mut card = Card {
        config,
        bank: bank.clone(),
        last: None,
        thresholds_set: false,
        nominal_hz: 50.0,
        switching: Vec::new(),
    };
    env.panel.say(FromService::Ready {
        t_us: env.clock.now_us(),
    });
    tokio::select! {
        biased;
        () = card.run(&mut env, &mut orders) => Ok(()),
        () = serve(listener, bank, Limits::default()) => Ok(()),
    }
}

/// The device before its first reading.
fn describe(config: &CardConfig) -> Device {
    let mut device = Device::new(&config.name, &config.description);
    device.link = Link::Stale;
    for (name, value) in [
        ("device.mfr", "ridethrough"),
        ("device.model", config.model.as_str()),
        ("device.type", "ups"),
        ("driver.name", "ridethrough"),
        ("driver.version", env!("CARGO_PKG_VERSION")),
        ("ups.beeper.status", "enabled"),
        ("ups.status", "WAIT"),
    ] {
        device.put(name, value);
    }
    let limits = [
        ("battery.charge.low", config.charge_low_percent, 100),
        ("battery.runtime.low", config.runtime_low_s, 86_400),
    ];
    for (name, value, max) in limits {
        device.define(
            name,
            Variable {
                value: value.to_string(),
                writable: true,
                ranges: vec![Range { min: 0, max }],
                ..Variable::default()
            },
        );
    }
    let mut commands = config.commands.clone();
    commands.extend(OWN_COMMANDS.map(String::from));
    device.set_commands(commands);
    device
}

struct Card {
    config: CardConfig,
    bank: SharedBank,
    last: Option<(Instant, UpsReading)>,
    /// A client has set a threshold: the card decides what is low.
    thresholds_set: bool,
    /// What the inverter makes: the grid's frequency, as last seen.
    nominal_hz: f64,
    /// Switchings that the readings have not shown yet.
    switching: Vec<Switching>,
}

struct Switching {
    id: Option<Uuid>,
    /// What the output must become: dead or not.
    off: bool,
    until: Instant,
}

impl Card {
    async fn run(&mut self, env: &mut Env, orders: &mut Receiver<Order>) {
        loop {
            let wake = self.next_deadline();
            tokio::select! {
                biased;
                word = env.panel.inbox.recv() => match word {
                    None | Some(ToService::Stop) => return,
                    Some(ToService::Reading(Reading::Ups(reading))) => {
                        if reading.input_hz > 40.0 {
                            self.nominal_hz = if reading.input_hz > 55.0 { 60.0 } else { 50.0 };
                        }
                        self.last = Some((Instant::now(), reading));
                        self.publish();
                    }
                    Some(ToService::Clocks { .. } | ToService::Reading(_)) => {}
                },
                Some(order) = orders.recv() => self.order(env, order),
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.expire(),
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let fresh = self.bank.lock().devices()[0].link == Link::Up;
        let stale = match (&self.last, self.config.stale_after) {
            (Some((at, _)), Some(after)) if fresh => Some(*at + after.duration()),
            _ => None,
        };
        let switching = self.switching.iter().map(|s| s.until);
        switching.chain(stale).min()
    }

    fn expire(&mut self) {
        let now = Instant::now();
        let mut bank = self.bank.lock();
        if let (Some((at, _)), Some(after)) = (&self.last, self.config.stale_after)
            && now >= *at + after.duration()
            && let Some(device) = bank.device_mut(&self.config.name)
        {
            device.link = Link::Stale;
        }
        self.switching.retain(|s| {
            if now >= s.until {
                bank.finish(s.id, Tracked::Failed);
            }
            now < s.until
        });
    }

    /// Brings the served variables up to the last reading.
    fn publish(&mut self) {
        let Some((_, reading)) = &self.last else {
            return;
        };
        let mut bank = self.bank.lock();
        let off = reading.status == ReadingStatus::Off;
        self.switching.retain(|s| {
            if s.off == off {
                bank.finish(s.id, Tracked::Success);
            }
            s.off != off
        });
        let Some(device) = bank.device_mut(&self.config.name) else {
            return;
        };
        let view = CardView {
            low_battery: self.is_low(device, reading),
            battery_nominal_v: self.config.battery_nominal_v,
            nominal_hz: self.nominal_hz,
        };
        let rows = variables(reading, &view);
        // An alarm is there only while it lasts.
        device.retain(|name| name != "ups.alarm");
        for (name, value) in rows {
            device.put(name, value);
        }
        device.link = Link::Up;
    }

    fn is_low(&self, device: &Device, reading: &UpsReading) -> bool {
        if !self.thresholds_set {
            return reading.low_battery;
        }
        let limit = |name: &str| -> f64 {
            let value = device.variable(name).map(|v| v.value.parse());
            value.and_then(Result::ok).unwrap_or(0.0)
        };
        reading.charge * 100.0 < limit("battery.charge.low")
            || reading.runtime_s < limit("battery.runtime.low")
    }

    fn order(&mut self, env: &Env, order: Order) {
        let outcome = match order.kind {
            OrderKind::Set { variable, value } => {
                if let Some(device) = self.bank.lock().device_mut(&order.device) {
                    device.put(&variable, value);
                }
                self.thresholds_set = true;
                self.publish();
                Tracked::Success
            }
            OrderKind::Command { command, .. } if command.starts_with("beeper.") => {
                self.beeper(&command)
            }
            OrderKind::Command { command, parameter } => {
                self.physical(env, order.id, command, parameter)
            }
        };
        self.bank.lock().finish(order.id, outcome);
    }

    fn beeper(&mut self, command: &str) -> Tracked {
        let mut bank = self.bank.lock();
        let Some(device) = bank.device_mut(&self.config.name) else {
            return Tracked::Failed;
        };
        let now = device.variable("ups.beeper.status");
        let next = match (command, now.map(|v| v.value.as_str())) {
            ("beeper.enable", _) | ("beeper.toggle", Some("disabled")) => "enabled",
            ("beeper.mute", _) => "muted",
            _ => "disabled",
        };
        device.put("ups.beeper.status", next);
        Tracked::Success
    }

    /// Passes a command on to the device. A switched output is done when the
    /// readings show it; of the others nothing more can be known.
    fn physical(
        &mut self,
        env: &Env,
        id: Option<Uuid>,
        command: String,
        parameter: Option<String>,
    ) -> Tracked {
        let off = match command.as_str() {
            "load.off" => Some(true),
            "load.on" => Some(false),
            _ => None,
        };
        env.panel.say(FromService::Command {
            t_us: env.clock.now_us(),
            device: self.config.name.clone(),
            command,
            parameter,
        });
        let Some(off) = off else {
            return Tracked::Success;
        };
        self.switching.push(Switching {
            id,
            off,
            until: Instant::now() + self.config.switch_timeout.duration(),
        });
        Tracked::Pending
    }
}
