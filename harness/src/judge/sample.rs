//! Latencies of requests, in vLLM's definitions, and exact percentiles.

use ridethrough_targets::clock::Micros;

use crate::load::{Group, LedgerRow};
use crate::playbook::Metric;

/// Stands for a request that never had the datum: it is slower than any other.
const NEVER: Micros = Micros::MAX;

/// Measurements, sorted. `None` stands for one that never came.
///
/// A run's token gaps are the largest thing that is ever sorted here, so
/// measurements that fit into four bytes take four.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// In order.
    short: Vec<u32>,
    /// Those that are larger, in order.
    long: Vec<Micros>,
    never: usize,
}

impl Sample {
    /// What these requests show of a metric. A request without a first token
    /// has an infinite TTFT, and one that was not answered in full an infinite
    /// end-to-end time: leaving them out would make a stack look faster the
    /// more it drops. Gaps, TPOT and silence exist only where tokens came.
    pub fn of<'a>(rows: impl Iterator<Item = &'a LedgerRow>, metric: Metric) -> Self {
        let mut sample = Self::default();
        for row in rows {
            match metric {
                Metric::Ttft => sample.add(ttft_us(row).unwrap_or(NEVER)),
                Metric::E2e => sample.add(e2e_us(row).unwrap_or(NEVER)),
                Metric::Itl => row.token_us.gaps().for_each(|gap| sample.add(gap)),
                Metric::Tpot => tpot_us(row).into_iter().for_each(|us| sample.add(us)),
                Metric::Silence => {
                    let silence = row.silence_max_us().into_iter();
                    silence.for_each(|us| sample.add(us));
                }
            }
        }
        sample.short.sort_unstable();
        sample.long.sort_unstable();
        let last = sample.long.iter().rev();
        sample.never = last.take_while(|us| **us == NEVER).count();
        sample
    }

    fn add(&mut self, us: Micros) {
        match u32::try_from(us) {
            Ok(us) => self.short.push(us),
            Err(_) => self.long.push(us),
        }
    }

    /// Measurements, with those that never came.
    pub fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// Nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Measurements that never came.
    pub fn never(&self) -> usize {
        self.never
    }

    /// The nearest-rank percentile, `share` from 0 to 1; `None` where it falls
    /// on one that never came or where there is nothing.
    pub fn at(&self, share: f64) -> Option<Micros> {
        let at = rank(self.len(), share);
        let long = at.checked_sub(self.short.len());
        let us = match long {
            None => self.short.get(at).copied().map(Micros::from),
            Some(at) => self.long.get(at).copied(),
        };
        us.filter(|us| *us != NEVER)
    }
}

/// The nearest-rank percentile of a sorted list: the least value that at least
/// this share of the list does not exceed.
pub fn percentile<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    sorted.get(rank(sorted.len(), share)).copied()
}

/// The place of a nearest-rank percentile in a sorted list of this length.
fn rank(length: usize, share: f64) -> usize {
    let rank = (share.clamp(0.0, 1.0) * length as f64).ceil() as usize;
    rank.saturating_sub(1)
}

/// Intended send time to first content token.
pub(crate) fn ttft_us(row: &LedgerRow) -> Option<Micros> {
    Some(row.first_token_us()?.saturating_sub(row.scheduled_us))
}

/// Intended send time to last content token, of whole answers.
pub(crate) fn e2e_us(row: &LedgerRow) -> Option<Micros> {
    let whole = row.group() == Group::Whole;
    let last = row.last_token_us().filter(|_| whole)?;
    Some(last.saturating_sub(row.scheduled_us))
}

/// (End-to-end minus TTFT) over the tokens after the first.
pub(crate) fn tpot_us(row: &LedgerRow) -> Option<Micros> {
    let gaps = row.token_us.len().checked_sub(1).filter(|n| *n > 0)?;
    let sum: Micros = row.token_us.gaps().sum();
    Some(sum / gaps as Micros)
}
