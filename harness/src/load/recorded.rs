//! Holds the text of an answer against the one that was recorded, however its
//! pieces were cut.

mod diagnose;

use std::sync::Arc;

use super::content::Defect;
use super::expected::Basis;
use super::rehearsal::RecordedAnswer;
use diagnose::{Diagnosis, diagnose};

/// Characters kept from where a text left its recording, at most: enough to
/// name what is wrong with it.
const MAX_AFTER: usize = 65_536;
/// Characters that show whose a foreign text is.
const TELLING: usize = 12;

/// Every recorded answer of a load.
#[derive(Debug)]
pub struct Library {
    answers: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    text: Vec<char>,
    finish: Option<String>,
    usage: Option<u32>,
}

impl Library {
    /// The answers by prompt.
    pub fn new(answers: &[RecordedAnswer]) -> Self {
        let known = |answer: &RecordedAnswer| Known {
            text: answer.text.chars().collect(),
            finish: answer.finish.clone(),
            usage: answer.usage,
        };
        Self {
            answers: answers.iter().map(known).collect(),
        }
    }

    fn text(&self, prompt: usize) -> &[char] {
        self.answers.get(prompt).map_or(&[], |known| &known.text)
    }

    /// The prompt, other than this one, to whose answer a text belongs.
    fn owner(&self, text: &[char], not: usize) -> Option<usize> {
        let telling = text.get(..TELLING)?;
        let has = |known: &Known| known.text.windows(TELLING).any(|w| w == telling);
        let others = self.answers.iter().enumerate();
        others
            .filter(|(n, _)| *n != not)
            .find(|(_, known)| has(known))
            .map(|(n, _)| n)
    }
}

/// One answer in the making.
#[derive(Debug)]
pub(super) struct RecordedText {
    library: Arc<Library>,
    prompt: usize,
    /// Characters that were as recorded, from the first on.
    reached: usize,
    /// What came from the first other character on.
    after: Vec<char>,
    pieces: u32,
}

impl RecordedText {
    pub(super) fn new(library: Arc<Library>, prompt: usize) -> Self {
        Self {
            library,
            prompt,
            reached: 0,
            after: Vec::new(),
            pieces: 0,
        }
    }

    /// Takes a piece of the answer, which is not empty.
    pub(super) fn feed(&mut self, piece: &str) {
        self.pieces = self.pieces.saturating_add(1);
        let text = self.library.text(self.prompt);
        for c in piece.chars() {
            if self.after.is_empty() && text.get(self.reached) == Some(&c) {
                self.reached += 1;
            } else if self.after.len() < MAX_AFTER {
                self.after.push(c);
            }
        }
    }

    /// So far it is as recorded.
    pub(super) fn clean(&self) -> bool {
        self.after.is_empty()
    }

    pub(super) fn pieces(&self) -> u32 {
        self.pieces
    }

    pub(super) fn basis(&self) -> Basis {
        let known = self.library.answers.get(self.prompt);
        Basis::Recorded {
            reached: count(self.reached),
            length: count(self.library.text(self.prompt).len()),
            finish: known.and_then(|known| known.finish.clone()),
            usage: known.and_then(|known| known.usage),
        }
    }

    /// The worst that is wrong with it.
    pub(super) fn defect(&self) -> Option<Defect> {
        if self.after.is_empty() {
            return None;
        }
        let text = self.library.text(self.prompt);
        Some(match diagnose(text, self.reached, &self.after) {
            Diagnosis::Restarted { after } => Defect::Restarted(count(after)),
            Diagnosis::Duplicated { from } => Defect::Duplicated(count(from)),
            Diagnosis::Gap { from, to } => Defect::Gap(count(from), count(to)),
            Diagnosis::Foreign { at } => Defect::Corrupted(self.foreign(at)),
        })
    }

    /// In words, what stands at `at` of the text that left its recording.
    fn foreign(&self, at: usize) -> String {
        let foreign = &self.after[at..];
        let whose = match self.library.owner(foreign, self.prompt) {
            Some(other) => format!("is of the answer to prompt {other}"),
            None => "was never recorded".to_string(),
        };
        let shown: String = foreign.iter().take(24).collect();
        format!(
            "text {shown:?} after character {} {whose}",
            self.reached + at
        )
    }
}

/// Positions are characters, of which no answer has more.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
