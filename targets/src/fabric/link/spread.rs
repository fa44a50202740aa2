//! Delays around a mean: their distribution, and how each follows the one
//! before.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::world::Distribution;

/// No delay is further above the mean than this many jitters: a Pareto
/// distribution has no end.
const TAIL_MAX: f64 = 100.0;
/// Of a Pareto distribution of shape 3 and scale 1.
const PARETO_SHAPE: f64 = 3.0;
const PARETO_MEAN: f64 = 1.5;
const PARETO_DEVIATION: f64 = 0.866_025_403_784_438_6;

/// The delays of one rule on one direction.
#[derive(Debug)]
pub(super) struct Spread {
    delay_ns: f64,
    jitter_ns: f64,
    distribution: Distribution,
    correlation: f64,
    /// The normal score of the last delay.
    score: Option<f64>,
    random: ChaCha8Rng,
}

impl Spread {
    pub(super) fn new(
        delay_ns: u64,
        jitter_ns: u64,
        distribution: Distribution,
        correlation: f64,
        random: ChaCha8Rng,
    ) -> Self {
        Self {
            delay_ns: delay_ns as f64,
            jitter_ns: jitter_ns as f64,
            distribution,
            correlation,
            score: None,
            random,
        }
    }

    /// The next delay in nanoseconds.
    pub(super) fn sample(&mut self) -> u64 {
        if self.jitter_ns == 0.0 {
            return self.delay_ns as u64;
        }
        let offset = match (self.distribution, self.correlation > 0.0) {
            (Distribution::Uniform, false) => unit(&mut self.random) * 2.0 - 1.0,
            (Distribution::Uniform, true) => 1.0 - 2.0 * upper_tail(self.score()),
            (Distribution::Normal, _) => self.score(),
            (Distribution::Pareto, false) => pareto(1.0 - unit(&mut self.random)),
            (Distribution::Pareto, true) => pareto(upper_tail(self.score())),
        };
        (self.delay_ns + offset.min(TAIL_MAX) * self.jitter_ns).max(0.0) as u64
    }

    /// The next normal score: an autoregressive process of order one, whose
    /// values by themselves are standard normal.
    fn score(&mut self) -> f64 {
        let fresh = normal(&mut self.random);
        let score = match self.score {
            Some(last) => {
                let rho = self.correlation;
                rho * last + (1.0 - rho * rho).sqrt() * fresh
            }
            None => fresh,
        };
        self.score = Some(score);
        score
    }
}

/// Uniform in [0, 1), with 53 bits.
pub(super) fn unit(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Standard normal (Box and Muller 1958), two draws each.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (radius, angle) = (1.0 - unit(random), unit(random));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// The probability that a standard normal value is greater, by the series of
/// its density (Marsaglia 2004).
fn upper_tail(score: f64) -> f64 {
    // Beyond this the series loses its digits, and what is left is nothing.
    let x = score.clamp(-7.0, 7.0);
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while (sum + term) != sum {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    let density = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    (0.5 - sum * density).clamp(1e-12, 1.0)
}

/// The value that a Pareto variable exceeds with this probability, less its
/// mean, in standard deviations.
fn pareto(exceeded: f64) -> f64 {
    (exceeded.powf(-1.0 / PARETO_SHAPE) - PARETO_MEAN) / PARETO_DEVIATION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_of_the_normal_distribution() {
        for (score, tail) in [
            (0.0, 0.5),
            (1.0, 0.158_655_253_931_457),
            (-1.0, 0.841_344_746_068_543),
            (1.959_963_984_540_054, 0.025),
            (4.0, 3.167_124_183_311_998e-5),
        ] {
            assert!((upper_tail(score) - tail).abs() < 1e-12, "{score}");
        }
    }

    #[test]
    fn a_pareto_variable_is_early_or_very_late() {
        assert!((pareto(0.5) + 0.277_219).abs() < 1e-5, "{}", pareto(0.5));
        assert!((pareto(0.001) - 9.814_95).abs() < 1e-4, "{}", pareto(0.001));
    }
}
