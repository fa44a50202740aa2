//! Holds the words of an answer against the oracle.

use super::oracle::Oracle;
use super::tokenise::Word;

/// What was wrong with the content of an answer, worst first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// Text or a token that is not this request's, or out of order.
    Corrupted(String),
    /// The answer began again at token 0 after this many tokens.
    Restarted(u32),
    /// This token came twice.
    Duplicated(u32),
    /// These tokens (first, and first not) are missing.
    Gap(u32, u32),
}

/// Checks the tokens of one answer, in the order in which they come.
#[derive(Debug)]
pub struct Checker {
    oracle: Oracle,
    asked: u32,
    /// The token that must come next.
    next: u32,
    /// Which tokens have come, one bit each; never more than were asked for.
    seen: Vec<u64>,
    tokens: u32,
    defect: Option<Defect>,
}

impl Checker {
    /// A checker for an answer of `asked` tokens.
    pub fn new(oracle: Oracle, asked: u32) -> Self {
        Self {
            oracle,
            asked,
            next: 0,
            seen: Vec::new(),
            tokens: 0,
            defect: None,
        }
    }

    /// Takes a word; true if it was a token.
    pub fn take(&mut self, word: &Word) -> bool {
        match word {
            Word::Foreign(text) => {
                self.note(Defect::Corrupted(format!("text {text:?} is no token")));
                false
            }
            Word::Token { n, hash } => {
                self.tokens = self.tokens.saturating_add(1);
                self.take_token(*n, *hash);
                true
            }
        }
    }

    fn take_token(&mut self, n: u32, hash: [u8; 4]) {
        if self.oracle.hash(n) != hash {
            return self.note(Defect::Corrupted(format!(
                "token {n}:{} is another request's",
                String::from_utf8_lossy(&hash)
            )));
        }
        if n >= self.asked {
            return self.note(Defect::Corrupted(format!(
                "token {n} came though {} were asked for",
                self.asked
            )));
        }
        let again = self.mark(n);
        if again {
            self.note(if n == 0 && self.next > 1 {
                Defect::Restarted(self.next)
            } else {
                Defect::Duplicated(n)
            });
        } else if n < self.next {
            self.note(Defect::Corrupted(format!("token {n} came out of order")));
        } else if n > self.next {
            self.note(Defect::Gap(self.next, n));
        }
        self.next = n + 1;
    }

    /// Marks a token as seen; true if it was already.
    fn mark(&mut self, n: u32) -> bool {
        let (slot, bit) = (n as usize / 64, 1u64 << (n % 64));
        if self.seen.len() <= slot {
            self.seen.resize(slot + 1, 0);
        }
        let again = self.seen[slot] & bit != 0;
        self.seen[slot] |= bit;
        again
    }

    /// Keeps the worst kind of defect, and of one kind the first.
    fn note(&mut self, defect: Defect) {
        let rank = |d: &Defect| match d {
            Defect::Corrupted(_) => 0,
            Defect::Restarted(_) => 1,
            Defect::Duplicated(_) => 2,
            Defect::Gap(..) => 3,
        };
        if self
            .defect
            .as_ref()
            .is_none_or(|held| rank(&defect) < rank(held))
        {
            self.defect = Some(defect);
        }
    }

    /// The worst that was seen.
    pub fn defect(&self) -> Option<&Defect> {
        self.defect.as_ref()
    }

    /// Tokens that came, all counted.
    pub fn tokens(&self) -> u32 {
        self.tokens
    }
}

#[cfg(test)]
mod tests;
