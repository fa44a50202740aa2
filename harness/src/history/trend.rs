//! Where a series of margins is going: robust, so that one bad night is not taken
//! for a trend.
//!
//! The slope is Theil and Sen's, the median of the slopes of all pairs; how sure
//! it is that there is a trend at all is Mann and Kendall's test, which counts the
//! pairs that fall against those that rise. Neither asks how the noise is
//! distributed, and up to a quarter of the values may be wild.

use serde::Serialize;

/// The normal quantile of a two-sided interval of nine in ten.
const NINE_IN_TEN: f64 = 1.645;

/// Where a series is going.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// Values that it rests on.
    pub points: usize,
    /// Change from one run to the next.
    pub slope: f64,
    /// The slope lies between these nine times in ten.
    pub between: (f64, f64),
    /// How sure it is that the series goes the way of its slope, 0 to 1.
    pub sure: f64,
    /// Where the series is now, without the noise of its last value.
    pub level: f64,
}

impl Trend {
    /// The trend of values in their order, one a run; `None` of fewer than three.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count < 3 || values.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let mut slopes = Vec::with_capacity(count * (count - 1) / 2);
        let mut balance = 0_i64;
        for (i, earlier) in values.iter().enumerate() {
            for (j, later) in values.iter().enumerate().skip(i + 1) {
                slopes.push((later - earlier) / (j - i) as f64);
                balance += match later.total_cmp(earlier) {
                    _ if later == earlier => 0,
                    std::cmp::Ordering::Less => -1,
                    _ => 1,
                };
            }
        }
        slopes.sort_by(f64::total_cmp);
        let slope = median(&slopes);
        let spread = variance(values).sqrt();
        // Those of the slopes between which the true one lies nine times in ten.
        let half = NINE_IN_TEN * spread;
        let at = |rank: f64| {
            let last = slopes.len() - 1;
            slopes[(rank.round().max(0.0) as usize).min(last)]
        };
        let middle = slopes.len() as f64 / 2.0;
        let between = (at(middle - half / 2.0 - 1.0), at(middle + half / 2.0));
        let rest: Vec<f64> = (0..)
            .zip(values)
            .map(|(n, v)| v - slope * f64::from(n))
            .collect();
        let level = median(&sorted(rest)) + slope * (count - 1) as f64;
        Some(Self {
            points: count,
            slope,
            between,
            sure: sure(balance, spread),
            level,
        })
    }

    /// Runs until the series reaches zero at this pace, from where it is: at the
    /// likely slope, and at the earliest. `None` where it does not fall, or is
    /// there already.
    pub fn until_zero(&self) -> Option<(f64, f64)> {
        let falls = self.slope < 0.0 && self.level > 0.0;
        falls.then(|| {
            let steepest = self.between.0.min(self.slope);
            (self.level / -self.slope, self.level / -steepest)
        })
    }
}

/// How sure it is that pairs do not fall, or rise, by chance.
fn sure(balance: i64, spread: f64) -> f64 {
    if balance == 0 || spread == 0.0 {
        return 0.0;
    }
    // A sum of whole numbers is held against a smooth curve.
    let score = (balance.unsigned_abs() as f64 - 1.0) / spread;
    normal(score)
}

/// The variance of the balance of pairs where there is no trend. Equal values say
/// less.
fn variance(values: &[f64]) -> f64 {
    let weight = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0) / 18.0;
    let sorted = sorted(values.to_vec());
    let ties = sorted.chunk_by(|a, b| a == b);
    let ties: f64 = ties.map(|tie| weight(tie.len() as f64)).sum();
    weight(values.len() as f64) - ties
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// Of sorted values.
fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match (sorted.get(half), sorted.len() % 2) {
        (Some(upper), 0) => (sorted[half - 1] + upper) / 2.0,
        (Some(middle), _) => *middle,
        (None, _) => 0.0,
    }
}

/// The share of a normal distribution below `z`, by integrating its density; good
/// to six digits, which is more than a night needs.
fn normal(z: f64) -> f64 {
    const STEPS: u32 = 200;
    let z = z.clamp(-8.0, 8.0);
    let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let width = z / f64::from(STEPS);
    // Simpson's rule.
    let inner: f64 = (1..STEPS)
        .map(|n| f64::from(if n % 2 == 1 { 4 } else { 2 }) * density(f64::from(n) * width))
        .sum();
    (0.5 + (density(0.0) + inner + density(z)) * width / 3.0).clamp(0.0, 1.0)
}

