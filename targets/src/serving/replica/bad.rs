//! Streams that break on purpose, each as a real stack was seen to break.

use std::time::Duration;

use crate::serving::config::{KnownBad, ReplicaConfig};

/// How long [`KnownBad::Stall`] is silent.
pub(super) const STALL: Duration = Duration::from_secs(4);

/// What a stream does before its `k`-th token (of this stream, not of the
/// answer).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// The token, as it should be.
    Token,
    /// Ends the HTTP body properly.
    End,
    /// Breaks the connection off.
    Abort,
    /// An error in the stream, then `[DONE]`.
    ErrorThenDone,
    /// An error in the stream, then the end.
    Error,
    /// `event: error`, then the end.
    EventError,
    /// `[DONE]`.
    Done,
    /// Finish reason, counts and `[DONE]`.
    Finish,
    /// The token before once more, then this one.
    Twice,
    /// Nothing for this token.
    Skip,
    /// All tokens up to here again, then this one.
    Again,
    /// Silence, then the token.
    Stall,
    /// The token's document in two events.
    Split,
    /// A token of another request.
    Foreign,
}

/// What the configured fault makes of token `k`.
pub(super) fn act(config: &ReplicaConfig, k: u32) -> Act {
    let after = config.known_bad_after;
    let Some(bad) = config.known_bad else {
        return Act::Token;
    };
    match bad {
        KnownBad::CrossTalk if k >= after => Act::Foreign,
        KnownBad::DoneOnly => Act::Done,
        KnownBad::ErrorOnly => Act::Error,
        KnownBad::Rst | KnownBad::EofRaw if k == after => Act::Abort,
        KnownBad::EofClean if k == after => Act::End,
        KnownBad::ErrorThenDone if k == after => Act::ErrorThenDone,
        KnownBad::EventError if k == after => Act::EventError,
        KnownBad::DoneEarly if k == after => Act::Done,
        KnownBad::ShortLength if k == after => Act::Finish,
        KnownBad::DuplicateToken if k == after => Act::Twice,
        KnownBad::MissingToken if k == after => Act::Skip,
        KnownBad::Restart if k == after => Act::Again,
        KnownBad::Stall if k == after => Act::Stall,
        KnownBad::SplitJson if k == after => Act::Split,
        _ => Act::Token,
    }
}
