//! How a healthy stream of the target ends, learned from its first whole ones.

use serde::{Deserialize, Serialize};

use super::expected::Basis;
use super::observe::Observations;
use super::row::Termination;

/// Whole streams that a dialect is learned from.
pub const LEARN_FROM: u32 = 8;

/// What every whole stream of a target has. `None` is not known yet and asked
/// of nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// `data: [DONE]` at the end.
    pub done: Option<bool>,
    /// A `finish_reason`.
    pub finish: Option<bool>,
    /// A usage count.
    pub usage: Option<bool>,
    /// A usage count that equals the tokens, or the pieces of text, that came.
    #[serde(default)]
    pub counts: Option<bool>,
}

impl Dialect {
    /// The dialect of the standard: all of it.
    pub const OPENAI: Self = Self {
        done: Some(true),
        finish: Some(true),
        usage: Some(true),
        counts: Some(true),
    };
}

/// Learns a dialect and then holds it fast.
#[derive(Clone, Debug)]
pub struct Learner {
    pinned: Option<Dialect>,
    from: u32,
    streams: u32,
    done: u32,
    finish: u32,
    usage: u32,
    counts: u32,
    /// Counts were of tokens that are known, and not of pieces of text.
    exact: bool,
}

impl Learner {
    /// Learns from the first `from` whole streams, or knows already.
    pub fn new(pinned: Option<Dialect>, from: u32) -> Self {
        Self {
            pinned,
            from: from.max(1),
            streams: 0,
            done: 0,
            finish: 0,
            usage: 0,
            counts: 0,
            exact: false,
        }
    }

    /// The dialect as far as it is known.
    pub fn dialect(&self) -> Dialect {
        self.pinned.unwrap_or_default()
    }

    /// The dialect, once it is held fast.
    pub fn pinned(&self) -> Option<Dialect> {
        self.pinned
    }

    /// The streams learned from did not all end alike: what some had and others
    /// had not is asked of nobody, and the target's word is worth less.
    pub fn mixed(&self) -> bool {
        let mixed = |count: u32| count != 0 && count != self.streams;
        // How a text is cut into pieces may change from stream to stream.
        [self.done, self.finish, self.usage].into_iter().any(mixed)
            || (self.exact && mixed(self.counts))
    }

    /// Looks at an answer; only streams whose content is whole teach anything.
    pub fn learn(&mut self, seen: &Observations) {
        if self.pinned.is_some() || !teaches(seen) {
            return;
        }
        self.streams += 1;
        self.done += u32::from(seen.done);
        self.finish += u32::from(seen.finish.is_some());
        self.usage += u32::from(seen.usage.is_some());
        self.counts += u32::from(seen.usage == Some(seen.tokens));
        self.exact |= seen.basis == Basis::Tokens;
        if self.streams >= self.from {
            self.pinned = Some(Dialect {
                done: Some(self.done == self.streams),
                finish: Some(self.finish == self.streams),
                usage: Some(self.usage == self.streams),
                counts: Some(self.counts == self.streams),
            });
        }
    }
}

fn teaches(seen: &Observations) -> bool {
    seen.stream
        && seen.termination == Termination::Clean
        && seen.status == Some(200)
        && seen.error.is_none()
        && seen.broken.is_none()
        && seen.defect.is_none()
        && match &seen.basis {
            Basis::Tokens => seen.tokens == seen.asked,
            Basis::Recorded {
                reached, length, ..
            } => reached == length,
            Basis::Structure => seen.tokens > 0,
        }
}

#[cfg(test)]
mod tests;
