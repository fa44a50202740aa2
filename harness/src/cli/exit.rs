//! Exit codes, and how those of several runs become one.

use std::process::ExitCode;

/// How a command ended. Scripts rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// All promises held.
    Passed,
    /// A promise was broken.
    Failed,
    /// Usage or a bad playbook; nothing was started.
    Usage,
    /// The experiment itself did not hold.
    Invalid,
    /// The world could not be built.
    World,
    /// Interrupted, after healing.
    Interrupted,
}

impl Exit {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::World => 4,
            Self::Interrupted => 130,
        }
    }

    /// From a judgement's own code.
    pub(super) fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Passed,
            1 => Self::Failed,
            2 => Self::Usage,
            4 => Self::World,
            130 => Self::Interrupted,
            _ => Self::Invalid,
        }
    }

    /// Of several: interrupted, then a world that failed, then fail over
    /// invalid over pass.
    pub(super) fn worst(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Passed => 0,
            Self::Invalid => 1,
            Self::Failed => 2,
            Self::World => 3,
            Self::Usage => 4,
            Self::Interrupted => 5,
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn a_failure_is_never_hidden_by_an_invalid_run() {
        assert_eq!(Exit::Invalid.worst(Exit::Failed), Exit::Failed);
        assert_eq!(Exit::Failed.worst(Exit::Invalid), Exit::Failed);
        assert_eq!(Exit::Passed.worst(Exit::Invalid), Exit::Invalid);
        assert_eq!(Exit::Interrupted.worst(Exit::Failed), Exit::Interrupted);
    }

    #[test]
    fn codes_go_both_ways() {
        for code in [0, 1, 2, 3, 4, 130] {
            assert_eq!(Exit::from_code(code).code(), code);
        }
    }
}
