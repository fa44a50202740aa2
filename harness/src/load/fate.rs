//! What finally became of a request.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What finally became of a request. Decided in the order transport, HTTP,
/// in-band error, protocol, content, slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Whole, from one replica.
    Completed,
    /// Whole, and more than one replica made it.
    Resumed,
    /// Whole, after the client tried again.
    Retried,
    /// Turned away before the first byte, with 429 or 503 and `Retry-After`.
    Shed,
    /// It broke off, whatever the stack said about it.
    Truncated,
    /// A token is missing in the middle.
    Gap,
    /// A token came twice.
    Duplicated,
    /// It began again from the first token.
    Restarted,
    /// Tokens that are not this request's, or in the wrong order.
    Corrupted,
    /// The connection was refused.
    Refused,
    /// The connection was reset.
    Reset,
    /// No route to the host.
    Unreachable,
    /// The client gave up waiting: connect, idle or total timeout.
    TimedOut,
    /// Still open when the run ended.
    Hung,
    /// None of these; the detail says what was seen.
    Unknown,
}

/// Fates as an assertion counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Answered in full.
    Whole,
    /// Turned away in good order.
    Shed,
    /// Answered in part.
    Torn,
    /// Not answered at all.
    Lost,
    /// Answered wrongly.
    Corrupted,
}

impl Fate {
    /// How an assertion counts it; `tokens` is how many content tokens came.
    pub fn group(self, tokens: u32) -> Group {
        match self {
            Self::Completed | Self::Resumed | Self::Retried => Group::Whole,
            Self::Shed => Group::Shed,
            Self::Gap | Self::Duplicated | Self::Restarted | Self::Corrupted => Group::Corrupted,
            Self::Truncated
            | Self::Refused
            | Self::Reset
            | Self::Unreachable
            | Self::TimedOut
            | Self::Hung
            | Self::Unknown => {
                if tokens > 0 {
                    Group::Torn
                } else {
                    Group::Lost
                }
            }
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "completed",
            Self::Resumed => "resumed",
            Self::Retried => "retried",
            Self::Shed => "shed",
            Self::Truncated => "truncated",
            Self::Gap => "gap",
            Self::Duplicated => "duplicated",
            Self::Restarted => "restarted",
            Self::Corrupted => "corrupted",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Hung => "hung",
            Self::Unknown => "unknown",
        })
    }
}
