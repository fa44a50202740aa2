//! Long packets that vanish.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::Span;
use ridethrough_targets::world::PROBE_HEADERS;

use super::link::{Look, Shots, Sight, Sign};
use crate::catalogue;

const PROBES: u32 = 20;

/// The longest packet that arrives, and the shortest that does not.
pub(crate) struct Mtu {
    mtu: u32,
}

impl Mtu {
    pub(crate) fn new(asked: &catalogue::Mtu) -> Self {
        Self { mtu: asked.mtu }
    }

    /// Probes in packets of this length.
    fn sized(bytes: u32) -> Shots {
        Shots {
            count: PROBES,
            interval: Span::from_millis(5),
            wait: Span::from_millis(200),
            payload: bytes.saturating_sub(PROBE_HEADERS),
        }
    }
}

#[async_trait]
impl Sign for Mtu {
    fn asked(&self) -> IndexMap<String, Value> {
        IndexMap::from([
            ("passes_bytes".into(), self.mtu.into()),
            ("vanishes_bytes".into(), (self.mtu + 1).into()),
        ])
    }

    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String> {
        let fits = look.probe(Self::sized(self.mtu)).await?;
        for (way, train) in look.hit(&fits)? {
            sight.measured(format!("{way}.short_arrived"), train.distinct());
            if train.distinct() == 0 {
                return Err(format!("no packet {way} of {} bytes arrives", self.mtu));
            }
        }
        // An answer is as long as what it answers, so the way back shows only
        // where the way there is open.
        let long = look.probe(Self::sized(self.mtu + 1)).await?;
        let arrived = long.there.as_ref().map_or(0, |there| there.distinct());
        sight.measured(format!("{look}.long_arrived"), arrived);
        let longer = self.mtu + 1;
        match (there, arrived > 0) {
            (true, true) => Err(format!("packets {look} of {longer} bytes arrive")),
            (false, false) => Err(format!("no packet {look} of {longer} bytes arrives")),
            _ => Ok(()),
        }
    }
}
