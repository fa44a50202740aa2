//! Packets that are lost in bursts.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::world::LossChain;

use super::link::{Look, Shots, Sight, Sign};
use super::share::{SIGMAS, compare, part, slack};
use crate::catalogue;

/// Probes: so many that this many bursts come on average, within bounds.
const BURSTS: f64 = 20.0;
const PROBES_LEAST: f64 = 400.0;
const PROBES_MOST: f64 = 3_000.0;
/// Bursts below which their mean length says nothing.
const BURSTS_LEAST: usize = 10;

/// Lost packets and the lengths of their runs, by their numbers.
pub(crate) struct BurstLoss {
    chain: LossChain,
}

impl BurstLoss {
    /// Nothing where there is not one model.
    pub(crate) fn new(asked: &catalogue::BurstLoss) -> Option<Self> {
        let gilbert = asked.gilbert_elliott.map(|asked| asked.chain());
        let four = asked.four_state.map(|asked| asked.chain());
        let chain = gilbert.xor(four)?;
        Some(Self { chain })
    }
}

#[async_trait]
impl Sign for BurstLoss {
    fn asked(&self) -> IndexMap<String, Value> {
        IndexMap::from([
            ("lost".into(), self.chain.share().into()),
            ("mean_burst".into(), self.chain.mean_burst().into()),
        ])
    }

    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String> {
        let report = look.probe(Shots::small(self.probes())).await?;
        let asked = if there { self.chain.share() } else { 0.0 };
        for (way, train) in look.hit(&report)? {
            let lost = part(train.missing(), train.sent);
            sight.measured(format!("{way}.lost"), lost);
            let spread = if there {
                (SIGMAS * self.chain.spread(train.sent)).max(slack(asked, train.sent))
            } else {
                slack(0.0, train.sent)
            };
            compare(&format!("{way} were lost"), lost, asked, spread)?;
            let runs = train.lost_runs();
            if there && runs.is_empty() {
                return Err(format!("no burst came among {} packets {way}", train.sent));
            }
            if there && runs.len() >= BURSTS_LEAST {
                let mean = f64::from(train.missing()) / runs.len() as f64;
                sight.measured(format!("{way}.mean_burst"), mean);
                self.compare_bursts(&way, mean, runs.len())?;
            }
        }
        Ok(())
    }
}

impl BurstLoss {
    fn probes(&self) -> u32 {
        let apart = self.chain.mean_burst() / self.chain.share().max(1e-9);
        (BURSTS * apart).clamp(PROBES_LEAST, PROBES_MOST) as u32
    }

    /// A run's length spreads about as far as its mean.
    fn compare_bursts(&self, way: &str, mean: f64, runs: usize) -> Result<(), String> {
        let asked = self.chain.mean_burst();
        let slack = SIGMAS * asked / (runs as f64).sqrt();
        if (mean - asked).abs() <= slack {
            return Ok(());
        }
        Err(format!(
            "{way}: bursts of {mean:.1} packets, not {asked:.1}"
        ))
    }
}
