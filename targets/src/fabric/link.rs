//! One direction between two ports: what its rules decide for each frame.

use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::world::RuleId;

use super::frame::Frame;
use super::rules::Acting;
use super::tally::Tally;

mod spread;
mod step;

use step::{Mark, Step};

/// Nanoseconds of the monotonic clock.
pub(crate) type Nanos = u64;

/// Whether a frame leaves, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is lost.
    Drop,
    /// It leaves now.
    Now,
    /// It leaves at this time.
    At(Nanos),
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Whether it leaves, and when.
    pub(crate) verdict: Verdict,
    /// How many copies of it leave right behind it.
    pub(crate) copies: u32,
    /// A bit of its IP payload flips: this number, modulo how many there are.
    pub(crate) flip: Option<u64>,
    /// A reset leaves in its place, and its sender gets one now.
    pub(crate) reset: bool,
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        Self {
            verdict,
            copies: 0,
            flip: None,
            reset: false,
        }
    }
}

/// One rule at work on one direction, with its state.
#[derive(Debug)]
struct Rule {
    id: RuleId,
    port: Option<u16>,
    tally: Arc<Tally>,
    step: Step,
}

impl Rule {
    fn new(acting: &Acting, random: ChaCha8Rng) -> Self {
        Self {
            id: acting.id,
            port: acting.port,
            tally: Arc::clone(&acting.tally),
            step: Step::new(&acting.impairment, acting.since, random),
        }
    }

    fn meets(&self, frame: &Frame) -> bool {
        self.port.is_none_or(|port| frame.has_port(port))
    }
}

/// One direction between two ports. All its rules compose: a drop wins, losses
/// are independent, rates queue one after another, delays add; what is held back
/// to be overtaken is so after all that.
#[derive(Debug)]
pub(crate) struct Link {
    rules: Vec<Rule>,
    /// When the last frame leaves; a later frame never leaves earlier, but for
    /// one that was held back to be overtaken.
    last_due: Nanos,
    /// Frames held back now.
    pub(crate) held_frames: u32,
    /// Bytes held back now.
    pub(crate) held_bytes: usize,
}

impl Link {
    pub(crate) fn new() -> Self {
        Self {
            rules: Vec::new(),
            last_due: 0,
            held_frames: 0,
            held_bytes: 0,
        }
    }

    /// Takes over a new list of rules; rules that stay keep their state.
    /// `stream` tells this direction from the others of the same seed.
    pub(crate) fn update(&mut self, seed: u64, stream: u32, rules: &[Acting]) {
        let mut old = std::mem::take(&mut self.rules);
        for acting in rules {
            let rule = match old.iter().position(|rule| rule.id == acting.id) {
                Some(at) => old.swap_remove(at),
                None => Rule::new(acting, random(seed, acting.id, stream)),
            };
            self.rules.push(rule);
        }
    }

    /// Whether every frame of this direction is dropped, those under way too. A
    /// rule for one port cuts nothing: what is under way on that port arrives.
    pub(crate) fn is_cut(&self, now: Nanos) -> bool {
        let all = self.rules.iter().filter(|rule| rule.port.is_none());
        all.into_iter().any(|rule| rule.step.cuts(now))
    }

    /// Decides on one frame that arrives at `now`.
    ///
    /// A large segment that arrives although a rule for single packets is
    /// installed (it was on its way when segmentation was switched off) stands
    /// for its packets as a whole: it is lost with the probability of one
    /// packet, which keeps the expected share.
    pub(crate) fn decide(&mut self, now: Nanos, frame: &Frame) -> Decision {
        if !self.passes(now, frame) {
            return Verdict::Drop.into();
        }
        let mut decision = Decision::from(Verdict::Now);
        let late_ns = self.mark(frame, &mut decision);
        match self.due(now, frame) {
            Some(due) => decision.verdict = self.queue(now, due, late_ns),
            None => return Verdict::Drop.into(),
        }
        decision
    }

    /// Whether no rule swallows the frame.
    fn passes(&mut self, now: Nanos, frame: &Frame) -> bool {
        for rule in &mut self.rules {
            if rule.meets(frame)
                && let Some(lost) = rule.step.loses(now, frame)
            {
                rule.tally.note(frame, lost);
                if lost {
                    return false;
                }
            }
        }
        true
    }

    /// What is done to the frame itself; returns by how much it is held back to
    /// be overtaken.
    fn mark(&mut self, frame: &Frame, decision: &mut Decision) -> Nanos {
        let mut late_ns = 0_u64;
        for rule in &mut self.rules {
            if !rule.meets(frame) {
                continue;
            }
            let Some(mark) = rule.step.marks(frame) else {
                continue;
            };
            rule.tally.note(frame, mark.is_some());
            match mark {
                Some(Mark::Copy) => decision.copies += 1,
                Some(Mark::Flip(bit)) => decision.flip = Some(bit),
                Some(Mark::Late(by)) => late_ns = late_ns.saturating_add(by),
                Some(Mark::Reset) => decision.reset = true,
                None => {}
            }
        }
        if decision.reset {
            (decision.copies, decision.flip) = (0, None);
        }
        late_ns
    }

    /// When the frame has passed all lines and delays; nothing where a queue is
    /// full.
    fn due(&mut self, now: Nanos, frame: &Frame) -> Option<Nanos> {
        let mut due = now;
        for rule in &mut self.rules {
            if rule.meets(frame)
                && let Some(left) = rule.step.sends(due, frame)
            {
                rule.tally.note(frame, true);
                due = left.done()?;
            }
        }
        for rule in &mut self.rules {
            if rule.meets(frame)
                && let Some(delay_ns) = rule.step.delays()
            {
                rule.tally.note(frame, delay_ns > 0);
                due = due.saturating_add(delay_ns);
            }
        }
        Some(due)
    }

    /// Finds the frame's place behind those before it.
    fn queue(&mut self, now: Nanos, due: Nanos, late_ns: Nanos) -> Verdict {
        let due = due.max(self.last_due);
        if late_ns > 0 {
            return Verdict::At(due.saturating_add(late_ns));
        }
        if due <= now && self.held_frames == 0 {
            return Verdict::Now;
        }
        self.last_due = due;
        Verdict::At(due)
    }
}

/// The generator of one rule on one direction: its decisions do not depend on
/// the traffic of other directions.
fn random(seed: u64, id: RuleId, stream: u32) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((id.0 << 32) | u64::from(stream));
    random
}

#[cfg(test)]
mod statistics;
#[cfg(test)]
mod tests;
