//! What rules add up to over 100,000 packets.

use std::sync::Arc;

use crate::units::{PerUnit, Span};
use crate::world::{Distribution, FourState, GilbertElliott, Impairment, LossChain};

use super::tests::{acting, frame, seeded};
use super::{Link, Nanos, Verdict};

const PACKETS: u32 = 100_000;
const MS: f64 = 1e6;
/// Standard deviations that hold 99 %.
const SIGMAS: f64 = 2.576;

/// Which of the packets are lost, sent one a millisecond.
fn lost(link: &mut Link) -> Vec<bool> {
    let verdicts = (0..u64::from(PACKETS)).map(|at| link.decide(at * 1_000_000, &frame(100)));
    verdicts.map(|d| d.verdict == Verdict::Drop).collect()
}

fn share(lost: &[bool]) -> f64 {
    lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64
}

/// The mean length of runs of losses.
fn mean_burst(lost: &[bool]) -> f64 {
    let begins = (0..lost.len()).filter(|at| lost[*at] && (*at == 0 || !lost[at - 1]));
    lost.iter().filter(|lost| **lost).count() as f64 / begins.count() as f64
}

#[test]
fn independent_loss_is_within_the_binomial_interval() {
    for (seed, p) in [(1, 0.001), (2, 0.01), (3, 0.1), (4, 0.5), (5, 0.97)] {
        let loss = Impairment::Loss {
            probability: PerUnit(p),
        };
        let measured = share(&lost(&mut seeded(seed, 0, &[loss])));
        let interval = SIGMAS * (p * (1.0 - p) / f64::from(PACKETS)).sqrt();
        assert!((measured - p).abs() < interval, "{measured} for {p}");
    }
}

fn meets(chain: &LossChain, impairment: Impairment, seed: u64) {
    let lost = lost(&mut seeded(seed, 0, &[impairment]));
    let (measured, asked) = (share(&lost), chain.share());
    let interval = SIGMAS * chain.spread(PACKETS);
    assert!(
        (measured - asked).abs() < interval,
        "{measured} for {asked}"
    );
    // A run's length spreads about as far as its mean.
    let (measured, asked) = (mean_burst(&lost), chain.mean_burst());
    let runs = share(&lost) * f64::from(PACKETS) / measured;
    assert!(
        (measured / asked - 1.0).abs() < SIGMAS / runs.sqrt(),
        "bursts of {measured} for {asked}"
    );
}

#[test]
fn bursts_have_their_share_and_their_length() {
    for (seed, (p, r, loss_good, loss_bad)) in [
        (0.01, 0.25, 0.0, 1.0),
        (0.002, 0.05, 0.0, 1.0),
        (0.05, 0.2, 0.001, 0.7),
        (0.3, 0.3, 0.1, 0.9),
    ]
    .into_iter()
    .enumerate()
    {
        let asked = GilbertElliott {
            p: PerUnit(p),
            r: PerUnit(r),
            loss_good: PerUnit(loss_good),
            loss_bad: PerUnit(loss_bad),
        };
        meets(
            &asked.chain(),
            Impairment::GilbertElliott(asked),
            seed as u64,
        );
    }
    for (seed, (p13, p31, p32, p23, p14)) in [
        (0.01, 0.3, 0.1, 0.4, 0.02),
        (0.02, 0.6, 0.4, 1.0, 0.0),
        (0.005, 0.1, 0.2, 0.5, 0.05),
    ]
    .into_iter()
    .enumerate()
    {
        let asked = FourState {
            p13: PerUnit(p13),
            p31: PerUnit(p31),
            p32: PerUnit(p32),
            p23: PerUnit(p23),
            p14: PerUnit(p14),
        };
        meets(
            &asked.chain(),
            Impairment::FourState(asked),
            40 + seed as u64,
        );
    }
}

