//! Packets whose bits flip.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use super::link::{Look, Shots, Sight, Sign};
use super::share::{compare, part, slack};
use crate::catalogue::PacketShare;

const PROBES: u32 = 400;
/// Damaged packets that the kernel counts as such, at least: a flipped bit in a
/// length is noticed before the checksum is looked at.
const COUNTED_LEAST: f64 = 0.75;

/// Probes that kernels drop for their checksum.
pub(crate) struct Corrupt {
    share: f64,
}

impl Corrupt {
    pub(crate) fn new(asked: &PacketShare) -> Self {
        Self {
            share: asked.probability.get(),
        }
    }
}

#[async_trait]
impl Sign for Corrupt {
    fn asked(&self) -> IndexMap<String, Value> {
        IndexMap::from([("damaged".into(), self.share.into())])
    }

    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String> {
        let report = look.probe(Shots::small(PROBES)).await?;
        let asked = if there { self.share } else { 0.0 };
        for (way, train) in look.hit(&report)? {
            let damaged = part(train.missing(), train.sent);
            sight.measured(format!("{way}.damaged"), damaged);
            let slack = slack(asked, train.sent);
            compare(&format!("{way} were dropped"), damaged, asked, slack)?;
        }
        let Some(bad) = report.bad_checksums else {
            return Err(format!("the kernel of {} does not tell", look.to));
        };
        sight.measured(format!("{}.bad_checksums", look.to), bad);
        let missing = report.there.map_or(0, |there| there.missing());
        if there && (bad as f64) < f64::from(missing) * COUNTED_LEAST {
            return Err(format!(
                "{missing} probes {look} were lost, and only {bad} checksums were wrong"
            ));
        }
        Ok(())
    }
}
