//! Batteries that are not what they say.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::units::PerUnit;

use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How far a measured capacity may be from what was asked, as a share.
const TOLERANCE: f64 = 0.02;

/// An open string.
pub(crate) struct BatteryOpen {
    aim: Aim,
}

impl BatteryOpen {
    pub(crate) fn new(aim: Aim) -> Self {
        Self { aim }
    }

    /// A continuity test of the string: not the UPS's own telemetry, which does
    /// not know.
    fn look(&self, ground: &Ground, open: bool) -> Finding {
        let mut finding = Finding::by("string continuity test");
        let mut problems = Vec::new();
        for ups in &self.aim.ups {
            match ground.power.battery(ups) {
                Some(battery) => {
                    finding = finding.with(&format!("{ups}.open"), battery.open);
                    if battery.open != open {
                        let is = if battery.open { "open" } else { "closed" };
                        problems.push(format!("the string of {ups} is {is}"));
                    }
                }
                None => problems.push(format!("{ups} has no battery to test")),
            }
        }
        finding.conclude(problems)
    }
}

#[async_trait]
impl Fault for BatteryOpen {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("open".into(), true.into())])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.aim.ups.is_empty() {
            return Err(FaultError::NoTarget);
        }
        let mut at_us = 0;
        for ups in &self.aim.ups {
            at_us = ground
                .power
                .act(PlantAction::BatteryOpens { ups: ups.clone() })
                .await;
        }
        Ok(Injected {
            at_us,
            ..Injected::default()
        })
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let mut finding = self.look(ground, true);
        finding.observed_us = finding.effective.then_some(injected.at_us);
        finding
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        for ups in &self.aim.ups {
            ground
                .power
                .act(PlantAction::BatteryCloses { ups: ups.clone() })
                .await;
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        self.look(ground, false)
    }
}

/// Less runtime than the data sheet promises.
pub(crate) struct BatteryAged {
    aim: Aim,
    health: PerUnit,
}

impl BatteryAged {
    pub(crate) fn new(aim: Aim, health: PerUnit) -> Self {
        Self { aim, health }
    }

    /// A capacity test: seconds at rated power against a new battery's.
    fn capacity(
        &self,
        ground: &Ground,
        injected: &Injected,
        share: impl Fn(&str) -> f64,
    ) -> Finding {
        let mut finding = Finding::by("capacity test");
        let mut problems = Vec::new();
        for ups in &self.aim.ups {
            let before = injected.before.get(ups).copied().unwrap_or(f64::NAN);
            let now = ground.power.battery(ups).map_or(f64::NAN, |b| b.capacity_s);
            finding = finding.with(&format!("{ups}.capacity_s"), now);
            let measured = now / before;
            if measured.is_nan() || (measured - share(ups)).abs() > TOLERANCE {
                problems.push(format!(
                    "{ups} carries its rated power for {now:.1} s, {:.0} % of the {before:.1} s of a new one",
                    measured * 100.0
                ));
            }
        }
        finding.conclude(problems)
    }
}

/// The health that a battery had before the fault.
fn healthy(injected: &Injected, ups: &str) -> f64 {
    injected
        .before
        .get(&format!("{ups}.health"))
        .copied()
        .unwrap_or(1.0)
}

#[async_trait]
impl Fault for BatteryAged {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([("health".into(), self.health.get().into())])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let mut before = IndexMap::new();
        for ups in &self.aim.ups {
            if let Some(battery) = ground.power.battery(ups) {
                // The capacity that a full health would give is what shares are of.
                before.insert(ups.clone(), battery.capacity_s / battery.health);
                before.insert(format!("{ups}.health"), battery.health);
            }
        }
        Ok(before)
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        if self.aim.ups.is_empty() {
            return Err(FaultError::NoTarget);
        }
        let mut injected = Injected::default();
        for ups in &self.aim.ups {
            let action = PlantAction::BatteryHealth {
                ups: ups.clone(),
                health: self.health,
            };
            injected.at_us = ground.power.act(action).await;
        }
        Ok(injected)
    }

    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let mut finding = self.capacity(ground, injected, |_| self.health.get());
        finding.observed_us = finding.effective.then_some(injected.at_us);
        finding
    }

    async fn heal(&self, ground: &Ground, injected: &Injected) -> Result<(), FaultError> {
        for ups in &self.aim.ups {
            let health = PerUnit(healthy(injected, ups));
            ground
                .power
                .act(PlantAction::BatteryHealth {
                    ups: ups.clone(),
                    health,
                })
                .await;
        }
        Ok(())
    }

    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        self.capacity(ground, injected, |ups| healthy(injected, ups))
    }
}
