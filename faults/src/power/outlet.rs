//! The outlet of one machine's cord opens.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::plant::PlantAction;

use super::device::{act, behind, machine, mute, outlet_w, pdu, volts_pu, within};
use crate::catalogue::OneOutlet;
use crate::lifecycle::{Fault, FaultError, Finding, Ground, Injected};

/// A bus or an input below this is dead (IEEE 1159 interruption).
const DEAD_PU: f64 = 0.1;
/// How long an outlet may take to be on again.
const SETTLE: Duration = Duration::from_secs(5);

/// Every outlet of a PDU with a cord of one machine.
pub(crate) struct Outlet {
    pdu: String,
    node: String,
}

impl Outlet {
    pub(crate) fn new(asked: OneOutlet) -> Self {
        Self {
            pdu: asked.pdu,
            node: asked.node,
        }
    }

    /// The numbers of the outlets.
    fn outlets(&self, ground: &Ground) -> Vec<usize> {
        let all = pdu(ground, &self.pdu).map_or_else(Vec::new, |reading| reading.outlets);
        let mine = all.iter().enumerate();
        let mine = mine.filter(|(_, outlet)| outlet.node == self.node);
        mine.map(|(index, _)| index).collect()
    }

    /// Volts at the machine's end of the cord, as its own supplies measure.
    fn input_v(&self, ground: &Ground) -> Option<f64> {
        let machine = machine(ground, &self.node)?;
        let volts = behind(&machine, &self.pdu).map(|supply| supply.input_v);
        volts.reduce(f64::max)
    }

    fn key(&self, what: &str) -> String {
        format!("{}.{what}", self.node)
    }
}

#[async_trait]
impl Fault for Outlet {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("input_v".into(), 0.into())])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let volts = self.input_v(ground).unwrap_or(0.0);
        Ok(IndexMap::from([("input_v".into(), volts)]))
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let open = |outlet| PlantAction::OutletOff {
            pdu: self.pdu.clone(),
            outlet,
        };
        act(ground, self.outlets(ground).into_iter().map(open)).await
    }

    /// The machine's supplies measure no input behind a bus that is live, and
    /// nothing is drawn from the outlet.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let finding = Finding::by("machine's supplies and PDU meter");
        let (Some(volts), Some(reading)) = (self.input_v(ground), pdu(ground, &self.pdu)) else {
            return mute(finding, &self.node);
        };
        let (node, bus) = (&self.node, &self.pdu);
        let watts = outlet_w(&reading, node);
        let bus_pu = volts_pu(ground, bus);
        let mut problems = Vec::new();
        if bus_pu < DEAD_PU || injected.before.get("input_v") == Some(&0.0) {
            problems.push(format!("{bus} gave {node} nothing before the fault"));
        }
        if volts > DEAD_PU * reading.nominal_v || watts > 0.0 {
            problems.push(format!(
                "{node} has {volts:.0} V and draws {watts:.0} W from {bus}"
            ));
        }
        let mut finding = finding
            .with(&self.key("input_v"), volts)
            .with(&self.key("outlet_w"), watts)
            .with(&self.key("powered"), ground.power.powered(node))
            .conclude(problems);
        finding.observed_us = finding.effective.then_some(injected.at_us);
        finding
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        let close = |outlet| PlantAction::OutletOn {
            pdu: self.pdu.clone(),
            outlet,
        };
        act(ground, self.outlets(ground).into_iter().map(close)).await?;
        Ok(())
    }

    /// The outlet is on, and where its bus is live, so is the machine's input.
    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        let finding = Finding::by("machine's supplies and PDU telemetry");
        let on = |reading: &ridethrough_targets::telemetry::PduReading| {
            let mut mine = reading.outlets.iter().filter(|o| o.node == self.node);
            mine.all(|outlet| outlet.on)
        };
        let fed = |nominal_v: f64| {
            let live = volts_pu(ground, &self.pdu) >= DEAD_PU;
            !live
                || self
                    .input_v(ground)
                    .is_some_and(|v| v > DEAD_PU * nominal_v)
        };
        let back = within(SETTLE, || {
            pdu(ground, &self.pdu).filter(|reading| on(reading) && fed(reading.nominal_v))
        });
        let problem = match back.await {
            Some(_) => None,
            None => Some(format!("{} still gives {} nothing", self.pdu, self.node)),
        };
        finding
            .with(&self.key("input_v"), self.input_v(ground))
            .conclude(problem.into_iter().collect())
    }
}
