//! What became of a text that left its recording.
//!
//! From there on it is read as runs of the recorded text: each is the longest
//! that begins with what comes next. A run from further on is a gap, one from
//! further back came twice, and what is no run at all is foreign. Where a text
//! says the same thing twice, the first different character may stand later than
//! the fault did; the size of what is missing or came twice is exact all the same.

/// Shorter runs than this prove nothing, except at the very end of the text.
const SHORTEST_RUN: usize = 8;
/// Runs that are looked at.
const MOST_RUNS: usize = 64;

/// The worst that was found; the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Diagnosis {
    /// The characters from `from` up to `to` are missing.
    Gap { from: usize, to: usize },
    /// The characters from `from` on came twice.
    Duplicated { from: usize },
    /// It began again after so many characters.
    Restarted { after: usize },
    /// At `at` of what came after, there is text that was not recorded.
    Foreign { at: usize },
}

impl Diagnosis {
    fn rank(self) -> u8 {
        match self {
            Self::Gap { .. } => 0,
            Self::Duplicated { .. } => 1,
            Self::Restarted { .. } => 2,
            Self::Foreign { .. } => 3,
        }
    }
}

/// Diagnoses a text that was `known` for `reached` characters and then went on
/// with `after`, which is not empty and does not begin as `known` goes on.
pub(super) fn diagnose(known: &[char], reached: usize, after: &[char]) -> Diagnosis {
    let mut worst: Option<Diagnosis> = None;
    let (mut due, mut at) = (reached, 0);
    for _ in 0..MOST_RUNS {
        if at >= after.len() {
            break;
        }
        let rest = &after[at..];
        let found = match longest(known, rest, due) {
            Some((from, length)) if proves(known, rest, from, length) => {
                at += length;
                let found = jump(known, due, from);
                due = from + length;
                found
            }
            _ => Diagnosis::Foreign { at },
        };
        if worst.is_none_or(|worst| worst.rank() < found.rank()) {
            worst = Some(found);
        }
        if matches!(found, Diagnosis::Foreign { .. }) {
            break;
        }
    }
    worst.unwrap_or(Diagnosis::Foreign { at: 0 })
}

/// The longest run of `known` that `rest` begins with: where, and how long. Of
/// equal ones the nearest to where the text should be.
fn longest(known: &[char], rest: &[char], due: usize) -> Option<(usize, usize)> {
    let run = |from: usize| {
        let both = known[from..].iter().zip(rest);
        both.take_while(|(a, b)| a == b).count()
    };
    (0..known.len())
        .map(|from| (from, run(from)))
        .filter(|(_, length)| *length > 0)
        .max_by_key(|(from, length)| (*length, std::cmp::Reverse(from.abs_diff(due))))
}

fn proves(known: &[char], rest: &[char], from: usize, length: usize) -> bool {
    let ends_both = length == rest.len() && from + length == known.len();
    length >= SHORTEST_RUN || ends_both
}

/// The text should be at `due` and is at `from`.
fn jump(known: &[char], due: usize, from: usize) -> Diagnosis {
    if from >= due {
        return Diagnosis::Gap {
            from: due,
            to: from,
        };
    }
    let back = due - from;
    // The first characters after a restart may happen to be those that were due.
    if known[..from] == known[back..due] {
        Diagnosis::Restarted { after: back }
    } else {
        Diagnosis::Duplicated { from }
    }
}
