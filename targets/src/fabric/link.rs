//! One direction between two ports: what its rules decide for each frame.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::world::{Impairment, RuleId};

use super::frame::Frame;

/// Nanoseconds of the monotonic clock.
pub(crate) type Nanos = u64;

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is lost.
    Drop,
    /// It leaves now.
    Now,
    /// It leaves at this time.
    At(Nanos),
}

/// One rule at work on one direction, with its state.
#[derive(Debug)]
enum Step {
    Drop,
    Delay {
        delay_ns: u64,
        jitter_ns: u64,
        random: ChaCha8Rng,
    },
    Loss {
        probability: f64,
        random: ChaCha8Rng,
    },
    Rate {
        ns_per_byte: f64,
        queue_ns: u64,
        /// When the last byte accepted so far will have left.
        busy_until: Nanos,
    },
}

/// One direction between two ports. All its rules compose: a drop wins, losses
/// are independent, rates queue one after another, delays add.
#[derive(Debug)]
pub(crate) struct Link {
    steps: Vec<(RuleId, Step)>,
    /// When the last frame leaves; a later frame never leaves earlier.
    last_due: Nanos,
    /// Frames held back now.
    pub(crate) held_frames: u32,
    /// Bytes held back now.
    pub(crate) held_bytes: usize,
}

impl Link {
    pub(crate) fn new() -> Self {
        Self {
            steps: Vec::new(),
            last_due: 0,
            held_frames: 0,
            held_bytes: 0,
        }
    }

    /// Takes over a new list of rules; rules that stay keep their state.
    /// `stream` tells this direction from the others of the same seed.
    pub(crate) fn update(&mut self, seed: u64, stream: u32, rules: &[(RuleId, Impairment)]) {
        let mut old = std::mem::take(&mut self.steps);
        for (id, impairment) in rules {
            let step = match old.iter().position(|(o, _)| o == id) {
                Some(at) => old.swap_remove(at).1,
                None => Step::new(impairment, random(seed, *id, stream)),
            };
            self.steps.push((*id, step));
        }
    }

    /// Whether every frame of this direction is dropped, those under way too.
    pub(crate) fn is_cut(&self) -> bool {
        self.steps
            .iter()
            .any(|(_, step)| matches!(step, Step::Drop))
    }

    /// Decides on one frame that arrives at `now`.
    ///
    /// A large segment that arrives although a loss rule is installed (it was
    /// on its way when segmentation was switched off) stands for its packets
    /// as a whole: it is lost with the probability of one packet, which keeps
    /// the expected share.
    pub(crate) fn decide(&mut self, now: Nanos, frame: &Frame) -> Verdict {
        if self.is_cut() {
            return Verdict::Drop;
        }
        for (_, step) in &mut self.steps {
            if let Step::Loss {
                probability,
                random,
            } = step
                && frame.ip
                && unit(random) < *probability
            {
                return Verdict::Drop;
            }
        }
        let mut due = now;
        for (_, step) in &mut self.steps {
            if let Step::Rate {
                ns_per_byte,
                queue_ns,
                busy_until,
            } = step
            {
                let start = due.max(*busy_until);
                if start - due > *queue_ns {
                    return Verdict::Drop;
                }
                let takes = (frame.wire_bytes as f64 * *ns_per_byte).ceil();
                *busy_until = start.saturating_add(takes as u64);
                due = *busy_until;
            }
        }
        for (_, step) in &mut self.steps {
            if let Step::Delay {
                delay_ns,
                jitter_ns,
                random,
            } = step
            {
                due = due.saturating_add(sample(*delay_ns, *jitter_ns, random));
            }
        }
        due = due.max(self.last_due);
        if due <= now && self.held_frames == 0 {
            return Verdict::Now;
        }
        self.last_due = due;
        Verdict::At(due)
    }
}

impl Step {
    fn new(impairment: &Impairment, random: ChaCha8Rng) -> Self {
        match impairment {
            Impairment::Drop => Self::Drop,
            Impairment::Delay { delay, jitter } => Self::Delay {
                delay_ns: delay.micros().saturating_mul(1_000),
                jitter_ns: jitter.micros().saturating_mul(1_000),
                random,
            },
            Impairment::Loss { probability } => Self::Loss {
                probability: probability.get(),
                random,
            },
            Impairment::Rate { rate, queue } => Self::Rate {
                // A rate of nothing lets the first frame start and never end.
                ns_per_byte: 8e9 / rate.get().max(1e-3),
                queue_ns: queue.micros().saturating_mul(1_000),
                busy_until: 0,
            },
        }
    }
}

/// The generator of one rule on one direction: its decisions do not depend on
/// the traffic of other directions.
fn random(seed: u64, id: RuleId, stream: u32) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((id.0 << 32) | u64::from(stream));
    random
}

/// Uniform in [0, 1), with 53 bits.
fn unit(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// The mean plus uniform jitter, never negative.
fn sample(delay_ns: u64, jitter_ns: u64, random: &mut ChaCha8Rng) -> u64 {
    if jitter_ns == 0 {
        return delay_ns;
    }
    let offset = (unit(random) * 2.0 - 1.0) * jitter_ns as f64;
    (delay_ns as f64 + offset).max(0.0) as u64
}

#[cfg(test)]
mod tests;
