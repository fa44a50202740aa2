//! A UPS that does not find the way back to its input.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::telemetry::{ReadingStatus, UpsReading};

use super::device::{act, inspect, until_end, word};
use crate::lifecycle::{Fault, FaultError, Finding, Ground, Injected};

/// A retransfer that will fail.
pub(crate) struct Retransfer {
    ups: String,
}

impl Retransfer {
    pub(crate) fn new(ups: String) -> Self {
        Self { ups }
    }
}

/// What the UPS was seen to do.
#[derive(Default)]
struct Story {
    on_battery: bool,
    /// On battery, with a good input: about to go back.
    qualifying: bool,
    /// Off its converter with a bad input: not on its way back.
    dropped: bool,
}

enum End {
    /// Off its converter, with a good input.
    Failed(UpsReading),
    Returned,
    RanOut,
}

impl Story {
    fn look(&mut self, reading: UpsReading) -> Option<End> {
        let [low, high] = reading.input_window_v;
        let good = (low..=high).contains(&reading.input_v);
        match reading.status {
            ReadingStatus::OnBattery => {
                (self.on_battery, self.qualifying, self.dropped) = (true, good, false);
                None
            }
            ReadingStatus::Bypass | ReadingStatus::Off if !self.on_battery => None,
            ReadingStatus::Bypass | ReadingStatus::Off if reading.depleted => Some(End::RanOut),
            ReadingStatus::Bypass | ReadingStatus::Off => {
                self.dropped |= !good;
                (!self.dropped).then_some(End::Failed(reading))
            }
            _ if self.on_battery => Some(End::Returned),
            _ => None,
        }
    }
}

#[async_trait]
impl Fault for Retransfer {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("returns".into(), false.into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let ups = self.ups.clone();
        act(ground, [PlantAction::RetransferFails { ups }]).await
    }

    /// Shows only when the UPS, on battery, sees its input come back.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let mut story = Story::default();
        let mut seen_us: Micros = 0;
        let end = until_end(ground, injected, || {
            let reading = ground.power.ups_reading(&self.ups)?;
            seen_us = ground.world.clock().now_us();
            story.look(reading)
        })
        .await;
        let ups = &self.ups;
        let mut finding = Finding::by("UPS telemetry");
        let problem = match end {
            Some(End::Failed(reading)) => {
                finding = finding
                    .with(&format!("{ups}.status"), word(reading.status))
                    .with(&format!("{ups}.input_v"), reading.input_v.round());
                finding.observed_us = Some(seen_us);
                None
            }
            Some(End::Returned) => Some(format!("{ups} returned to its input all the same")),
            Some(End::RanOut) => Some(format!("the battery of {ups} ran out before its return")),
            None if story.qualifying => {
                let why = "still waited to be sure of its input when the fault ended";
                Some(format!("{ups} {why}"))
            }
            None if story.on_battery => Some(format!(
                "the occasion never came: the input of {ups} did not come back"
            )),
            None => Some(format!(
                "the occasion never came: {ups} was not on battery while the fault lasted"
            )),
        };
        finding.conclude(problem.into_iter().collect())
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        let ups = self.ups.clone();
        act(ground, [PlantAction::RetransferRestored { ups }]).await?;
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        let mut finding = Finding::by("inspection");
        if let Some(reading) = ground.power.ups_reading(&self.ups) {
            finding = finding.with(&format!("{}.status", self.ups), word(reading.status));
        }
        let problem = inspect(ground, &self.ups, "retransfer fails");
        finding.conclude(problem.into_iter().collect())
    }
}
