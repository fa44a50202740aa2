//! A breaker that trips at another current than it was set to.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::plant::PlantAction;
use ridethrough_targets::telemetry::PduReading;
use ridethrough_targets::units::PerUnit;

use super::device::{act, inspect, mute, pdu, seconds, until_end};
use crate::catalogue::BreakerPickup;
use crate::lifecycle::{Aim, Fault, FaultError, Finding, Ground, Injected};

/// How far from its delay a breaker may trip.
const TOLERANCE_US: Micros = 200_000;

/// A wrong pickup.
pub(crate) struct Pickup {
    pdu: String,
    to: f64,
    /// What it was set to, and its delay.
    set: f64,
    delay_us: Micros,
}

impl Pickup {
    pub(crate) fn new(aim: Aim, asked: BreakerPickup) -> Self {
        let site = aim.site.as_ref();
        let breaker = site.and_then(|site| Some(&site.pdus.get(&asked.pdu)?.breaker));
        Self {
            to: asked.to.get(),
            set: breaker.map_or(1.25, |b| b.pickup.get()),
            delay_us: breaker.map_or(0, |b| b.pickup_delay.micros()),
            pdu: asked.pdu,
        }
    }

    /// It trips where it should not, rather than not where it should.
    fn trips_early(&self) -> bool {
        self.to < self.set
    }

    fn look(&self, story: &mut Story, now: Micros, reading: &PduReading) -> Option<Seen> {
        let share = reading.a / reading.rating_a;
        if reading.closed {
            story.highest = story.highest.max(share);
            let over = share > self.to.min(self.set);
            story.over = if over { story.over.or(Some(now)) } else { None };
        }
        let over_us = story.over.map_or(0, |since| now - since);
        let enough = over_us >= self.delay_us + TOLERANCE_US;
        let pdu = &self.pdu;
        if self.trips_early() {
            let below = story.highest <= self.set;
            return match (reading.tripped, story.over) {
                (true, Some(_)) if below => Some(Ok(over_us)),
                (true, _) => Some(Err(format!("{pdu} tripped, but not early"))),
                (false, _) if enough => Some(Err(format!(
                    "{pdu} carried {:.0} % of its rating and did not trip",
                    share * 100.0
                ))),
                (false, _) => None,
            };
        }
        match () {
            () if reading.tripped => Some(Err(format!("{pdu} tripped all the same"))),
            () if enough => Some(Ok(over_us)),
            () => None,
        }
    }

    fn excuse(&self, story: &Story) -> String {
        let (pdu, level) = (&self.pdu, self.to.min(self.set) * 100.0);
        match story.over {
            Some(_) => format!("{pdu} was not above {level:.0} % of its rating for long enough"),
            None => format!(
                "the occasion never came: {pdu} carried at most {:.0} % of its rating, not {level:.0} %",
                story.highest * 100.0
            ),
        }
    }
}

#[derive(Default)]
struct Story {
    /// Since when the current has been above the lower of the two pickups.
    over: Option<Micros>,
    /// The highest current while it was closed, as a share of the rating.
    highest: f64,
}

/// How long the current was over, or what was wrong.
type Seen = Result<Micros, String>;

#[async_trait]
impl Fault for Pickup {
    fn requested(&self) -> IndexMap<String, Value> {
        IndexMap::from([
            ("pickup".into(), self.to.into()),
            ("trips".into(), self.trips_early().into()),
        ])
    }

    async fn prepare(&self, ground: &Ground) -> Result<IndexMap<String, f64>, FaultError> {
        let closed = pdu(ground, &self.pdu).is_some_and(|reading| reading.closed);
        Ok(IndexMap::from([(
            "closed".into(),
            f64::from(u8::from(closed)),
        )]))
    }

    async fn inject(&self, ground: &Ground) -> Result<Injected, FaultError> {
        let action = PlantAction::BreakerPickup {
            pdu: self.pdu.clone(),
            pickup: Some(PerUnit(self.to)),
        };
        act(ground, [action]).await
    }

    /// Shows only when the current lies between the two pickups for longer than
    /// the delay, or above both where it should trip and does not.
    async fn witness(&self, ground: &Ground, injected: &Injected) -> Finding {
        let finding = Finding::by("PDU's current meter and trip signal");
        if injected.before.get("closed") == Some(&0.0) {
            return finding.conclude(vec![format!("{} was open before the fault", self.pdu)]);
        }
        let clock = ground.world.clock();
        let mut story = Story::default();
        let mut last = None;
        let mut seen_us = 0;
        let seen = until_end(ground, injected, || {
            let reading = pdu(ground, &self.pdu)?;
            seen_us = clock.now_us();
            let seen = self.look(&mut story, seen_us, &reading);
            last = Some(reading.tripped);
            seen
        })
        .await;
        let Some(tripped) = last else {
            return mute(finding, &self.pdu);
        };
        let mut finding = finding
            .with(
                &format!("{}.share", self.pdu),
                (story.highest * 1e4).round() / 1e4,
            )
            .with(&format!("{}.tripped", self.pdu), tripped);
        match seen {
            Some(Ok(over_us)) => {
                finding.observed_us = Some(seen_us);
                let over = format!("{}.over_s", self.pdu);
                finding.with(&over, seconds(over_us)).conclude(Vec::new())
            }
            Some(Err(problem)) => finding.conclude(vec![problem]),
            None => finding.conclude(vec![self.excuse(&story)]),
        }
    }

    /// The setting is put back, and a breaker that tripped is closed.
    async fn heal(&self, ground: &Ground, _: &Injected) -> Result<(), FaultError> {
        let name = || self.pdu.clone();
        let (pdu_name, pickup) = (name(), None);
        let set_back = PlantAction::BreakerPickup {
            pdu: pdu_name,
            pickup,
        };
        act(ground, [set_back]).await?;
        if pdu(ground, &self.pdu).is_some_and(|reading| reading.tripped) {
            act(ground, [PlantAction::BreakerCloses { pdu: name() }]).await?;
        }
        Ok(())
    }

    /// An inspection of its trip unit finds what it was set to, and it conducts.
    async fn witness_healed(&self, ground: &Ground, _: &Injected) -> Finding {
        let finding = Finding::by("inspection and PDU telemetry");
        let mut problems: Vec<String> =
            inspect(ground, &self.pdu, "trips at").into_iter().collect();
        let Some(reading) = pdu(ground, &self.pdu) else {
            return mute(finding, &self.pdu);
        };
        if reading.tripped {
            problems.push(format!("{} is still tripped", self.pdu));
        }
        finding
            .with(&format!("{}.closed", self.pdu), reading.closed)
            .conclude(problems)
    }
}
