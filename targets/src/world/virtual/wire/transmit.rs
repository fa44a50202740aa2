//! The sending half of an end: windows, retransmission, timers.

use std::io;

use super::segment::{MSS, Nanos, Segment};
use super::tcb::{Phase, Tcb};

/// Linux's `tcp_syn_retries`: 127 s in all.
const SYN_RETRIES: u32 = 6;
/// Linux's `tcp_synack_retries`.
const SYN_ACK_RETRIES: u32 = 5;
/// Linux's `tcp_retries2`: about 924 s in all.
const RETRIES: u32 = 15;
/// Linux's `tcp_orphan_retries`: of an end that nobody holds any more.
const ORPHAN_RETRIES: u32 = 8;
/// Bytes on their way that no congestion window goes beyond.
const MAX_CWND: u64 = 4 << 20;

impl Tcb {
    /// The number of the outbox's first byte.
    fn base(&self) -> u64 {
        self.una.max(1)
    }

    /// The number after the last byte written.
    pub(super) fn stream_end(&self) -> u64 {
        self.fin.unwrap_or(self.base() + self.outbox.len() as u64)
    }

    /// The number after everything there is to send.
    fn limit(&self) -> u64 {
        self.stream_end() + u64::from(self.fin.is_some())
    }

    /// Sends what the windows allow.
    pub(super) fn transmit(&mut self, now: Nanos, out: &mut Vec<Segment>) {
        if self.phase != Phase::Open || self.error.is_some() {
            return;
        }
        while self.next < self.limit() {
            let flight = self.next - self.una;
            let window = self.edge.saturating_sub(self.una).min(self.cwnd);
            let left = self.stream_end() - self.next;
            if left > 0 && flight >= window {
                break;
            }
            let room = usize::try_from(window.saturating_sub(flight)).unwrap_or(usize::MAX);
            let segment = self.segment(self.next, self.mss.min(room));
            self.next = segment.end();
            self.rtt.sent(self.next, now);
            out.push(segment);
        }
        if self.next > self.una {
            self.waiting_since.get_or_insert(now);
        }
        // Without anything on its way this watches a closed window.
        if self.next < self.limit() || self.next > self.una {
            let due = now + self.rtt.timeout(self.retries);
            self.timer.get_or_insert(due);
        }
    }

    /// The segment that begins at `seq`, with at most `max` bytes.
    fn segment(&self, seq: u64, max: usize) -> Segment {
        let data = self.outbox.slice((seq - self.base()) as usize, max);
        Segment {
            seq,
            fin: self.fin == Some(seq + data.len() as u64),
            ack: Some(self.expected),
            window: self.window(),
            sack: self.inbox.has_gap(),
            data,
            ..Segment::default()
        }
    }

    /// Sends the first segment that is not acknowledged again.
    fn again(&mut self, out: &mut Vec<Segment>) {
        self.rtt.spoiled();
        let segment = if self.una == 0 {
            self.syn()
        } else {
            let sent = self.next - self.una;
            self.segment(self.una, self.mss.min(sent as usize))
        };
        out.push(segment);
    }

    /// Everything before `ack` has arrived, and there is room for `window` more.
    pub(super) fn acknowledged(&mut self, now: Nanos, segment: &Segment, out: &mut Vec<Segment>) {
        let Some(ack) = segment.ack.filter(|ack| *ack <= self.next) else {
            return;
        };
        self.edge = self.edge.max(ack + segment.window);
        let repeated = ack == self.una && segment.sack && segment.data.is_empty();
        if ack > self.una {
            self.advance(now, ack, out);
        } else if repeated && self.next > self.una && self.recover.is_none() {
            self.lost();
            self.cwnd = self.ssthresh;
            self.again(out);
        } else if self.next == self.una {
            // An answer to a probe of a closed window.
            self.retries = 0;
        }
    }

