//! Rates and percentiles over time, exact: from every request and every token.

use serde::Serialize;

use ridethrough_targets::clock::Micros;

use crate::judge::{RunFacts, percentile};
use crate::load::{Group, LedgerRow};

/// At most so many stretches of time.
const MOST: u64 = 240;
/// Lengths of a stretch, in microseconds; longer ones are doubled from the last.
const WIDTHS: [Micros; 9] = [
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
];

/// Groups of fates in the order in which the page stacks them.
pub(crate) const GROUPS: [(Group, &str); 5] = [
    (Group::Whole, "whole"),
    (Group::Shed, "shed"),
    (Group::Torn, "torn"),
    (Group::Lost, "lost"),
    (Group::Corrupted, "corrupted"),
];

/// Percentiles of one stretch in microseconds; none where nothing was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Quantile {
    /// Medians.
    pub(crate) p50: Vec<Option<Micros>>,
    /// 99th percentiles.
    pub(crate) p99: Vec<Option<Micros>>,
}

/// What happened in each stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Bins {
    /// The start of the first.
    pub(crate) from_us: Micros,
    /// The length of each.
    pub(crate) width_us: Micros,
    /// Requests meant to be sent in it, by group of their fate.
    pub(crate) requests: Vec<Vec<u32>>,
    /// Tokens that came in it.
    pub(crate) tokens: Vec<u32>,
    /// Time to the first token, by intended send.
    pub(crate) ttft: Quantile,
    /// Gaps between tokens, by arrival.
    pub(crate) itl: Quantile,
}

/// The stretches from the first phase to the end of the record.
pub(crate) fn bins(facts: &RunFacts) -> Bins {
    let from_us = facts.origin_us();
    let length = facts.last_us.saturating_sub(from_us);
    let width_us = width(length);
    let count = (length / width_us + 1) as usize;
    let place = |t_us: Micros| {
        let at = t_us.checked_sub(from_us)? / width_us;
        usize::try_from(at).ok().filter(|at| *at < count)
    };
    let mut requests = vec![vec![0; count]; GROUPS.len()];
    let mut tokens = vec![0u32; count];
    let (mut ttft, mut itl) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for row in &facts.rows {
        if let Some(at) = place(row.scheduled_us) {
            let group = GROUPS.iter().position(|(group, _)| *group == row.group());
            requests[group.unwrap_or(0)][at] += 1;
            if let Some(first) = row.first_token_us() {
                ttft[at].push(short(first.saturating_sub(row.scheduled_us)));
            }
        }
        for (t_us, gap) in arrivals(row) {
            if let Some(at) = place(t_us) {
                tokens[at] += 1;
                itl[at].extend(gap.map(short));
            }
        }
    }
    Bins {
        from_us,
        width_us,
        requests,
        tokens,
        ttft: quantile(ttft),
        itl: quantile(itl),
    }
}

/// The shortest stretch of which not too many are needed.
fn width(length: Micros) -> Micros {
    let fits = |width: &Micros| length / width < MOST;
    let last = WIDTHS[WIDTHS.len() - 1];
    let longer = || (1..32).map(|n| last << n).find(fits).unwrap_or(last << 32);
    WIDTHS.into_iter().find(fits).unwrap_or_else(longer)
}

/// When each token came, with the gap before it; the first has none.
fn arrivals(row: &LedgerRow) -> impl Iterator<Item = (Micros, Option<Micros>)> {
    let mut now = 0;
    row.token_us.iter().enumerate().map(move |(n, step)| {
        now += step;
        (now, (n > 0).then_some(step))
    })
}

/// A gap of more than 71 minutes is as good as one of 71.
fn short(us: Micros) -> u32 {
    u32::try_from(us).unwrap_or(u32::MAX)
}

fn quantile(mut samples: Vec<Vec<u32>>) -> Quantile {
    samples.iter_mut().for_each(|sample| sample.sort_unstable());
    let at = |share| {
        let one = |sample: &Vec<u32>| percentile(sample, share).map(Micros::from);
        samples.iter().map(one).collect()
    };
    Quantile {
        p50: at(0.50),
        p99: at(0.99),
    }
}

#[cfg(test)]
mod tests {
    use super::{bins, width};
    use crate::judge::RunFacts;
    use crate::judge::testkit::{MS, Record, S};

    #[test]
    fn nothing_is_lost_between_stretches() {
        let record = Record::loss().with(|r| r.tear("chat-20"));
        let facts = RunFacts::of(record.events());
        let bins = bins(&facts);
        let sum: u32 = bins.requests.iter().flatten().sum();
        assert_eq!(sum as usize, facts.rows.len());
        assert_eq!(bins.requests[2].iter().sum::<u32>(), 1);
        let tokens: usize = facts.rows.iter().map(|r| r.token_us.len()).sum();
        assert_eq!(bins.tokens.iter().sum::<u32>() as usize, tokens);
        assert_eq!((bins.from_us, bins.width_us), (5 * S, 200 * MS));
        assert_eq!(bins.ttft.p50[0], Some(100 * MS));
        assert_eq!(bins.itl.p99[2], Some(40 * MS));
    }

    #[test]
    fn long_runs_have_long_stretches() {
        assert_eq!(width(11 * S), 200 * MS);
        assert_eq!(width(600 * S), 5 * S);
        for hours in [1, 24, 1_000] {
            assert!(
                hours * 3_600 * S / width(hours * 3_600 * S) < 240,
                "{hours}"
            );
        }
    }
}
