//! Losses that come in bursts, as Markov chains: what they are, and what they
//! add up to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::PerUnit;

/// States of the largest chain here.
const STATES: usize = 4;
/// Steps after which a chain has forgotten where it began, or is taken to have.
const STEPS_MAX: u32 = 200_000;

/// The chain of Gilbert (1960) and Elliott (1963): a good and a bad state, each
/// with its own loss. It begins in the good state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GilbertElliott {
    /// The probability that the state turns bad with a packet.
    pub p: PerUnit,
    /// The probability that it turns good again.
    pub r: PerUnit,
    /// The share of packets lost in the good state.
    #[serde(default)]
    pub loss_good: PerUnit,
    /// The share of packets lost in the bad state.
    #[serde(default = "all")]
    pub loss_bad: PerUnit,
}

fn all() -> PerUnit {
    PerUnit(1.0)
}

/// The chain of Salsano, Ludovici and Ordine (2009), as netem has it: 1 receives
/// between bursts, 2 receives and 3 loses within a burst, 4 loses a single
/// packet between bursts. It begins in state 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FourState {
    /// From receiving between bursts to a burst.
    pub p13: PerUnit,
    /// From a burst to receiving between bursts.
    pub p31: PerUnit,
    /// From losing to receiving within a burst.
    #[serde(default)]
    pub p32: PerUnit,
    /// From receiving to losing within a burst.
    #[serde(default = "all")]
    pub p23: PerUnit,
    /// From receiving between bursts to a single loss.
    #[serde(default)]
    pub p14: PerUnit,
}

/// A chain of states, each of which loses a share of packets. A packet meets the
/// state that is, and then the state changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossChain {
    /// `steps[from][to]`; each row sums to 1.
    pub steps: [[f64; STATES]; STATES],
    /// The share of packets that each state loses.
    pub loss: [f64; STATES],
}

impl GilbertElliott {
    /// The chain: states 0 and 1 of four.
    pub fn chain(&self) -> LossChain {
        let (p, r) = (self.p.get(), self.r.get());
        let mut chain = LossChain::still();
        chain.steps[0] = [1.0 - p, p, 0.0, 0.0];
        chain.steps[1] = [r, 1.0 - r, 0.0, 0.0];
        chain.loss = [self.loss_good.get(), self.loss_bad.get(), 0.0, 0.0];
        chain
    }
}

impl FourState {
    /// The chain, its states in order.
    pub fn chain(&self) -> LossChain {
        let (p13, p14) = (self.p13.get(), self.p14.get());
        let (p31, p32, p23) = (self.p31.get(), self.p32.get(), self.p23.get());
        LossChain {
            steps: [
                [1.0 - p13 - p14, 0.0, p13, p14],
                [0.0, 1.0 - p23, p23, 0.0],
                [p31, p32, 1.0 - p31 - p32, 0.0],
                [1.0, 0.0, 0.0, 0.0],
            ],
            loss: [0.0, 0.0, 1.0, 1.0],
        }
    }
}

impl LossChain {
    /// Every state stays and loses nothing.
    fn still() -> Self {
        let mut steps = [[0.0; STATES]; STATES];
        for (at, row) in steps.iter_mut().enumerate() {
            row[at] = 1.0;
        }
        Self {
            steps,
            loss: [0.0; STATES],
        }
    }

    fn step(&self, from: &[f64; STATES]) -> [f64; STATES] {
        let to = |to: usize| (0..STATES).map(|s| from[s] * self.steps[s][to]).sum();
        std::array::from_fn(to)
    }

    /// The share of packets that meet each state in the long run.
    pub fn stationary(&self) -> [f64; STATES] {
        let mut now = [1.0, 0.0, 0.0, 0.0];
        // The mean of two steps that follow each other: a chain that only goes
        // to and fro settles as well.
        for _ in 0..STEPS_MAX {
            let next = self.step(&now);
            let next: [f64; STATES] = std::array::from_fn(|s| (now[s] + next[s]) / 2.0);
            let moved: f64 = (0..STATES).map(|s| (next[s] - now[s]).abs()).sum();
            now = next;
            if moved < 1e-14 {
                break;
            }
        }
        now
    }

    fn lost_in(&self, states: &[f64; STATES]) -> f64 {
        (0..STATES).map(|s| states[s] * self.loss[s]).sum()
    }

    /// The share of packets lost in the long run.
    pub fn share(&self) -> f64 {
        self.lost_in(&self.stationary())
    }

    /// The mean length of a run of lost packets.
    pub fn mean_burst(&self) -> f64 {
        let states = self.stationary();
        let received: [f64; STATES] = std::array::from_fn(|s| states[s] * (1.0 - self.loss[s]));
        let begins = self.lost_in(&self.step(&received));
        if begins > 0.0 {
            self.lost_in(&states) / begins
        } else {
            0.0
        }
    }

    /// The standard deviation of the share lost of `count` packets: losses that
    /// come together spread further than the binomial.
    pub fn spread(&self, count: u32) -> f64 {
        let states = self.stationary();
        let share = self.lost_in(&states);
        let lost: [f64; STATES] = std::array::from_fn(|s| states[s] * self.loss[s]);
        let (mut ahead, mut together) = (lost, 0.0);
        for _ in 0..count.min(STEPS_MAX) {
            ahead = self.step(&ahead);
            let covariance = self.lost_in(&ahead) - share * share;
            together += covariance;
            if covariance.abs() < 1e-12 {
                break;
            }
        }
        let variance = share * (1.0 - share) + 2.0 * together;
        (variance.max(0.0) / f64::from(count.max(1))).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    fn gilbert(p: f64, r: f64) -> LossChain {
        let chain = GilbertElliott {
            p: PerUnit(p),
            r: PerUnit(r),
            loss_good: PerUnit(0.0),
            loss_bad: PerUnit(1.0),
        };
        chain.chain()
    }

    #[test]
    fn gilbert_has_its_closed_form() {
        let chain = gilbert(0.02, 0.25);
        close(chain.share(), 0.02 / 0.27);
        close(chain.mean_burst(), 4.0);
        // Var of a two-state chain: (1 + l) / (1 - l) times the binomial.
        let (q, l) = (0.02_f64 / 0.27, 1.0 - 0.27);
        let spread = (q * (1.0 - q) / 1e5 * (1.0 + l) / (1.0 - l)).sqrt();
        assert!((chain.spread(100_000) / spread - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_chain_that_forgets_at_once_is_bernoulli() {
        let chain = gilbert(0.1, 0.9);
        close(chain.share(), 0.1);
        close(chain.mean_burst(), 1.0 / 0.9);
        close(chain.spread(10_000), (0.09_f64 / 10_000.0).sqrt());
    }

    #[test]
    fn four_states_have_their_balance() {
        let asked = FourState {
            p13: PerUnit(0.01),
            p31: PerUnit(0.2),
            p32: PerUnit(0.1),
            p23: PerUnit(0.3),
            p14: PerUnit(0.02),
        };
        let chain = asked.chain();
        // In multiples of state 1: 3 is p13 / p31, 2 is that times p32 / p23.
        let (two, three, four) = (0.05 * 0.1 / 0.3, 0.05, 0.02);
        let all = 1.0 + two + three + four;
        close(chain.share(), (three + four) / all);
        close(chain.mean_burst(), (three + four) / (three * 0.3 + four));
    }

    #[test]
    fn a_chain_that_goes_to_and_fro_settles() {
        close(gilbert(1.0, 1.0).share(), 0.5);
        close(gilbert(1.0, 1.0).mean_burst(), 1.0);
    }
}
