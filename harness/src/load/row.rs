//! One row of the ledger: everything the client saw of one request.

use serde::{Deserialize, Serialize};

use ridethrough_targets::clock::Micros;

use super::fate::{Fate, Group};
use super::times::TokenTimes;

/// How the last connection of a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Termination {
    /// HTTP ended as it should.
    Clean,
    /// Closed before any response.
    EofBeforeHeaders,
    /// Closed inside the body.
    EofInBody,
    /// Reset.
    Reset,
    /// Refused.
    Refused,
    /// No route.
    Unreachable,
    /// Keepalive or user timeout of the client's own socket.
    TcpTimeout,
    /// The client gave up.
    ClientTimeout,
    /// The run ended.
    RunEnded,
    /// Not understood as HTTP.
    Garbage,
}

/// One request, as its client saw it. Times are the run's microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Unique in the run: `chat-17`. Sent as `x-request-id`.
    pub id: String,
    /// The load it belongs to.
    pub load: String,
    /// Its class.
    pub class: String,
    /// Prompt length in tokens.
    pub prompt_tokens: u32,
    /// Tokens asked for.
    pub output_tokens: u32,
    /// When it was meant to be sent; latencies count from here.
    pub scheduled_us: Micros,
    /// When the (first) attempt really began.
    pub sent_us: Micros,
    /// When the last attempt was connected.
    pub connected_us: Option<Micros>,
    /// When its response headers came.
    pub headers_us: Option<Micros>,
    /// When each content token came.
    pub token_us: TokenTimes,
    /// When it was over.
    pub end_us: Micros,
    /// When the client first met an error, if it did.
    pub first_error_us: Option<Micros>,
    /// Attempts made by the client.
    pub attempts: u32,
    /// HTTP status.
    pub status: Option<u16>,
    /// Replicas that made its tokens, in order, by `system_fingerprint`; a
    /// change is a resume. Each with the index of its first token.
    pub served_by: Vec<(String, u32)>,
    /// Content tokens received.
    pub tokens: u32,
    /// `finish_reason`.
    pub finish: Option<String>,
    /// `[DONE]` was seen.
    pub done: bool,
    /// How the connection ended.
    pub termination: Termination,
    /// Its fate.
    pub fate: Fate,
    /// What was seen, in words, where the fate is not a good one.
    pub detail: String,
}

impl LedgerRow {
    /// How an assertion counts it.
    pub fn group(&self) -> Group {
        self.fate.group(self.tokens)
    }

    /// When the first content token came.
    pub fn first_token_us(&self) -> Option<Micros> {
        self.token_us.first()
    }

    /// When the last content token came.
    pub fn last_token_us(&self) -> Option<Micros> {
        self.token_us.last()
    }

    /// The longest silence a reader saw once the answer had begun, in
    /// microseconds: between tokens, and from the last token to the end where
    /// the answer is not whole.
    pub fn silence_max_us(&self) -> Option<Micros> {
        let last = self.last_token_us()?;
        let gaps = self.token_us.gaps().max().unwrap_or(0);
        let tail = if self.group() == Group::Whole {
            0
        } else {
            self.end_us.saturating_sub(last)
        };
        Some(gaps.max(tail))
    }
}
