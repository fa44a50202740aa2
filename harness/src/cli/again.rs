//! `run --again N`: a playbook that did not pass is run again, to tell a stack
//! that is broken from one that is flaky.

use std::path::Path;

use crate::judge::{Steadiness, Verdict};

/// One more run: its seed, and the name of its folder in `again/` of the first.
pub(super) struct Repetition {
    pub(super) seed: u64,
    pub(super) folder: String,
}

/// What to run again: `times` with the seed of the first, `times` with those
/// after it.
pub(super) fn repetitions(seed: u64, times: u32) -> Vec<Repetition> {
    let same = (1..=times).map(|n| Repetition {
        seed,
        folder: format!("same-{n}"),
    });
    let others = (1..=times).map(|n| {
        let seed = seed.wrapping_add(u64::from(n));
        let folder = format!("seed-{seed}");
        Repetition { seed, folder }
    });
    same.chain(others).collect()
}

/// Verdicts of repetitions, put together.
#[derive(Default)]
pub(super) struct Repeated {
    same: Vec<Verdict>,
    others: Vec<Verdict>,
}

impl Repeated {
    /// Takes one and says how it went.
    pub(super) fn take(&mut self, first_seed: u64, seed: u64, verdict: Verdict, folder: &Path) {
        eprintln!("again with seed {seed}: {verdict}  {}", folder.display());
        let place = match seed == first_seed {
            true => &mut self.same,
            false => &mut self.others,
        };
        place.push(verdict);
    }

    /// What they say of the first run.
    pub(super) fn steadiness(&self, first: Verdict) -> Option<Steadiness> {
        Steadiness::of(first, &self.same, &self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::repetitions;

    #[test]
    fn as_many_with_the_same_seed_as_with_others() {
        let seeds: Vec<u64> = repetitions(u64::MAX, 2).iter().map(|r| r.seed).collect();
        assert_eq!(seeds, [u64::MAX, u64::MAX, 0, 1]);
        let mut folders: Vec<String> = repetitions(7, 3).into_iter().map(|r| r.folder).collect();
        folders.dedup();
        assert_eq!(folders.len(), 6);
    }
}
