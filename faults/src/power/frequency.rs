//! The grid at another frequency.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::telemetry::Reading;
use ridethrough_targets::units::Hertz;

use super::device::act;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How far the meter may be from what was asked.
const TOLERANCE_HZ: f64 = 0.01;

/// Grid feeders held at a frequency.
pub(crate) struct Frequency {
    aim: Aim,
    hz: f64,
}

impl Frequency {
    pub(crate) fn new(aim: Aim, hz: f64) -> Self {
        Self { aim, hz }
    }

    /// The feeders' meters: each must be at what was asked, or away from it.
    fn look(&self, ground: &Ground, there: bool) -> Finding {
        let mut finding = Finding::by("feeder meter and UPS telemetry");
        let mut problems = Vec::new();
        for utility in &self.aim.utilities {
            let Some(Reading::Utility(reading)) = ground.power.reading(utility) else {
                problems.push(format!("the meter at {utility} has no reading"));
                continue;
            };
            finding = finding.with(&format!("{utility}.frequency_hz"), reading.hz);
            if reading.v <= 0.0 {
                // Where there is no voltage, there is no frequency to see.
                if there {
                    problems.push(format!("{utility} has no voltage, and so no frequency"));
                }
            } else if ((reading.hz - self.hz).abs() <= TOLERANCE_HZ) != there {
                let still = if there { "" } else { "still " };
                problems.push(format!("{utility} is {still}at {:.2} Hz", reading.hz));
            }
        }
        for ups in &self.aim.ups {
            if let Some(reading) = ground.power.ups_reading(ups) {
                finding = finding.with(&format!("{ups}.input_hz"), reading.input_hz);
            }
        }
        finding.conclude(problems)
    }
}

#[async_trait]
impl Fault for Frequency {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("frequency_hz".into(), self.hz.into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let hold = |utility: &String| PlantAction::Frequency {
            utility: utility.clone(),
            frequency: Hertz(self.hz),
        };
        act(ground, self.aim.utilities.iter().map(hold)).await
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let mut finding = self.look(ground, true);
        finding.observed_us = finding.effective.then_some(injected.at_us);
        finding
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        let restore = |utility: &String| PlantAction::FrequencyRestored {
            utility: utility.clone(),
        };
        act(ground, self.aim.utilities.iter().map(restore)).await?;
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        self.look(ground, false)
    }
}
