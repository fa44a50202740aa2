//! The supervisor's hand: what it believes goes into its policy, and what the
//! policy wants goes to the devices.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use tokio::time::Instant;

use super::config::SupervisorState;
use super::forward::Address;
use super::nut::{Device, Link};
use super::policy::{Desk, Outcome, Policy, Shed, Side, Sight, Way};
use super::supervisor::{CardAddress, SupervisorService};
use crate::clock::Micros;
use crate::net::Net;
use crate::telemetry::BessReading;
use crate::units::Span;

/// Policy and orders.
pub(super) struct Govern {
    policy: Policy,
    desk: Desk,
    bess: BTreeMap<String, (Instant, BessReading)>,
    stale_after: Span,
    /// Orders that failed last, so that a failure is told once.
    failing: BTreeMap<(String, Side), String>,
}

impl Govern {
    pub(super) fn new(config: &SupervisorService, net: Arc<dyn Net>) -> Self {
        let names = |cards: &[CardAddress]| cards.iter().map(|c| c.name.clone()).collect();
        let generators: Vec<String> = names(&config.generators);
        let transfers: Vec<String> = names(&config.transfers);
        let policy = &config.policy;
        Self {
            policy: Policy::new(policy, config.machines.clone(), generators, &transfers),
            desk: Desk::new(net, ways(config), policy.bess.rejoin_every.duration()),
            bess: BTreeMap::new(),
            stale_after: policy.stale_after,
            failing: BTreeMap::new(),
        }
    }

    /// A storage system has answered.
    pub(super) fn hear(&mut self, name: &str, reading: BessReading) {
        self.bess.insert(name.into(), (Instant::now(), reading));
    }

    /// Decides, and sends what follows.
    pub(super) fn look(
        &mut self,
        now_us: Micros,
        state: SupervisorState,
        devices: &[Device],
    ) -> Vec<Shed> {
        let fresh = devices.iter().filter(|d| d.link == Link::Up);
        let lowest = |name: &str| {
            let values = fresh.clone().filter_map(|d| d.variable(name));
            let numbers = values.filter_map(|v| v.value.parse::<f64>().ok());
            numbers.min_by(f64::total_cmp)
        };
        let after = self.stale_after.duration();
        let heard = self
            .bess
            .iter()
            .filter(|(_, (at, _))| at.elapsed() <= after);
        let sight = Sight {
            charge: lowest("battery.charge").map(|percent| percent / 100.0),
            runtime_s: lowest("battery.runtime"),
            bess: heard.map(|(n, (_, r))| (n.clone(), r.clone())).collect(),
        };
        let sheds = self.policy.look(now_us, state, &sight);
        self.desk.press(self.policy.wishes());
        sheds
    }

    /// Waits for the end of an order that is worth telling: the first failure of
    /// a kind at a device, and the first success after one.
    pub(super) async fn told(&mut self) -> Option<(Outcome, Option<String>)> {
        loop {
            let outcome = self.desk.outcome().await?;
            let now = outcome.result.clone().err();
            let key = (outcome.device.clone(), outcome.side);
            let before = match &now {
                Some(why) => self.failing.insert(key, why.clone()),
                None => self.failing.remove(&key),
            };
            if before != now {
                return Some((outcome, before));
            }
        }
    }
}

fn ways(config: &SupervisorService) -> IndexMap<String, Way> {
    let timeout = config.policy.stale_after.duration();
    let (user, password) = (&config.card_user, &config.card_password);
    let mut ways = IndexMap::new();
    for card in &config.generators {
        let address = Address {
            host: card.host.clone(),
            port: card.port,
            user: user.clone(),
            password: password.clone(),
            timeout,
        };
        ways.insert(card.name.clone(), Way::Nut(address));
    }
    for card in &config.bess {
        let (host, port) = (card.host.clone(), card.port);
        ways.insert(card.name.clone(), Way::Modbus { host, port });
    }
    let redfish = |host: &String, port: u16| Way::Redfish {
        host: host.clone(),
        port,
        user: user.clone(),
        password: password.clone(),
    };
    for card in &config.transfers {
        ways.insert(card.name.clone(), redfish(&card.host, card.port));
    }
    for machine in &config.machines {
        ways.insert(machine.name.clone(), redfish(&machine.host, machine.port));
    }
    ways
}
