//! Lines that are slow.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;

use ridethrough_targets::units::{Bandwidth, Span};
use ridethrough_targets::world::Train;

use super::link::{Look, Shots, Sight, Sign};
use crate::catalogue;

/// Bytes of a probe's payload, and of its Ethernet, IPv4 and UDP headers.
const PAYLOAD: u32 = 1_200;
const HEADERS: u32 = 42;
/// Packets of a burst, at most and at least.
const BURST_MAX: f64 = 64.0;
const BURST_MIN: f64 = 8.0;
/// Bursts, of which the least disturbed counts.
const BURSTS: usize = 3;
/// Traffic of others takes its part of the line; clocks and wakeups blur.
const LEAST: f64 = 0.5;
const MOST: f64 = 1.25;
/// Without the fault a link is at least this much faster.
const FASTER: f64 = 2.0;

/// The spacing in which packets arrive that were sent at once.
pub(crate) struct Rate {
    rate: Bandwidth,
    queue: Span,
}

impl Rate {
    pub(crate) fn new(asked: &catalogue::Rate) -> Self {
        Self {
            rate: asked.rate,
            queue: asked.queue,
        }
    }

    /// A burst that the queue holds.
    fn shots(&self) -> Shots {
        let packet_bits = f64::from((PAYLOAD + HEADERS) * 8);
        let seconds = self.queue.micros() as f64 / 1e6;
        let fits = self.rate.get() * seconds / packet_bits;
        let count = fits.clamp(BURST_MIN, BURST_MAX);
        let wait_s = (count * packet_bits / self.rate.get().max(1.0)).min(5.0);
        Shots {
            count: count as u32,
            interval: Span::default(),
            wait: Span::from_micros((wait_s * 1.5e6) as u64 + 100_000),
            payload: PAYLOAD,
        }
    }

    /// Bits a second at which a burst arrived; nothing where it arrived at once.
    fn arrived(train: &Train) -> Result<Option<f64>, String> {
        let times = train.arrivals.iter().map(|a| a.sent_us + a.way_us);
        let (first, last) = (times.clone().min(), times.max());
        let (Some(first), Some(last)) = (first, last) else {
            return Err("no probe arrived".into());
        };
        if train.arrivals.len() < 3 {
            return Err("too few probes arrived".into());
        }
        let bits = (train.arrivals.len() - 1) as f64 * f64::from((PAYLOAD + HEADERS) * 8);
        Ok((last > first).then(|| bits / ((last - first) as f64 / 1e6)))
    }
}

#[async_trait]
impl Sign for Rate {
    fn asked(&self) -> IndexMap<String, Value> {
        IndexMap::from([("bits_per_s".into(), self.rate.get().into())])
    }

    async fn look(&self, look: Look<'_>, there: bool, sight: &mut Sight) -> Result<(), String> {
        let (mut fastest, mut unbounded) = (0.0_f64, false);
        for _ in 0..BURSTS {
            let report = look.probe(self.shots()).await?;
            let train = report.there.as_ref();
            let train = train.ok_or_else(|| format!("{} does not tell", look.to))?;
            match Self::arrived(train).map_err(|why| format!("{look}: {why}"))? {
                Some(rate) => fastest = fastest.max(rate),
                None => unbounded = true,
            }
        }
        let asked = self.rate.get();
        if !unbounded {
            sight.measured(format!("{look}.bits_per_s"), fastest);
        }
        let slow = !unbounded && fastest <= asked * MOST;
        match there {
            true if slow && fastest >= asked * LEAST => Ok(()),
            true if unbounded => Err(format!("{look} has no rate that could be seen")),
            true => Err(format!("{look} passes {fastest:.0} bit/s, not {asked:.0}")),
            false if unbounded || fastest >= asked * FASTER => Ok(()),
            false => Err(format!("{look} still passes {fastest:.0} bit/s only")),
        }
    }
}
