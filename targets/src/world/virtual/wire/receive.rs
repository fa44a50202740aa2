//! The receiving half of an end.

use std::io;

use super::segment::{Nanos, Segment};
use super::tcb::{Phase, Tcb};

impl Tcb {
    /// A segment of the peer arrives.
    pub(super) fn on_segment(&mut self, now: Nanos, segment: Segment, out: &mut Vec<Segment>) {
        if self.gone || self.error.is_some() {
            return;
        }
        if segment.rst && !self.believes(&segment) {
            // RFC 5961, 3.2: a number within the window is answered with the
            // one that was waited for, so that an honest peer can say it again.
            if segment.seq > self.expected && segment.seq < self.expected + self.window() {
                out.push(self.ack());
            }
            return;
        }
        if segment.rst {
            let refused = self.phase == Phase::SynSent;
            self.gone |= self.phase == Phase::SynReceived;
            self.fail(if refused {
                io::ErrorKind::ConnectionRefused
            } else {
                io::ErrorKind::ConnectionReset
            });
            return;
        }
        self.last_heard = now;
        self.probes = 0;
        match self.phase {
            Phase::SynSent => return self.on_syn_ack(now, &segment, out),
            // The peer has not heard our answer.
            Phase::SynReceived if segment.syn => return out.push(self.syn()),
            Phase::SynReceived if segment.ack.is_none_or(|ack| ack == 0) => return,
            Phase::SynReceived => self.phase = Phase::Open,
            Phase::Open if segment.syn => return out.push(self.ack()),
            Phase::Open => {}
        }
        self.acknowledged(now, &segment, out);
        if !self.gone {
            self.take(now, segment, out);
            self.transmit(now, out);
        }
    }

    /// Whether a reset is of this connection, and not old, early or forged.
    fn believes(&self, reset: &Segment) -> bool {
        match self.phase {
            Phase::SynSent => reset.ack == Some(self.next),
            Phase::SynReceived | Phase::Open => reset.seq == self.expected,
        }
    }

    fn on_syn_ack(&mut self, now: Nanos, segment: &Segment, out: &mut Vec<Segment>) {
        if !segment.syn || segment.ack != Some(1) {
            return;
        }
        self.phase = Phase::Open;
        self.expected = segment.end();
        self.acknowledged(now, segment, out);
        out.push(self.ack());
        self.transmit(now, out);
    }

    /// Takes what a segment carries, and answers it.
    fn take(&mut self, now: Nanos, segment: Segment, out: &mut Vec<Segment>) {
        let carries = !segment.data.is_empty() || segment.fin;
        if !carries {
            // A probe asks where we are; a plain acknowledgement asks nothing.
            if segment.seq < self.expected {
                out.push(self.ack());
            }
            return;
        }
        if self.closed && !segment.data.is_empty() && segment.end() > self.expected {
            // Nobody will ever read this.
            out.push(self.reset());
            self.gone = true;
            return;
        }
        if segment.fin {
            self.peer_fin_at = Some(segment.seq + segment.data.len() as u64);
        }
        if !segment.data.is_empty() && !self.peer_fin {
            self.expected = self.inbox.take(segment.seq, segment.data, self.expected);
        }
        if self.peer_fin_at == Some(self.expected) {
            self.expected += 1;
            self.peer_fin = true;
            self.settle(now);
        }
        out.push(self.ack());
    }
}
