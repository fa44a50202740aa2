//! The shape of a good answer, for models whose text nobody can know: in order,
//! under one id, and never saying again what it said before it faltered.

use ridethrough_targets::clock::Micros;

use super::content::Defect;

/// Characters kept of an answer; what comes later is only counted.
const MAX_TEXT: usize = 262_144;
/// Places that are looked at for a text that says again what it said.
const MAX_SEAMS: usize = 32;
/// A shorter silence is none.
const SILENCE_US: Micros = 250_000;
/// Nor is one that is not so many times the mean one.
const TIMES_THE_MEAN: Micros = 8;
/// Before so many pieces have come, nobody knows how fast it speaks.
const KNOWN_AFTER: u32 = 4;
/// Fewer equal characters are chance.
const OVERLAP: usize = 12;
/// Longest overlap that is looked for.
const MAX_OVERLAP: usize = 4_096;

/// One answer in the making.
#[derive(Debug, Default)]
pub(super) struct Shape {
    text: Vec<char>,
    pieces: u32,
    first_us: Option<Micros>,
    last_us: Micros,
    /// Where it faltered: a silence, another id, another machine, a new head.
    seams: Vec<usize>,
    id: Option<String>,
    from: Option<String>,
    headed: bool,
    finished: bool,
    done: bool,
    /// What is wrong with its order or its id.
    defect: Option<Defect>,
}

/// What a chunk says of itself beside its text.
pub(super) struct Head<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) from: Option<&'a str>,
    /// It begins an answer: it names a role.
    pub(super) role: bool,
    /// It ends one.
    pub(super) finish: bool,
}

impl Shape {
    /// Takes a chunk with its text, which may be empty.
    pub(super) fn chunk(&mut self, head: &Head<'_>, text: &str, now: Micros) {
        if self.done {
            self.wrong("a chunk after [DONE]".into());
        }
        self.identify(head);
        if !text.is_empty() {
            if self.finished {
                self.wrong("text after finish_reason".into());
            }
            if self.faltered(now) {
                self.seam();
            }
            self.pieces = self.pieces.saturating_add(1);
            let room = MAX_TEXT - self.text.len();
            self.text.extend(text.chars().take(room));
            self.first_us.get_or_insert(now);
            self.last_us = now;
        }
        self.finished |= head.finish;
    }

    /// `[DONE]` came.
    pub(super) fn done(&mut self) {
        if self.done {
            self.wrong("[DONE] twice".into());
        }
        self.done = true;
    }

    pub(super) fn pieces(&self) -> u32 {
        self.pieces
    }

    pub(super) fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// Nothing is wrong with its order or its id so far.
    pub(super) fn clean(&self) -> bool {
        self.defect.is_none()
    }

    /// The worst that is wrong with it.
    pub(super) fn defect(&self) -> Option<Defect> {
        let again = || self.seams.iter().find_map(|seam| self.again(*seam));
        self.defect.clone().or_else(again)
    }

    fn identify(&mut self, head: &Head<'_>) {
        if let Some(id) = head.id {
            match &self.id {
                None => self.id = Some(id.to_string()),
                Some(first) if first != id => {
                    self.wrong(format!("its id changed from {first} to {id}"));
                    self.seam();
                }
                Some(_) => {}
            }
        }
        if let Some(from) = head.from {
            if self.from.as_deref().is_some_and(|last| last != from) {
                self.seam();
            }
            self.from = Some(from.to_string());
        }
        if head.role && self.headed && !self.text.is_empty() {
            self.seam();
        }
        self.headed |= head.role;
    }

    /// The silence before a piece that comes now is none that it has had before.
    fn faltered(&self, now: Micros) -> bool {
        let Some(first) = self.first_us else {
            return false;
        };
        let gaps = Micros::from(self.pieces.saturating_sub(1)).max(1);
        let mean = self.last_us.saturating_sub(first) / gaps;
        let silence = now.saturating_sub(self.last_us);
        self.pieces >= KNOWN_AFTER
            && silence >= SILENCE_US
            && silence > mean.saturating_mul(TIMES_THE_MEAN)
    }

    fn seam(&mut self) {
        let at = self.text.len();
        if self.seams.len() < MAX_SEAMS && at > 0 && self.seams.last() != Some(&at) {
            self.seams.push(at);
        }
    }

    fn wrong(&mut self, what: String) {
        self.defect.get_or_insert(Defect::Corrupted(what));
    }

    /// Whether the text after a seam says again what stands before it: from the
    /// very beginning, or its last words. A text that has been going round in
    /// circles all along proves nothing.
    fn again(&self, seam: usize) -> Option<Defect> {
        let (before, after) = self.text.split_at(seam);
        let once = |part: &[char]| before.windows(part.len()).filter(|w| *w == part).count() == 1;
        let most = before.len().min(after.len());
        let head = most.min(2 * OVERLAP);
        if head >= OVERLAP && after[..head] == before[..head] && once(&before[..head]) {
            return Some(Defect::Restarted(count(seam)));
        }
        let lengths = (OVERLAP..=most.min(MAX_OVERLAP)).rev();
        let length = lengths
            .into_iter()
            .find(|n| before.ends_with(&after[..*n]))?;
        let tail = &before[before.len() - length.min(2 * OVERLAP)..];
        once(tail).then(|| Defect::Duplicated(count(seam - length)))
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
