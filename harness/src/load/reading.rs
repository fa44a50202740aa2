//! Reads the text of an answer by what is known of it.

use ridethrough_targets::clock::Micros;

use super::content::{Checker, Defect};
use super::expected::{Basis, Expected};
use super::recorded::RecordedText;
use super::shape::{Head, Shape};
use super::tokenise::Tokeniser;

/// One answer's text in the making.
#[derive(Debug)]
pub(super) enum Reading {
    /// Cut into tokens, each of which is known.
    Tokens {
        tokeniser: Tokeniser,
        checker: Checker,
    },
    /// Held against a recorded text.
    Recorded(RecordedText),
    /// Held against the shape of good answers.
    Shape(Shape),
}

/// What a text came to.
pub(super) struct Settled {
    pub(super) tokens: u32,
    pub(super) defect: Option<Defect>,
    pub(super) rest: Option<String>,
    pub(super) basis: Basis,
    /// The text, where nobody knew it.
    pub(super) text: Option<String>,
}

impl Reading {
    /// An answer of `asked` tokens.
    pub(super) fn new(expected: Expected, asked: u32) -> Self {
        match expected {
            Expected::Reference(oracle) => Self::Tokens {
                tokeniser: Tokeniser::new(),
                checker: Checker::new(oracle, asked),
            },
            Expected::Recorded(library, n) => Self::Recorded(RecordedText::new(library, n)),
            Expected::Structure => Self::Shape(Shape::default()),
        }
    }

    /// Takes a chunk with its text, which may be empty; `found` hears of every
    /// token that it completes. Where tokens are not known, a piece counts as one.
    pub(super) fn chunk(
        &mut self,
        head: &Head<'_>,
        text: &str,
        now: Micros,
        mut found: impl FnMut(),
    ) {
        match self {
            Self::Tokens { tokeniser, checker } => tokeniser.feed(text, |word| {
                if checker.take(&word) {
                    found();
                }
            }),
            Self::Recorded(recorded) if !text.is_empty() => {
                recorded.feed(text);
                found();
            }
            Self::Recorded(_) => {}
            Self::Shape(shape) => {
                shape.chunk(head, text, now);
                if !text.is_empty() {
                    found();
                }
            }
        }
    }

    /// `[DONE]` came.
    pub(super) fn done(&mut self) {
        if let Self::Shape(shape) = self {
            shape.done();
        }
    }

    /// Tokens so far.
    pub(super) fn tokens(&self) -> u32 {
        match self {
            Self::Tokens { checker, .. } => checker.tokens(),
            Self::Recorded(recorded) => recorded.pieces(),
            Self::Shape(shape) => shape.pieces(),
        }
    }

    /// Nothing is wrong so far.
    pub(super) fn clean(&self) -> bool {
        match self {
            Self::Tokens { checker, .. } => checker.defect().is_none(),
            Self::Recorded(recorded) => recorded.clean(),
            Self::Shape(shape) => shape.clean(),
        }
    }

    /// The answer is over.
    pub(super) fn settle(self) -> Settled {
        let tokens = self.tokens();
        match self {
            Self::Tokens { tokeniser, checker } => Settled {
                tokens,
                defect: checker.defect().cloned(),
                rest: tokeniser.rest(),
                basis: Basis::Tokens,
                text: None,
            },
            Self::Recorded(recorded) => Settled {
                tokens,
                defect: recorded.defect(),
                rest: None,
                basis: recorded.basis(),
                text: None,
            },
            Self::Shape(shape) => Settled {
                tokens,
                defect: shape.defect(),
                rest: None,
                basis: Basis::Structure,
                text: Some(shape.text()),
            },
        }
    }
}