/// Delays in milliseconds, sorted, of packets too far apart to hold each other
/// up, and the correlation of neighbours' ranks.
fn delays(distribution: Distribution, correlation: f64) -> (Vec<f64>, f64) {
    let delay = Impairment::Delay {
        delay: Span::from_millis(60),
        jitter: Span::from_millis(10),
        distribution,
        correlation: PerUnit(correlation),
    };
    let mut link = seeded(11, 0, &[delay]);
    let apart: Nanos = 10_000_000_000;
    let waits: Vec<f64> = (0..u64::from(PACKETS))
        .map(|at| match link.decide(at * apart, &frame(100)).verdict {
            Verdict::At(due) => (due - at * apart) as f64 / MS,
            other => panic!("{other:?}"),
        })
        .collect();
    let mut order: Vec<usize> = (0..waits.len()).collect();
    order.sort_by(|a, b| waits[*a].total_cmp(&waits[*b]));
    let mut ranks = vec![0.0; waits.len()];
    for (rank, at) in order.iter().enumerate() {
        ranks[*at] = rank as f64 / waits.len() as f64 - 0.5;
    }
    let together: f64 = ranks.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let alone: f64 = ranks.iter().map(|rank| rank * rank).sum();
    let mut sorted = waits;
    sorted.sort_by(f64::total_cmp);
    (sorted, together / alone)
}

#[test]
fn delays_have_their_quantiles_and_their_correlation() {
    // Of one jitter around the mean: what the distributions' tables say.
    let uniform = [
        (0.01, -0.98),
        (0.25, -0.5),
        (0.5, 0.0),
        (0.75, 0.5),
        (0.99, 0.98),
    ];
    let normal = [
        (0.01, -2.326_35),
        (0.25, -0.674_49),
        (0.5, 0.0),
        (0.75, 0.674_49),
        (0.99, 2.326_35),
    ];
    // (1 - q)^(-1/3), less 1.5, by the square root of 0.75.
    let pareto = [
        (0.01, -0.573_47),
        (0.25, -0.461_02),
        (0.5, -0.277_22),
        (0.75, 0.100_93),
        (0.99, 3.627_62),
    ];
    for (distribution, quantiles) in [
        (Distribution::Uniform, uniform),
        (Distribution::Normal, normal),
        (Distribution::Pareto, pareto),
    ] {
        for correlation in [0.0, 0.5] {
            let (sorted, measured) = delays(distribution, correlation);
            for (quantile, offset) in quantiles {
                let at = (f64::from(PACKETS) * quantile) as usize;
                let (got, asked) = (sorted[at], 60.0 + 10.0 * offset);
                // Where a Pareto distribution is thin, 100,000 packets say less:
                // four standard errors of its 99th percentile are 1.6 ms.
                let wide = if distribution == Distribution::Pareto && quantile > 0.9 {
                    2.0
                } else {
                    0.5
                };
                assert!(
                    (got - asked).abs() < wide,
                    "{distribution:?} at {quantile}: {got} ms, not {asked} ms"
                );
            }
            // Of normal scores with this correlation (Pearson 1907).
            let ranks = 6.0 / std::f64::consts::PI * (correlation / 2.0_f64).asin();
            assert!((measured - ranks).abs() < 0.02, "{measured} for {ranks}");
        }
    }
}

#[test]
fn copies_flips_and_resets_have_their_share() {
    let p = PerUnit(0.2);
    let rules = [
        Impairment::Duplicate { probability: p },
        Impairment::Corrupt { probability: p },
    ];
    let mut link = seeded(3, 0, &rules);
    let (mut copies, mut flips, mut both) = (0, 0, 0);
    for at in 0..u64::from(PACKETS) {
        let decision = link.decide(at, &frame(100));
        copies += decision.copies;
        flips += u32::from(decision.flip.is_some());
        both += u32::from(decision.flip.is_some() && decision.copies > 0);
    }
    let near = |count: u32, p: f64| {
        let share = f64::from(count) / f64::from(PACKETS);
        (share - p).abs() < SIGMAS * (p * (1.0 - p) / f64::from(PACKETS)).sqrt()
    };
    assert!(near(copies, 0.2) && near(flips, 0.2), "{copies} {flips}");
    assert!(near(both, 0.04), "{both}: rules choose by themselves");
}

#[test]
fn counters_are_of_one_rule_over_its_directions() {
    let rule = acting(
        1,
        Impairment::Loss {
            probability: PerUnit(1.0),
        },
    );
    let tally = Arc::clone(&rule.tally);
    let (mut there, mut back) = (Link::new(), Link::new());
    there.update(1, 0, std::slice::from_ref(&rule));
    back.update(1, 1, &[rule]);
    there.decide(0, &frame(100));
    back.decide(0, &frame(100));
    let probe = super::Frame {
        ports: Some((8_000, 7_777)),
        ..frame(100)
    };
    assert_eq!(back.decide(0, &probe).verdict, Verdict::Drop);
    let counters = tally.read();
    assert_eq!((counters.matched, counters.acted), (2, 2));
}
