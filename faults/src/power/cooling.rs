//! A cooling unit trips.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::telemetry::{CoolingReading, CoolingStatus, Reading};

use super::device::{act, inspect, mute, word};
use crate::lifecycle::{Fault, FaultError, Finding, Ground, Injected};

/// A tripped cooling unit.
pub(crate) struct Cooling {
    name: String,
}

impl Cooling {
    pub(crate) fn new(name: String) -> Self {
        Self { name }
    }

    fn read(&self, ground: &Ground) -> Option<CoolingReading> {
        match ground.power.reading(&self.name) {
            Some(Reading::Cooling(reading)) => Some(reading),
            _ => None,
        }
    }

    fn shown(&self, finding: Finding, reading: &CoolingReading) -> Finding {
        finding
            .with(&format!("{}.status", self.name), word(reading.status))
            .with(&format!("{}.w", self.name), reading.w)
            .with(
                &format!("{}.temperature_c", self.name),
                reading.temperature_c,
            )
    }
}

#[async_trait]
impl Fault for Cooling {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("runs".into(), false.into())])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let watts = self.read(ground).map_or(0.0, |reading| reading.w);
        Ok(IndexMap::from([("w".into(), watts)]))
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let cooling = self.name.clone();
        act(ground, [PlantAction::CoolingTrips { cooling }]).await
    }

    /// It says that it waits for a person, and by its feeder's meter it no longer
    /// draws what it drew before.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let finding = Finding::by("unit's panel and its feeder's meter");
        let Some(reading) = self.read(ground) else {
            return mute(finding, &self.name);
        };
        let mut problems = Vec::new();
        if injected.before.get("w") == Some(&0.0) {
            problems.push(format!("{} did not run before the fault", self.name));
        }
        if reading.status != CoolingStatus::Locked {
            problems.push(format!("{} says {}", self.name, word(reading.status)));
        }
        if reading.w > 0.0 {
            problems.push(format!("{} still draws {:.0} W", self.name, reading.w));
        }
        let mut finding = self.shown(finding, &reading).conclude(problems);
        finding.observed_us = finding.effective.then_some(injected.at_us);
        finding
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        let cooling = self.name.clone();
        act(ground, [PlantAction::CoolingRestored { cooling }]).await?;
        Ok(())
    }

    /// It no longer waits for a person; where it runs, it draws.
    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        let finding = Finding::by("inspection and unit's panel");
        let mut problems: Vec<String> =
            inspect(ground, &self.name, "tripped").into_iter().collect();
        let Some(reading) = self.read(ground) else {
            return mute(finding, &self.name);
        };
        if reading.status == CoolingStatus::Running && reading.w <= 0.0 {
            problems.push(format!("{} says that it runs and draws nothing", self.name));
        }
        self.shown(finding, &reading).conclude(problems)
    }
}
