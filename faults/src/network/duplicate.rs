//! Packets that come twice.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use super::link::{Look, Shots, Sight, Sign};
use super::share::{compare, part, slack};
use crate::catalogue::PacketShare;

const PROBES: u32 = 400;

/// Copies, counted where they arrive.
pub(crate) struct Duplicate {
    share: f64,
}

impl Duplicate {
    pub(crate) fn new(asked: &PacketShare) -> Self {
        Self {
            share: asked.probability.get(),
        }
    }
}

#[async_trait]
impl Sign for Duplicate {
    fn asked(&self) -> IndexMap<String, Value> {
        IndexMap::from([("duplicates".into(), self.share.into())])
    }

    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String> {
        let report = look.probe(Shots::small(PROBES)).await?;
        let asked = if there { self.share } else { 0.0 };
        for (way, train) in look.hit(&report)? {
            let twice = part(train.duplicates(), train.distinct());
            sight.measured(format!("{way}.duplicates"), twice);
            if train.distinct() == 0 {
                return Err(format!("no probe {way} arrives"));
            }
            let slack = slack(asked, train.distinct());
            compare(&format!("{way} came twice"), twice, asked, slack)?;
        }
        Ok(())
    }
}
