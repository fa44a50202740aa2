//! The management card of a power device, or the manager of a rack: it hears
//! the devices' meters over the panel, serves them over the protocols that such
//! a device speaks, and gives orders back to the panel.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::agent::{NutAgentConfig, nut_on};
use super::nut::is_name;
use super::redfish::{Redfish, RedfishConfig};
use super::snmp::{SnmpConfig, run_snmp_on};
use super::sunspec::{SunspecConfig, run_sunspec_on};
use crate::net::{Datagram, Listener, Net, SocketOptions};
use crate::service::{Env, FromService, ServiceError, ToService, spawn_in};
use crate::telemetry::{Board, CommandError, DeviceOrder, Identity};

/// Orders that may wait for the machine behind the panel.
const MAX_PENDING: usize = 256;

/// A management card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CardConfig {
    /// The devices behind it.
    pub devices: Vec<Identity>,
    /// Its NUT server.
    pub nut: Option<NutAgentConfig>,
    /// Its SNMP agent.
    pub snmp: Option<SnmpConfig>,
    /// Its Modbus server.
    pub modbus: Option<SunspecConfig>,
    /// Its Redfish service.
    pub redfish: Option<RedfishConfig>,
}

/// A card's sockets, open.
pub struct CardSockets {
    nut: Option<Box<dyn Listener>>,
    snmp: Option<Box<dyn Datagram>>,
    modbus: Option<Box<dyn Listener>>,
    redfish: Option<Box<dyn Listener>>,
}

impl CardSockets {
    /// Opens every socket that the configuration asks for.
    ///
    /// # Errors
    /// The first that cannot be had.
    pub async fn open(net: &dyn Net, config: &CardConfig) -> Result<Self, ServiceError> {
        Ok(Self {
            nut: listen(net, config.nut.as_ref().map(|nut| nut.port)).await?,
            snmp: match &config.snmp {
                Some(snmp) => Some(bind(net, snmp.port).await?),
                None => None,
            },
            modbus: listen(net, config.modbus.as_ref().map(|modbus| modbus.port)).await?,
            redfish: listen(net, config.redfish.as_ref().map(|redfish| redfish.port)).await?,
        })
    }

    /// The port of the NUT server; 0 where there is none.
    pub fn nut_port(&self) -> u16 {
        self.nut.as_ref().map_or(0, |l| l.local_addr().port())
    }
}

async fn listen(
    net: &dyn Net,
    port: Option<u16>,
) -> Result<Option<Box<dyn Listener>>, ServiceError> {
    let Some(port) = port else {
        return Ok(None);
    };
    let options = SocketOptions {
        nodelay: true,
        ..SocketOptions::default()
    };
    let listener = net.listen(port, options).await;
    listener.map(Some).map_err(|source| ServiceError::Io {
        what: format!("listen on port {port}"),
        source,
    })
}

async fn bind(net: &dyn Net, port: u16) -> Result<Box<dyn Datagram>, ServiceError> {
    let datagram = net.bind_udp(port).await;
    datagram.map_err(|source| ServiceError::Io {
        what: format!("receive datagrams on port {port}"),
        source,
    })
}

/// Runs the card until it is told to stop.
pub async fn run_card(env: Env, config: CardConfig) -> Result<(), ServiceError> {
    let sockets = CardSockets::open(env.net.as_ref(), &config).await?;
    card_on(env, config, sockets).await
}

/// As [`run_card`], on sockets that are there already.
pub async fn card_on(
    mut env: Env,
    config: CardConfig,
    sockets: CardSockets,
) -> Result<(), ServiceError> {
    if let Some(bad) = config.devices.iter().find(|d| !is_name(&d.name)) {
        let name = &bad.name;
        return Err(ServiceError::Config(format!(
            "{name:?} is no name of a device"
        )));
    }
    let (board, orders) = Board::new(env.clock, config.devices.clone());
    let mut fronts = JoinSet::new();
    serve(&mut fronts, &env, &board, config, sockets);
    env.panel.say(FromService::Ready {
        t_us: env.clock.now_us(),
    });
    let card = Card {
        board,
        pending: BTreeMap::new(),
        tickets: 0,
    };
    card.run(&mut env, orders).await;
    Ok(())
}

fn serve(
    fronts: &mut JoinSet<()>,
    env: &Env,
    board: &Board,
    config: CardConfig,
    sockets: CardSockets,
) {
    if let (Some(nut), Some(listener)) = (config.nut, sockets.nut) {
        spawn_in(fronts, nut_on(board.clone(), nut, listener, env.seed));
    }
    if let (Some(snmp), Some(datagram)) = (config.snmp, sockets.snmp) {
        spawn_in(fronts, run_snmp_on(board.clone(), snmp, datagram));
    }
    if let (Some(modbus), Some(listener)) = (config.modbus, sockets.modbus) {
        spawn_in(fronts, run_sunspec_on(board.clone(), modbus, listener));
    }
    if let (Some(redfish), Some(listener)) = (config.redfish, sockets.redfish) {
        let config = RedfishConfig {
            seed: env.seed,
            ..redfish
        };
        let service = Redfish::new(board.clone(), config).post_through(Arc::clone(&env.net));
        spawn_in(fronts, service.serve(listener));
    }
}

struct Card {
    board: Board,
    /// Whom to tell what became of an order, by its number.
    pending: BTreeMap<u64, oneshot::Sender<Result<(), CommandError>>>,
    /// Orders that were given.
    tickets: u64,
}

impl Card {
    async fn run(mut self, env: &mut Env, mut orders: Receiver<DeviceOrder>) {
        loop {
            tokio::select! {
                biased;
                word = env.panel.inbox.recv() => match word {
                    None | Some(ToService::Stop) => return,
                    Some(word) => self.hear(word),
                },
                Some(order) = orders.recv() => self.order(env, order),
            }
        }
    }

    fn hear(&mut self, word: ToService) {
        match word {
            ToService::Reading { device, reading } => self.board.publish([(device, reading)]),
            ToService::Distort { number, distorted } => self.board.distort(number, distorted),
            ToService::Restore { number } => self.board.restore(number),
            ToService::Obeyed { ticket, outcome } => {
                if let Some(done) = self.pending.remove(&ticket) {
                    let _ = done.send(outcome);
                }
            }
            ToService::Clocks { .. }
            | ToService::Ask { .. }
            | ToService::Await { .. }
            | ToService::Close { .. }
            | ToService::Stop => {}
        }
    }

    /// Passes an order on to the device.
    fn order(&mut self, env: &Env, order: DeviceOrder) {
        // Whoever gave up waiting needs no answer any more.
        self.pending.retain(|_, done| !done.is_closed());
        if self.pending.len() >= MAX_PENDING {
            let busy = format!("{}: too many orders wait", order.device);
            let _ = order.done.send(Err(CommandError::Refused(busy)));
            return;
        }
        self.tickets += 1;
        self.pending.insert(self.tickets, order.done);
        env.panel.say(FromService::Command {
            t_us: env.clock.now_us(),
            ticket: self.tickets,
            device: order.device,
            command: order.command,
        });
    }
}
