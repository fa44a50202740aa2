//! A transfer switch that sticks.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::telemetry::{Reading, TransferReading};

use super::device::{act, inspect, mute, seconds, until_end};
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How much longer than its own delays a switch must stay where it is.
const MARGIN_US: Micros = 100_000;
/// A mechanical switch's contacts (typical), where the site does not say.
const OPEN_US: Micros = 100_000;

/// A stuck switch.
pub(crate) struct Transfer {
    aim: Aim,
    transfer: String,
}

impl Transfer {
    pub(crate) fn new(aim: Aim, transfer: String) -> Self {
        Self { aim, transfer }
    }

    fn read(&self, ground: &Ground) -> Option<TransferReading> {
        match ground.power.reading(&self.transfer) {
            Some(Reading::Transfer(reading)) => Some(reading),
            _ => None,
        }
    }

    /// How long its output is dead while it moves.
    fn open_us(&self) -> Micros {
        let site = self.aim.site.as_ref();
        let open = site.and_then(|site| site.transfers.get(&self.transfer)?.open);
        open.map_or(OPEN_US, |open| open.micros())
    }
}

/// How long a sound switch waits before it leaves the input that it is on, if
/// it would leave it at all; between its inputs it waits for nothing.
fn patience_us(reading: &TransferReading) -> Option<Micros> {
    let us = |s: f64| (s * 1e6).round() as Micros;
    let Some(active) = reading.active else {
        return Some(0);
    };
    let good = |source: usize| reading.sources.get(source).is_some_and(|s| s.good);
    let other = 1 - active.min(1);
    if reading.inhibited || !good(other) {
        None
    } else if !good(active) {
        Some(us(reading.transfer_delay_s))
    } else if reading.retransfer && other == reading.preferred {
        Some(us(reading.retransfer_delay_s))
    } else {
        None
    }
}

/// What became of the switch.
enum End {
    Stayed(Micros),
    Moved(usize),
}

/// A place as people count inputs.
fn place(active: Option<usize>) -> String {
    active.map_or("between its inputs".into(), |n| {
        format!("on input {}", n + 1)
    })
}

#[async_trait]
impl Fault for Transfer {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("moves".into(), false.into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let transfer = self.transfer.clone();
        act(ground, [PlantAction::TransferStuck { transfer }]).await
    }

    /// Shows only when a sound switch would move: its input is bad and the other
    /// one good, or the one that it prefers is back.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let finding = Finding::by("positions and inputs of the switch");
        let (name, clock) = (&self.transfer, ground.world.clock());
        let Some(first) = self.read(ground) else {
            return mute(finding, name);
        };
        let mut reason_since: Option<Micros> = None;
        let end = until_end(ground, injected, || {
            let reading = self.read(ground)?;
            let now = clock.now_us();
            if reading.active != first.active
                && let Some(active) = reading.active
            {
                return Some(End::Moved(active));
            }
            let Some(patience) = patience_us(&reading) else {
                reason_since = None;
                return None;
            };
            let waited = now - *reason_since.get_or_insert(now);
            let enough = patience + self.open_us() + MARGIN_US;
            (waited >= enough).then_some(End::Stayed(waited))
        })
        .await;
        let place = place(first.active);
        let problem = match end {
            Some(End::Stayed(waited)) => {
                let mut finding = finding
                    .with(&format!("{name}.input"), first.active.map(|n| n + 1))
                    .with(&format!("{name}.stayed_s"), seconds(waited))
                    .conclude(Vec::new());
                finding.observed_us = reason_since;
                return finding;
            }
            Some(End::Moved(to)) => format!("{name} moved to input {} all the same", to + 1),
            None if reason_since.is_some() => {
                format!("{name} stayed {place}, but not for longer than its own delays")
            }
            None => format!(
                "the occasion never came: {name}, {place}, had no reason to move while the fault lasted"
            ),
        };
        finding.conclude(vec![problem])
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        let transfer = self.transfer.clone();
        act(ground, [PlantAction::TransferFreed { transfer }]).await?;
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        let mut finding = Finding::by("inspection");
        if let Some(reading) = self.read(ground) {
            let input = reading.active.map(|n| n + 1);
            finding = finding.with(&format!("{}.input", self.transfer), input);
        }
        let problem = inspect(ground, &self.transfer, "stuck");
        finding.conclude(problem.into_iter().collect())
    }
}
