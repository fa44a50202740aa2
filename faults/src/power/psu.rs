//! One power supply of a machine fails.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::plant::{PlantAction, Psu as PsuSite};
use ridethrough_targets::telemetry::MachineReading;

use super::device::{act, inspect, machine, mute, outlet_w, pdu, until_end};
use crate::catalogue::OneSupply;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How far the share of a cord may be from what is left for it.
const TOLERANCE: f64 = 0.02;

/// A failed power supply.
pub(crate) struct Psu {
    aim: Aim,
    node: String,
    supply: usize,
}

impl Psu {
    pub(crate) fn new(aim: Aim, asked: OneSupply) -> Self {
        Self {
            aim,
            node: asked.node,
            supply: asked.supply as usize,
        }
    }

    fn built(&self, machine: &MachineReading) -> PsuSite {
        let site = self.aim.site.as_ref();
        let rack = site.and_then(|site| site.racks.get(&machine.rack));
        rack.map(|rack| rack.psu.clone()).unwrap_or_default()
    }

    /// What must be seen: the share of the machine's load on the supply's PDU
    /// when the others share it, or nothing where too few are left.
    fn expected(&self, machine: &MachineReading, nominal_v: f64) -> Option<f64> {
        let built = self.built(machine);
        let dropout_v = built.dropout.get() * nominal_v;
        let supplies = machine.supplies.iter().enumerate();
        let others =
            supplies.filter(|(n, s)| *n != self.supply && s.healthy && s.input_v >= dropout_v);
        let others: Vec<_> = others.map(|(_, supply)| supply).collect();
        if others.len() < (built.needed as usize).max(1) {
            return None;
        }
        let pdu = &machine.supplies.get(self.supply)?.pdu;
        let here = others.iter().filter(|supply| &supply.pdu == pdu).count();
        Some(here as f64 / others.len() as f64)
    }

    /// The share of the machine's load on the supply's PDU, by the PDUs' meters.
    fn measured(&self, ground: &Ground, machine: &MachineReading) -> f64 {
        let mut pdus: Vec<&str> = machine.supplies.iter().map(|s| &*s.pdu).collect();
        pdus.dedup();
        let mine = machine.supplies.get(self.supply).map(|s| &*s.pdu);
        let (mut here, mut all) = (0.0, 0.0);
        for name in pdus {
            let watts = pdu(ground, name).map_or(0.0, |reading| outlet_w(&reading, &self.node));
            all += watts;
            if Some(name) == mine {
                here = watts;
            }
        }
        if all > 0.0 { here / all } else { 0.0 }
    }

    fn look(&self, ground: &Ground) -> Finding {
        let finding = Finding::by("PDU meters and machine management");
        let Some(machine) = machine(ground, &self.node) else {
            return mute(finding, &self.node);
        };
        let Some(supply) = machine.supplies.get(self.supply) else {
            return mute(finding, &format!("{}/{}", self.node, self.supply));
        };
        let nominal_v = pdu(ground, &supply.pdu).map_or(230.0, |reading| reading.nominal_v);
        let (share, powered) = (
            self.measured(ground, &machine),
            ground.power.powered(&self.node),
        );
        let (node, on) = (&self.node, powered == Some(true));
        let mut problems = Vec::new();
        if supply.healthy {
            problems.push(format!("{node} says that its supply {} works", self.supply));
        }
        let percent = |share: f64| share * 100.0;
        match self.expected(&machine, nominal_v) {
            Some(expected) if !on => problems.push(format!(
                "{node} is off, and should have {:.0} % of its load on {}",
                percent(expected),
                supply.pdu
            )),
            Some(expected) if (share - expected).abs() > TOLERANCE => problems.push(format!(
                "{node} has {:.0} % of its load on {}, not {:.0} %",
                percent(share),
                supply.pdu,
                percent(expected)
            )),
            None if on => problems.push(format!("{node} runs on supplies that are too few")),
            _ => {}
        }
        finding
            .with(&self.key("healthy"), supply.healthy)
            .with(&format!("{node}.share_on_{}", supply.pdu), share)
            .with(&format!("{node}.powered"), powered)
            .conclude(problems)
    }

    fn key(&self, what: &str) -> String {
        format!("{}/{}.{what}", self.node, self.supply)
    }
}

#[async_trait]
impl Fault for Psu {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("healthy".into(), false.into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let action = PlantAction::PsuFails {
            node: self.node.clone(),
            supply: self.supply,
        };
        act(ground, [action]).await
    }

    /// The machine's management says so, and by the PDUs' meters its load is on
    /// the other supplies; where too few are left it is off, once its hold-up is
    /// spent.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let clock = ground.world.clock();
        let mut seen_us = injected.at_us;
        let seen = until_end(ground, injected, || {
            let finding = self.look(ground);
            finding.effective.then_some(finding)
        });
        let mut finding = match seen.await {
            Some(finding) => {
                seen_us = clock.now_us().max(seen_us);
                finding
            }
            None => self.look(ground),
        };
        finding.observed_us = finding.effective.then_some(seen_us);
        finding
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        let action = PlantAction::PsuRestored {
            node: self.node.clone(),
            supply: self.supply,
        };
        act(ground, [action]).await?;
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        let finding = Finding::by("inspection and machine management");
        let defect = format!("supply {} failed", self.supply);
        let mut problems: Vec<String> = inspect(ground, &self.node, &defect).into_iter().collect();
        let healthy = machine(ground, &self.node)
            .and_then(|machine| machine.supplies.get(self.supply).map(|s| s.healthy));
        if healthy != Some(true) {
            problems.push(format!("{} does not say that its supply works", self.node));
        }
        finding
            .with(&self.key("healthy"), healthy)
            .conclude(problems)
    }
}
