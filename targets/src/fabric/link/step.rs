//! One rule's state on one direction, and what it does to each frame.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::fabric::Frame;
use crate::units::{Bandwidth, Span};
use crate::world::{Impairment, LossChain};

use super::Nanos;
use super::spread::{Spread, unit};

/// See [`Impairment`].
#[derive(Debug)]
pub(super) enum Step {
    Drop,
    Flap {
        since: Nanos,
        period_ns: u64,
        down_ns: u64,
    },
    Delay(Box<Spread>),
    Loss {
        probability: f64,
        random: Box<ChaCha8Rng>,
    },
    Bursts {
        chain: Box<LossChain>,
        state: usize,
        random: Box<ChaCha8Rng>,
    },
    Rate(Line),
    Mark {
        probability: f64,
        kind: MarkKind,
        random: Box<ChaCha8Rng>,
    },
    MtuBlackHole {
        mtu: u64,
    },
}

/// What a chosen frame gets.
#[derive(Clone, Copy, Debug)]
pub(super) enum MarkKind {
    Copy,
    Flip,
    Late(Nanos),
    Reset,
}

/// What one frame gets.
pub(super) enum Mark {
    /// A copy right behind it.
    Copy,
    /// A flipped bit.
    Flip(u64),
    /// To be overtaken, by so long.
    Late(Nanos),
    /// To become a reset.
    Reset,
}

/// A line that sends one frame after another.
#[derive(Debug)]
pub(super) struct Line {
    ns_per_byte: f64,
    queue_ns: u64,
    /// When the last byte accepted so far will have left.
    busy_until: Nanos,
}

/// What a line did with a frame.
pub(super) enum Sent {
    /// Its queue was full.
    Full,
    /// The last byte leaves then.
    At(Nanos),
}

impl Sent {
    /// When the frame has left; nothing where the queue was full.
    pub(super) fn done(self) -> Option<Nanos> {
        match self {
            Self::Full => None,
            Self::At(at) => Some(at),
        }
    }
}

impl Step {
    /// `since` is when the rule was installed.
    pub(super) fn new(impairment: &Impairment, since: Nanos, random: ChaCha8Rng) -> Self {
        let chain = |chain: LossChain, random| Self::Bursts {
            chain: Box::new(chain),
            state: 0,
            random: Box::new(random),
        };
        let mark = |probability: f64, kind, random| Self::Mark {
            probability,
            kind,
            random: Box::new(random),
        };
        match impairment {
            Impairment::Drop => Self::Drop,
            Impairment::Flap { period, down } => Self::Flap {
                since,
                // A period of nothing is dark for ever.
                period_ns: nanos(*period).max(1),
                down_ns: nanos(*down).max(1),
            },
            Impairment::Delay {
                delay,
                jitter,
                distribution,
                correlation,
            } => {
                let correlation = correlation.get().clamp(0.0, 1.0);
                let (delay, jitter) = (nanos(*delay), nanos(*jitter));
                let spread = Spread::new(delay, jitter, *distribution, correlation, random);
                Self::Delay(Box::new(spread))
            }
            Impairment::Loss { probability } => Self::Loss {
                probability: probability.get(),
                random: Box::new(random),
            },
            Impairment::GilbertElliott(asked) => chain(asked.chain(), random),
            Impairment::FourState(asked) => chain(asked.chain(), random),
            Impairment::Rate { rate, queue } => Self::Rate(Line::new(*rate, *queue)),
            Impairment::Duplicate { probability } => {
                mark(probability.get(), MarkKind::Copy, random)
            }
            Impairment::Reorder { probability, by } => {
                mark(probability.get(), MarkKind::Late(nanos(*by)), random)
            }
            Impairment::Corrupt { probability } => mark(probability.get(), MarkKind::Flip, random),
            Impairment::Reset { probability } => mark(probability.get(), MarkKind::Reset, random),
            Impairment::MtuBlackHole { mtu } => Self::MtuBlackHole {
                mtu: u64::from(*mtu),
            },
        }
    }

    /// Whether it drops every frame now.
    pub(super) fn cuts(&self, now: Nanos) -> bool {
        match self {
            Self::Drop => true,
            Self::Flap {
                since,
                period_ns,
                down_ns,
            } => now.saturating_sub(*since) % period_ns < *down_ns,
            _ => false,
        }
    }

    /// Whether the frame is lost here; `None` where this loses no such frames.
    pub(super) fn loses(&mut self, now: Nanos, frame: &Frame) -> Option<bool> {
        match self {
            Self::Drop | Self::Flap { .. } => Some(self.cuts(now)),
            Self::Loss {
                probability,
                random,
            } if frame.ip => Some(unit(random) < *probability),
            Self::Bursts {
                chain,
                state,
                random,
            } if frame.ip => {
                let lost = unit(random) < chain.loss[*state];
                *state = next_state(&chain.steps[*state], unit(random));
                Some(lost)
            }
            Self::MtuBlackHole { mtu } if frame.ip => Some(frame.longest > *mtu),
            _ => None,
        }
    }

    /// What the frame gets, if it is chosen; `None` where this marks no such
    /// frames.
    pub(super) fn marks(&mut self, frame: &Frame) -> Option<Option<Mark>> {
        let Self::Mark {
            probability,
            kind,
            random,
        } = self
        else {
            return None;
        };
        let able = match kind {
            MarkKind::Reset => frame.resettable,
            _ => frame.ip,
        };
        if !able {
            return None;
        }
        let chosen = unit(random) < *probability;
        let mark = match kind {
            MarkKind::Copy => Mark::Copy,
            MarkKind::Flip => Mark::Flip(random.next_u64()),
            MarkKind::Late(by) => Mark::Late(*by),
            MarkKind::Reset => Mark::Reset,
        };
        Some(chosen.then_some(mark))
    }

    /// When a line has sent the frame that reaches it at `at`; `None` where this
    /// is no line.
    pub(super) fn sends(&mut self, at: Nanos, frame: &Frame) -> Option<Sent> {
        match self {
            Self::Rate(line) => Some(line.send(at, frame.wire_bytes)),
            _ => None,
        }
    }

    /// How long the frame is held back; `None` where this delays nothing.
    pub(super) fn delays(&mut self) -> Option<u64> {
        match self {
            Self::Delay(spread) => Some(spread.sample()),
            _ => None,
        }
    }
}

impl Line {
    fn new(rate: Bandwidth, queue: Span) -> Self {
        Self {
            // A rate of nothing lets the first frame start and never end.
            ns_per_byte: 8e9 / rate.get().max(1e-3),
            queue_ns: nanos(queue),
            busy_until: 0,
        }
    }

    fn send(&mut self, at: Nanos, bytes: u64) -> Sent {
        let start = at.max(self.busy_until);
        if start - at > self.queue_ns {
            return Sent::Full;
        }
        let takes = (bytes as f64 * self.ns_per_byte).ceil();
        self.busy_until = start.saturating_add(takes as u64);
        Sent::At(self.busy_until)
    }
}

fn nanos(span: Span) -> u64 {
    span.micros().saturating_mul(1_000)
}

/// The state that a number in [0, 1) leads to.
fn next_state(row: &[f64; 4], at: f64) -> usize {
    let mut sum = 0.0;
    for (state, share) in row.iter().enumerate() {
        sum += share;
        if at < sum {
            return state;
        }
    }
    // Rounding: the last state that can be reached.
    row.iter().rposition(|share| *share > 0.0).unwrap_or(0)
}
