//! Taking the processor away from a node, a share of every period.

use std::io;

use nix::sys::signal::Signal;

use super::message::Theft;
use super::procs::Procs;

/// A theft under way. While it has the processor every process of the node is
/// stopped.
pub(super) struct Thief {
    theft: Theft,
    /// It has the processor now.
    holds: bool,
    /// When that changes.
    turn_us: u64,
}

impl Thief {
    /// Begins by taking it.
    pub(super) fn new(theft: Theft, now_us: u64) -> Self {
        Self {
            theft,
            holds: false,
            turn_us: now_us,
        }
    }

    /// When there is something to do.
    pub(super) fn due_us(&self) -> u64 {
        self.turn_us
    }

    /// Takes or gives back what is due. A node that hangs goes on hanging.
    pub(super) fn step(&mut self, now_us: u64, procs: &Procs, hung: bool) -> io::Result<()> {
        if now_us < self.turn_us {
            return Ok(());
        }
        self.holds = !self.holds;
        let (signal, length) = match self.holds {
            true => (Signal::SIGSTOP, self.theft.stolen_us),
            false => (
                Signal::SIGCONT,
                self.theft.period_us.saturating_sub(self.theft.stolen_us),
            ),
        };
        // From the turn that was due, so that being late once does not shift
        // all that follow; but never to catch up in a burst.
        self.turn_us = (self.turn_us + length).max(now_us + length / 2);
        match hung && signal == Signal::SIGCONT {
            true => Ok(()),
            false => procs.signal_all(signal),
        }
    }
}