    fn advance(&mut self, now: Nanos, ack: u64, out: &mut Vec<Segment>) {
        let acked = ack - self.una;
        let bytes = ack.min(self.stream_end()).saturating_sub(self.base());
        self.outbox.advance(bytes as usize);
        self.una = ack;
        self.retries = 0;
        self.rtt.acked(ack, now);
        match self.recover {
            Some(until) if ack < until => self.again(out),
            Some(_) => {
                self.recover = None;
                self.cwnd = self.cwnd.max(self.ssthresh);
            }
            None if self.cwnd < self.ssthresh => self.cwnd += acked,
            None => self.cwnd += (MSS as u64 * acked / self.cwnd).max(1),
        }
        self.cwnd = self.cwnd.min(MAX_CWND);
        let flying = self.next > self.una;
        self.waiting_since = flying.then_some(now);
        self.timer = flying.then(|| now + self.rtt.timeout(0));
        self.settle(now);
    }

    /// A loss was noticed: half the flight, and repair up to here.
    fn lost(&mut self) {
        self.ssthresh = ((self.next - self.una) / 2).max(2 * MSS as u64);
        self.recover = Some(self.next);
    }

    /// When something is due, if anything is.
    pub(super) fn deadline(&self) -> Option<Nanos> {
        if self.gone || self.error.is_some() {
            return None;
        }
        let user = self.user_deadline();
        let timer = self.timer.map(|t| user.map_or(t, |u| u.min(t)));
        let keepalive = self.keepalive_due();
        [timer, keepalive, self.linger_until]
            .into_iter()
            .flatten()
            .min()
    }

    fn user_deadline(&self) -> Option<Nanos> {
        let limit = self.options.user_timeout?.as_nanos() as Nanos;
        (limit > 0).then_some(self.waiting_since? + limit)
    }

    /// Keepalive rests while something is on its way.
    fn keepalive_due(&self) -> Option<Nanos> {
        let keepalive = self.options.keepalive?;
        let at_rest = self.phase == Phase::Open && self.next == self.una && !self.closed;
        let wait = keepalive.idle + keepalive.interval * self.probes;
        at_rest.then_some(self.last_heard + wait.as_nanos() as Nanos)
    }

    /// Time has come to [`Tcb::deadline`].
    pub(super) fn on_time(&mut self, now: Nanos, out: &mut Vec<Segment>) {
        if self.linger_until.is_some_and(|until| now >= until) {
            self.gone = true;
            return;
        }
        let user = self.user_deadline().is_some_and(|at| now >= at);
        if self.timer.is_some_and(|at| now >= at) || (self.timer.is_some() && user) {
            self.retransmission(now, user, out);
        } else if self.keepalive_due().is_some_and(|at| now >= at) {
            self.keepalive(now, out);
        }
    }

    fn retransmission(&mut self, now: Nanos, user: bool, out: &mut Vec<Segment>) {
        let most = match self.phase {
            Phase::SynSent => SYN_RETRIES,
            Phase::SynReceived => SYN_ACK_RETRIES,
            Phase::Open if self.closed => ORPHAN_RETRIES,
            Phase::Open => RETRIES,
        };
        if user || self.retries >= most {
            self.fail(io::ErrorKind::TimedOut);
            // Nobody has been given a connection that was never complete.
            self.gone |= self.phase == Phase::SynReceived;
            return;
        }
        if self.next > self.una {
            if self.retries == 0 {
                self.lost();
            }
            self.cwnd = MSS as u64;
            self.again(out);
        } else {
            out.push(self.probe());
        }
        self.retries += 1;
        self.timer = Some(now + self.rtt.timeout(self.retries));
    }

    fn keepalive(&mut self, now: Nanos, out: &mut Vec<Segment>) {
        let Some(keepalive) = self.options.keepalive else {
            return;
        };
        // With a user timeout it decides, not the count (tcp(7)).
        let over = match self.options.user_timeout {
            Some(limit) => {
                let silent = now - self.last_heard;
                self.probes > 0 && u128::from(silent) >= limit.as_nanos()
            }
            None => self.probes >= keepalive.count,
        };
        if over {
            self.fail(io::ErrorKind::TimedOut);
        } else {
            out.push(self.probe());
            self.probes += 1;
        }
    }

    /// An old number, which makes the peer say where it is.
    fn probe(&self) -> Segment {
        Segment {
            seq: self.next - 1,
            ..self.ack()
        }
    }
}
