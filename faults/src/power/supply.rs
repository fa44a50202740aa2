//! The grid at a level: outage, sag, brownout, swell.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::units::PerUnit;

use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How far the meter may be from what was asked, per unit.
const TOLERANCE_PU: f64 = 0.01;

/// Grid feeders held at a voltage.
pub(crate) struct Supply {
    aim: Aim,
    level_pu: f64,
}

impl Supply {
    pub(crate) fn new(aim: Aim, level_pu: f64) -> Self {
        Self { aim, level_pu }
    }

    /// The meter's reading since then that is furthest on the side of the level.
    fn extreme(&self, ground: &Ground, utility: &str, since: Micros) -> Option<(Micros, f64)> {
        if self.level_pu <= 1.0 {
            return ground.power.lowest_pu(utility, since);
        }
        let log = ground.power.voltages(utility, since).into_iter();
        log.reduce(|high, next| if next.1 > high.1 { next } else { high })
    }
}

#[async_trait]
impl Fault for Supply {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("voltage_pu".into(), self.level_pu.into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.aim.utilities.is_empty() {
            return Err(FaultError::NoTarget);
        }
        let mut at_us = 0;
        for utility in &self.aim.utilities {
            let action = PlantAction::Supply {
                utility: utility.clone(),
                level: PerUnit(self.level_pu),
            };
            at_us = ground.power.act(action).await;
        }
        Ok(Injected {
            at_us,
            ..Injected::default()
        })
    }

    /// Reads the meter's log, so that a sag that is over before anybody looks
    /// is seen as well as one that lasts.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let mut finding = Finding::by("bus meter and UPS telemetry");
        let mut problems = Vec::new();
        for utility in &self.aim.utilities {
            let since = injected.at_us.saturating_sub(1_000);
            let Some((t_us, pu)) = self.extreme(ground, utility, since) else {
                problems.push(format!("the meter at {utility} has no reading"));
                continue;
            };
            finding.observed_us = Some(finding.observed_us.map_or(t_us, |t| t.max(t_us)));
            finding = finding.with(&format!("{utility}.voltage_pu"), pu);
            if (pu - self.level_pu).abs() > TOLERANCE_PU {
                let moved = if self.level_pu <= 1.0 { "fell" } else { "rose" };
                problems.push(format!(
                    "{utility} {moved} to {pu:.3} pu, not {:.3} pu",
                    self.level_pu
                ));
            }
        }
        for ups in &self.aim.ups {
            if let Some(reading) = ground.power.ups_reading(ups) {
                finding = finding.with(&format!("{ups}.input_v"), reading.input_v.round());
            }
        }
        finding.conclude(problems)
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        for utility in &self.aim.utilities {
            ground
                .power
                .act(PlantAction::SupplyRestored {
                    utility: utility.clone(),
                })
                .await;
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        let mut finding = Finding::by("bus meter");
        let mut problems = Vec::new();
        for utility in &self.aim.utilities {
            let pu = ground.power.voltage_pu(utility).unwrap_or(f64::NAN);
            finding = finding.with(&format!("{utility}.voltage_pu"), pu);
            if (pu - self.level_pu).abs() <= TOLERANCE_PU || pu.is_nan() {
                problems.push(format!("{utility} is still at {pu:.3} pu"));
            }
        }
        finding.conclude(problems)
    }
}
