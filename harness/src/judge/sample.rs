//! Latencies of requests, in vLLM's definitions, and exact percentiles.

use ridethrough_targets::clock::Micros;

use crate::load::{Group, LedgerRow};
use crate::playbook::Metric;

/// Stands for a request that never had the datum: it is slower than any other.
const NEVER: Micros = Micros::MAX;

/// Measurements, sorted. `None` stands for one that never came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    sorted: Vec<Micros>,
    never: usize,
}

impl Sample {
    /// What these requests show of a metric. A request without a first token
    /// has an infinite TTFT, and one that was not answered in full an infinite
    /// end-to-end time: leaving them out would make a stack look faster the
    /// more it drops. Gaps, TPOT and silence exist only where tokens came.
    pub fn of<'a>(rows: impl Iterator<Item = &'a LedgerRow>, metric: Metric) -> Self {
        let mut sorted = Vec::new();
        for row in rows {
            match metric {
                Metric::Ttft => sorted.push(ttft_us(row).unwrap_or(NEVER)),
                Metric::E2e => sorted.push(e2e_us(row).unwrap_or(NEVER)),
                Metric::Itl => sorted.extend(row.token_us.iter().skip(1)),
                Metric::Tpot => sorted.extend(tpot_us(row)),
                Metric::Silence => sorted.extend(row.silence_max_us()),
            }
        }
        sorted.sort_unstable();
        let never = sorted.iter().rev().take_while(|us| **us == NEVER).count();
        Self { sorted, never }
    }

    /// Measurements, with those that never came.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Measurements that never came.
    pub fn never(&self) -> usize {
        self.never
    }

    /// The nearest-rank percentile, `share` from 0 to 1; `None` where it falls
    /// on one that never came or where there is nothing.
    pub fn at(&self, share: f64) -> Option<Micros> {
        percentile(&self.sorted, share).filter(|us| *us != NEVER)
    }
}

/// The nearest-rank percentile of a sorted list: the least value that at least
/// this share of the list does not exceed.
pub fn percentile<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    let rank = (share.clamp(0.0, 1.0) * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
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
    let sum: Micros = row.token_us.iter().skip(1).sum();
    Some(sum / gaps as Micros)
}