/// A series as one line of blocks. Zero is the bottom where all is above it, so
/// that a margin that is nearly gone looks so.
pub fn spark(values: &[f64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let low = values.iter().copied().fold(0.0, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    let block = |value: &f64| {
        if *value < 0.0 {
            return '✗';
        }
        let share = if high > low {
            (value - low.max(0.0)) / (high - low.max(0.0))
        } else {
            0.0
        };
        BLOCKS[((share * 7.0).round() as usize).min(7)]
    };
    values.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trend(values: &[f64]) -> Trend {
        Trend::of(values).expect("a trend")
    }

    #[test]
    fn a_straight_line_is_known_exactly() {
        let line: Vec<f64> = (0..10).map(|n| 100.0 - 5.0 * f64::from(n)).collect();
        let trend = trend(&line);
        assert_eq!((trend.slope, trend.level), (-5.0, 55.0));
        assert_eq!(trend.between, (-5.0, -5.0));
        assert!(trend.sure > 0.999, "{}", trend.sure);
        assert_eq!(trend.until_zero(), Some((11.0, 11.0)));
    }

    #[test]
    fn one_wild_night_is_no_trend() {
        let mut values = vec![50.0; 12];
        values[11] = -400.0;
        let flat = trend(&values);
        assert_eq!((flat.slope, flat.level), (0.0, 50.0));
        assert!(flat.sure < 0.95 && flat.until_zero().is_none());
    }

    #[test]
    fn too_few_or_no_numbers_say_nothing() {
        assert_eq!(Trend::of(&[1.0, 2.0]), None);
        assert_eq!(Trend::of(&[1.0, f64::NAN, 2.0]), None);
        assert_eq!(trend(&[3.0, 3.0, 3.0]).sure, 0.0);
    }

    #[test]
    fn the_normal_distribution() {
        for (z, share) in [
            (0.0, 0.5),
            (1.0, 0.841_345),
            (1.96, 0.975_002),
            (-1.0, 0.158_655),
        ] {
            assert!((normal(z) - share).abs() < 1e-5, "{z}: {}", normal(z));
        }
    }

    #[test]
    fn a_margin_that_is_gone_is_no_block() {
        assert_eq!(spark(&[0.0, 35.0, 70.0, -1.0]), "▁▅█✗");
        assert_eq!(spark(&[1.0, 1.0]), "██");
        assert_eq!(spark(&[0.0]), "▁");
        assert_eq!(spark(&[-1.0, -2.0]), "✗✗");
    }

    proptest! {
        /// A trend goes with its values: moved, stretched, turned round.
        #[test]
        fn a_trend_goes_with_its_values(
            values in proptest::collection::vec(-1000i32..1000, 3..30),
            by in -500i32..500,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let one = trend(&values);
            let moved = trend(&values.iter().map(|v| v + f64::from(by)).collect::<Vec<_>>());
            prop_assert!((one.slope - moved.slope).abs() < 1e-9);
            prop_assert!((one.level + f64::from(by) - moved.level).abs() < 1e-6);
            prop_assert_eq!(one.sure, moved.sure);
            let turned = trend(&values.iter().rev().copied().collect::<Vec<_>>());
            prop_assert!((one.slope + turned.slope).abs() < 1e-9);
            prop_assert_eq!(one.sure, turned.sure);
            prop_assert!((0.0..=1.0).contains(&one.sure));
            prop_assert!(one.between.0 <= one.slope && one.slope <= one.between.1);
        }

        /// Fewer than a quarter of wild values never turn a clear line round.
        #[test]
        fn a_few_wild_values_do_not_matter(
            wild in proptest::collection::vec((0usize..24, -1e6..1e6), 0..5),
        ) {
            let mut values: Vec<f64> = (0..24).map(|n| 500.0 - 10.0 * f64::from(n)).collect();
            for (at, value) in wild {
                values[at] = value;
            }
            let trend = trend(&values);
            prop_assert!((-16.0..=-4.0).contains(&trend.slope), "{}", trend.slope);
        }

        #[test]
        fn a_spark_has_a_sign_for_each_value(values in proptest::collection::vec(-1e9..1e9, 0..40)) {
            prop_assert_eq!(spark(&values).chars().count(), values.len());
        }
    }
}
