//! Broken, flaky, or a matter of the seed: what several runs of one playbook
//! say together.

use serde::{Deserialize, Serialize};

use super::verdict::Verdict;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// Never another verdict, with this seed and with others.
    Broken,
    /// The same seed, different verdicts.
    Flaky,
    /// This seed always gives this verdict, and another gives another.
    DependsOnSeed,
}

impl Nature {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Flaky => "flaky",
            Self::DependsOnSeed => "depends on the seed",
        }
    }
}

/// How often runs came to each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// All promises held.
    pub pass: usize,
    /// One was broken.
    pub fail: usize,
    /// The experiment did not hold.
    pub invalid: usize,
}

impl Tally {
    fn of(verdicts: impl Iterator<Item = Verdict>) -> Self {
        let mut tally = Self::default();
        for verdict in verdicts {
            *match verdict {
                Verdict::Pass => &mut tally.pass,
                Verdict::Fail => &mut tally.fail,
                Verdict::Invalid => &mut tally.invalid,
            } += 1;
        }
        tally
    }

    /// Runs.
    pub fn runs(&self) -> usize {
        self.pass + self.fail + self.invalid
    }

    fn with(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Fail => self.fail,
            Verdict::Invalid => self.invalid,
        }
    }

    /// `3 fail, 1 pass`, what is bad first.
    fn words(&self) -> String {
        let parts = [
            (self.fail, "fail"),
            (self.invalid, "invalid"),
            (self.pass, "pass"),
        ];
        let some = parts.iter().filter(|(n, _)| *n > 0);
        let words: Vec<String> = some.map(|(n, word)| format!("{n} {word}")).collect();
        words.join(", ")
    }
}

/// A playbook that did not pass, after it was run again. The verdict of the
/// first run stands: this only says what kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steadiness {
    /// What kind.
    pub nature: Nature,
    /// The first run and those with its seed.
    pub same_seed: Tally,
    /// Runs with other seeds.
    pub other_seeds: Tally,
}

impl Steadiness {
    /// What runs with the seed of the first and with others say; `None` where
    /// nothing was run again.
    pub fn of(first: Verdict, same: &[Verdict], others: &[Verdict]) -> Option<Self> {
        if same.is_empty() && others.is_empty() {
            return None;
        }
        let same_seed = Tally::of(same.iter().copied().chain([first]));
        let other_seeds = Tally::of(others.iter().copied());
        let nature = if same_seed.with(first) < same_seed.runs() {
            Nature::Flaky
        } else if other_seeds.with(first) < other_seeds.runs() {
            Nature::DependsOnSeed
        } else {
            Nature::Broken
        };
        Some(Self {
            nature,
            same_seed,
            other_seeds,
        })
    }

    /// In one line: `flaky: with this seed 3 fail, 1 pass; with 3 other seeds 3 fail`.
    pub fn sentence(&self) -> String {
        let others = match self.other_seeds.runs() {
            0 => String::new(),
            1 => format!("; with another {}", self.other_seeds.words()),
            n => format!("; with {n} others {}", self.other_seeds.words()),
        };
        let (nature, same) = (self.nature.words(), self.same_seed.words());
        format!("{nature}: with this seed {same}{others}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Verdict::{Fail, Invalid, Pass};
    use super::*;

    fn told(first: Verdict, same: &[Verdict], others: &[Verdict]) -> String {
        let steadiness = Steadiness::of(first, same, others).expect("runs");
        steadiness.sentence()
    }

    #[test]
    fn three_kinds_of_failure() {
        assert_eq!(
            told(Fail, &[Fail, Fail], &[Fail, Fail]),
            "broken: with this seed 3 fail; with 2 others 2 fail"
        );
        assert_eq!(
            told(Fail, &[Pass, Fail], &[Fail, Fail]),
            "flaky: with this seed 2 fail, 1 pass; with 2 others 2 fail"
        );
        assert_eq!(
            told(Fail, &[Fail], &[Pass]),
            "depends on the seed: with this seed 2 fail; with another 1 pass"
        );
        assert_eq!(
            told(Invalid, &[Invalid, Fail], &[]),
            "flaky: with this seed 1 fail, 2 invalid"
        );
        assert_eq!(Steadiness::of(Fail, &[], &[]), None);
    }

    proptest! {
        /// The order of runs says nothing, and every run is counted.
        #[test]
        fn order_does_not_matter(
            same in proptest::collection::vec(0..3, 1..6),
            others in proptest::collection::vec(0..3, 0..6),
        ) {
            let verdict = |n: &i32| [Pass, Fail, Invalid][*n as usize];
            let mut same: Vec<Verdict> = same.iter().map(verdict).collect();
            let mut others: Vec<Verdict> = others.iter().map(verdict).collect();
            let one = Steadiness::of(Fail, &same, &others).expect("runs");
            same.reverse();
            others.reverse();
            prop_assert_eq!(Steadiness::of(Fail, &same, &others), Some(one));
            prop_assert_eq!(one.same_seed.runs(), same.len() + 1);
            prop_assert_eq!(one.other_seeds.runs(), others.len());
            let steady = same.iter().all(|v| *v == Fail);
            prop_assert_eq!(one.nature == Nature::Flaky, !steady);
        }
    }
}
