//! Packets that later ones overtake.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;

use super::link::{Look, Shots, Sight, Sign};
use super::share::{compare, part, slack};
use crate::catalogue;

const PROBES: u32 = 400;

/// Packets that were overtaken, by their numbers where they arrive.
pub(crate) struct Reorder {
    share: f64,
    by: Span,
}

impl Reorder {
    pub(crate) fn new(asked: &catalogue::Reorder) -> Self {
        Self {
            share: asked.probability.get(),
            by: asked.by,
        }
    }
}

#[async_trait]
impl Sign for Reorder {
    fn asked(&self) -> IndexMap<String, Value> {
        IndexMap::from([("overtaken".into(), self.share.into())])
    }

    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String> {
        let small = Shots::small(PROBES);
        let shots = Shots {
            wait: Span::from_micros(small.wait.micros() + self.by.micros() * 2),
            ..small
        };
        let report = look.probe(shots).await?;
        let asked = if there { self.share } else { 0.0 };
        for (way, train) in look.hit(&report)? {
            let overtaken = part(train.overtaken(), train.distinct());
            sight.measured(format!("{way}.overtaken"), overtaken);
            if train.distinct() == 0 {
                return Err(format!("no probe {way} arrives"));
            }
            // Nobody is behind the last ones to overtake them.
            let ending = part(self.by.millis_f64().min(20.0) as u32, PROBES) * asked;
            let slack = slack(asked, train.distinct()) + ending;
            compare(&format!("{way} were overtaken"), overtaken, asked, slack)?;
        }
        Ok(())
    }
}
