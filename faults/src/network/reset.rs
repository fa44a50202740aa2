//! Connections that are reset on their way.

use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::world::{ConnectionReport, ConnectionSpec, End};

use super::link::{Look, Sight, Sign};
use crate::catalogue;
use crate::lifecycle::Ground;

/// How often a connection is looked at, and how many times: bytes go to and fro
/// every 20 ms, and each is one more chance.
const AGAIN: Duration = Duration::from_millis(25);
const LOOKS: u32 = 80;
/// Exchanges after which a new connection is believed to live.
const EXCHANGES: u32 = 5;

/// A connection that was there before, as both its ends see it.
pub(crate) struct Reset {
    probability: f64,
}

impl Reset {
    pub(crate) fn new(asked: &catalogue::Reset) -> Self {
        Self {
            probability: asked.probability.get(),
        }
    }

    async fn connect(look: Look<'_>) -> Result<u64, String> {
        let spec = ConnectionSpec {
            from: look.from.into(),
            to: look.to.into(),
            port: look.port,
        };
        let connected = look.ground.world.connect(&spec).await;
        connected.map_err(|error| error.to_string())
    }

    /// Looks until the connection is as wanted, or no longer.
    async fn until(
        ground: &Ground,
        number: u64,
        wanted: impl Fn(&ConnectionReport) -> bool,
    ) -> Result<ConnectionReport, String> {
        let mut looks = 0;
        loop {
            let report = ground.world.connection(number).await;
            let report = report.map_err(|error| error.to_string())?;
            looks += 1;
            if wanted(&report) || looks >= LOOKS {
                return Ok(report);
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

fn word(end: Option<End>) -> &'static str {
    match end {
        Some(End::Open) => "open",
        Some(End::Reset) => "reset",
        Some(End::Ended) => "ended otherwise",
        None => "unknown",
    }
}

fn is_reset(report: &ConnectionReport) -> bool {
    report.near == End::Reset && report.far == Some(End::Reset)
}

#[async_trait]
impl Sign for Reset {
    fn asked(&self) -> IndexMap<String, Value> {
        IndexMap::from([
            ("segments_that_reset".into(), self.probability.into()),
            ("near".into(), "reset".into()),
            ("far".into(), "reset".into()),
        ])
    }

    async fn before(&self, look: Look<'_>) -> Result<Option<f64>, String> {
        let number = Self::connect(look).await?;
        let lives = |report: &ConnectionReport| report.exchanges > 0;
        let report = Self::until(look.ground, number, lives).await?;
        if report.near == End::Open && report.exchanges > 0 {
            return Ok(Some(number as f64));
        }
        look.ground.world.disconnect(number).await;
        Err(format!("no connection {look} could be kept"))
    }

    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String> {
        if !there {
            let number = Self::connect(look).await;
            let number = number.map_err(|e| format!("no new connection {look}: {e}"))?;
            let lives = |r: &ConnectionReport| r.exchanges >= EXCHANGES || r.near != End::Open;
            let report = Self::until(look.ground, number, lives).await;
            look.ground.world.disconnect(number).await;
            let report = report?;
            sight.measured(format!("{look}.exchanges"), report.exchanges);
            return if report.near == End::Open && report.exchanges >= EXCHANGES {
                Ok(())
            } else {
                Err(format!(
                    "a new connection {look} is {}",
                    word(Some(report.near))
                ))
            };
        }
        let Some(number) = look.before else {
            return Err(format!("no connection {look} was there before"));
        };
        let report = Self::until(look.ground, number as u64, is_reset).await?;
        sight.measured(format!("{look}.near"), word(Some(report.near)));
        sight.measured(format!("{look}.far"), word(report.far));
        if is_reset(&report) {
            return Ok(());
        }
        Err(format!(
            "the connection {look} is {} at its near end and {} at its far end",
            word(Some(report.near)),
            word(report.far)
        ))
    }

    async fn forget(&self, ground: &Ground, before: f64) {
        ground.world.disconnect(before as u64).await;
    }
}
