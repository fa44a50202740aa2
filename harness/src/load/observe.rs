//! Everything that a fate is decided from.

use super::content::Defect;
use super::expected::Basis;
use super::row::Termination;

/// What a client saw of one request, without any opinion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observations {
    /// Tokens asked for.
    pub asked: u32,
    /// A stream was asked for.
    pub stream: bool,
    /// Attempts made.
    pub attempts: u32,
    /// How the last connection ended.
    pub termination: Termination,
    /// What the transport said where it did not end well.
    pub transport: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// The response carried `Retry-After`.
    pub retry_after: bool,
    /// An error in the answer itself.
    pub error: Option<String>,
    /// What could not be read: broken JSON, an endless line, an event cut off.
    pub broken: Option<String>,
    /// `[DONE]` was seen.
    pub done: bool,
    /// `finish_reason`.
    pub finish: Option<String>,
    /// `usage.completion_tokens`.
    pub usage: Option<u32>,
    /// Content tokens received; where tokens are not known, pieces of text.
    pub tokens: u32,
    /// The worst thing about the content.
    pub defect: Option<Defect>,
    /// By what the content was judged.
    pub basis: Basis,
    /// Text after the last whole token.
    pub rest: Option<String>,
    /// Changes of `system_fingerprint` plus one; 0 where none was sent.
    pub replicas: usize,
}

impl Observations {
    /// Nothing seen yet of a request for `asked` tokens.
    pub fn new(asked: u32, stream: bool) -> Self {
        Self {
            asked,
            stream,
            attempts: 1,
            termination: Termination::Clean,
            transport: String::new(),
            status: None,
            retry_after: false,
            error: None,
            broken: None,
            done: false,
            finish: None,
            usage: None,
            tokens: 0,
            defect: None,
            basis: Basis::Tokens,
            rest: None,
            replicas: 0,
        }
    }
}
