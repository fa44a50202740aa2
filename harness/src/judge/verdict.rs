//! Verdicts, how they add up, and what a script sees of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The exit code of a run that was interrupted, after healing.
pub const INTERRUPTED: u8 = 130;

/// What a run, or one assertion of it, came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The promise held.
    Pass,
    /// It did not.
    Fail,
    /// The experiment itself did not hold, so nothing is known.
    Invalid,
}

impl Verdict {
    /// The exit code that stands for it.
    pub fn exit(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Invalid => 3,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Invalid => "invalid",
        })
    }
}

/// The verdict over several playbooks: fail wins over invalid over pass. None
/// at all is invalid, because nothing was tried.
pub fn combine(verdicts: &[Verdict]) -> Verdict {
    if verdicts.contains(&Verdict::Fail) {
        Verdict::Fail
    } else if verdicts.is_empty() || verdicts.contains(&Verdict::Invalid) {
        Verdict::Invalid
    } else {
        Verdict::Pass
    }
}
