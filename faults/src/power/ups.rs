//! A UPS off its converter: because that broke, or because a person put it on
//! its bypass.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::telemetry::{ReadingStatus, UpsReading};

use super::device::{act, inspect, mute, volts_pu, within, word};
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How far an output on bypass may be from what feeds the bypass, per unit.
const TOLERANCE_PU: f64 = 0.01;
/// A bus below this is dead (IEEE 1159 interruption).
const DEAD_PU: f64 = 0.1;
/// How much longer than its own delay a UPS may take to be back.
const MARGIN: Duration = Duration::from_secs(2);

/// Why a UPS is off its converter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The converter failed.
    Failed,
    /// A person holds it on its bypass.
    Held,
}

/// A UPS off its converter.
pub(crate) struct Converter {
    aim: Aim,
    ups: String,
    why: Why,
}

impl Converter {
    pub(crate) fn new(aim: Aim, ups: String, why: Why) -> Self {
        Self { aim, ups, why }
    }

    fn defect(&self) -> &'static str {
        match self.why {
            Why::Failed => "converter failed",
            Why::Held => "held on its bypass",
        }
    }

    /// How long it must see a good input before it takes it.
    fn requalify(&self) -> Duration {
        let site = self.aim.site.as_ref();
        let ups = site.and_then(|site| site.ups.get(&self.ups));
        ups.map_or(Duration::ZERO, |ups| ups.requalify.duration())
    }

    /// Nothing but this fault keeps it off its converter.
    fn free(&self, ground: &Ground, reading: &UpsReading) -> bool {
        let [low, high] = reading.input_window_v;
        let sound = ground
            .power
            .defects(&self.ups)
            .is_some_and(|d| d.is_empty());
        let good = (low..=high).contains(&reading.input_v);
        sound && good && !reading.locked_out && !reading.overload
    }
}

/// The load is not on the converter.
fn off(status: ReadingStatus) -> bool {
    matches!(status, ReadingStatus::Bypass | ReadingStatus::Off)
}

#[async_trait]
impl Fault for Converter {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("on_converter".into(), false.into())])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let reading = ground.power.ups_reading(&self.ups);
        let on = reading.is_some_and(|reading| !off(reading.status));
        Ok(IndexMap::from([(
            "on_converter".into(),
            f64::from(u8::from(on)),
        )]))
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let ups = self.ups.clone();
        let action = match self.why {
            Why::Failed => PlantAction::UpsFails { ups },
            Why::Held => PlantAction::BypassForced { ups },
        };
        act(ground, [action]).await
    }

    /// The UPS says that its load is on the bypass, or off, and the meter at its
    /// output shows the same.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let finding = Finding::by("UPS telemetry and output meter");
        let Some(reading) = ground.power.ups_reading(&self.ups) else {
            return mute(finding, &self.ups);
        };
        let (ups, output) = (&self.ups, volts_pu(ground, &self.ups));
        let bypass = reading.bypass_v / reading.input_nominal_v;
        let mut problems = Vec::new();
        if injected.before.get("on_converter") == Some(&0.0) {
            problems.push(format!("{ups} was off its converter before the fault"));
        }
        let follows = (output - bypass).abs() <= TOLERANCE_PU;
        let right = match reading.status {
            ReadingStatus::Bypass => follows,
            ReadingStatus::Off if self.why == Why::Held => follows && bypass < DEAD_PU,
            ReadingStatus::Off => output < DEAD_PU,
            _ => false,
        };
        if !right {
            let status = word(reading.status);
            problems.push(format!(
                "{ups} says {status}, with {output:.2} pu at its output"
            ));
        }
        let mut finding = finding
            .with(&format!("{ups}.status"), word(reading.status))
            .with(&format!("{ups}.output_pu"), output)
            .with(&format!("{ups}.bypass_pu"), bypass)
            .conclude(problems);
        finding.observed_us = finding.effective.then_some(injected.at_us);
        finding
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        let ups = self.ups.clone();
        let action = match self.why {
            Why::Failed => PlantAction::UpsRestored { ups },
            Why::Held => PlantAction::BypassReleased { ups },
        };
        act(ground, [action]).await?;
        Ok(())
    }

    /// An inspection finds nothing, and where nothing else is in its way it takes
    /// its load back.
    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        let finding = Finding::by("inspection and UPS telemetry");
        let mut problems: Vec<String> = inspect(ground, &self.ups, self.defect())
            .into_iter()
            .collect();
        let bound = self.requalify() + MARGIN;
        let settled = |reading: &UpsReading| !off(reading.status) || !self.free(ground, reading);
        if problems.is_empty() {
            within(bound, || {
                ground.power.ups_reading(&self.ups).filter(settled)
            })
            .await;
        }
        let Some(reading) = ground.power.ups_reading(&self.ups) else {
            return mute(finding, &self.ups);
        };
        if !settled(&reading) {
            let status = word(reading.status);
            problems.push(format!("{} has a good input and says {status}", self.ups));
        }
        finding
            .with(&format!("{}.status", self.ups), word(reading.status))
            .conclude(problems)
    }
}
