//! The grid follows a recording.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::units::{PerUnit, Span};

use super::device::{act, volts_pu};
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How far the meter may be from the recording, per unit.
const TOLERANCE_PU: f64 = 0.01;
/// How long after a point's time the meter is read (virtual time is whole
/// milliseconds, and the plant's is not).
const AFTER: Duration = Duration::from_millis(1);
/// How long a busy machine may take to bring the plant up to that time. The log
/// has the plant's own times, so that this makes no point late.
const BEHIND: Duration = Duration::from_millis(500);
/// How often it is looked at meanwhile.
const BETWEEN: Duration = Duration::from_millis(10);

/// Grid feeders that follow a recording.
pub(crate) struct Waveform {
    aim: Aim,
    profile: Vec<(Span, PerUnit)>,
}

/// The meter held against the recording.
struct Match {
    points: usize,
    worst_pu: f64,
    worst_at_us: Micros,
    first_us: Option<Micros>,
}

impl Waveform {
    pub(crate) fn new(aim: Aim, profile: Vec<(Span, PerUnit)>) -> Self {
        Self { aim, profile }
    }

    fn levels(&self) -> impl Iterator<Item = f64> + '_ {
        self.profile.iter().map(|(_, pu)| pu.get())
    }

    /// What the meter's log had in force at each time of the recording.
    fn compare(&self, at_us: Micros, log: &[(Micros, f64)]) -> Match {
        let mut found = Match {
            points: 0,
            worst_pu: 0.0,
            worst_at_us: 0,
            first_us: None,
        };
        for (offset, asked) in &self.profile {
            let due = at_us.saturating_add(offset.micros());
            let held = log.iter().take_while(|(t_us, _)| *t_us <= due).last();
            let error = held.map_or(f64::INFINITY, |(_, pu)| (pu - asked.get()).abs());
            if error > found.worst_pu {
                (found.worst_pu, found.worst_at_us) = (error, offset.micros());
            }
            if error <= TOLERANCE_PU {
                found.points += 1;
                found.first_us = found.first_us.or(Some(due));
            }
        }
        found
    }
}

#[async_trait]
impl Fault for Waveform {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([
            ("points".into(), self.profile.len().into()),
            (
                "lowest_pu".into(),
                self.levels().fold(f64::MAX, f64::min).into(),
            ),
            (
                "highest_pu".into(),
                self.levels().fold(0.0, f64::max).into(),
            ),
        ])
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let follow = |utility: &String| PlantAction::Waveform {
            utility: utility.clone(),
            points: self.profile.clone(),
        };
        act(ground, self.aim.utilities.iter().map(follow)).await
    }

    /// Waits for the last point and reads the meter's log, which has every
    /// change however short it was.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let last = self.profile.last().map_or(0, |(at, _)| at.micros());
        let over = ground.world.clock().instant(injected.at_us + last);
        tokio::time::sleep_until(over + AFTER).await;
        let mut finding = Finding::by("bus meter's log");
        let mut problems = Vec::new();
        for utility in &self.aim.utilities {
            let found = loop {
                let log = ground.power.voltages(utility, injected.at_us);
                let found = self.compare(injected.at_us, &log);
                let late = tokio::time::Instant::now() > over + BEHIND;
                if found.points == self.profile.len() || late {
                    break found;
                }
                tokio::time::sleep(BETWEEN).await;
            };
            finding.observed_us = finding.observed_us.max(found.first_us);
            finding = finding.with(&format!("{utility}.points"), found.points);
            if found.points < self.profile.len() {
                problems.push(format!(
                    "{utility} was at {} of {} points; at {} it was {:.3} pu off",
                    found.points,
                    self.profile.len(),
                    Span::from_micros(found.worst_at_us),
                    found.worst_pu
                ));
            } else {
                finding = finding.with(&format!("{utility}.off_by_pu"), found.worst_pu);
            }
        }
        finding.conclude(problems)
    }

    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        let restore = |utility: &String| PlantAction::SupplyRestored {
            utility: utility.clone(),
        };
        act(ground, self.aim.utilities.iter().map(restore)).await?;
        Ok(())
    }

    /// The feeder is where it was before the fault.
    async fn witness_healed(&self, ground: &Ground, injected: &Injected) -> Finding {
        let mut finding = Finding::by("bus meter");
        let mut problems = Vec::new();
        for utility in &self.aim.utilities {
            let pu = volts_pu(ground, utility);
            let before = injected.before.get(utility).copied().unwrap_or(1.0);
            finding = finding.with(&format!("{utility}.voltage_pu"), pu);
            let stays = self.profile.last().is_some_and(|(_, last)| {
                let same = |other: f64| (last.get() - other).abs() <= TOLERANCE_PU;
                same(pu) && !same(before)
            });
            if stays {
                problems.push(format!("{utility} is still at {pu:.3} pu"));
            }
        }
        finding.conclude(problems)
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let utilities = self.aim.utilities.iter();
        Ok(utilities
            .map(|utility| (utility.clone(), volts_pu(ground, utility)))
            .collect())
    }
}
