//! Packets that are lost, independently of each other.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::world::Direction;

use super::link::{Look, Shots, Sight, Sign};
use super::share::{compare, slack};
use crate::catalogue::PacketShare;

const PROBES: u32 = 300;

/// Lost packets, seen as round trips that fail.
pub(crate) struct Loss {
    /// The share of round trips that fail.
    round_trip: f64,
}

impl Loss {
    pub(crate) fn new(asked: &PacketShare) -> Self {
        let p = asked.probability.get();
        let round_trip = if asked.direction == Direction::Both {
            1.0 - (1.0 - p).powi(2)
        } else {
            p
        };
        Self { round_trip }
    }
}

#[async_trait]
impl Sign for Loss {
    fn asked(&self) -> IndexMap<String, Value> {
        IndexMap::from([("round_trips_lost".into(), self.round_trip.into())])
    }

    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String> {
        let report = look.probe(Shots::small(PROBES)).await?;
        let asked = if there { self.round_trip } else { 0.0 };
        let lost = report.lost();
        sight.measured(format!("{look}.round_trips_lost"), lost);
        compare(
            &format!("{look} lost round trips"),
            lost,
            asked,
            slack(asked, report.sent),
        )
    }
}
