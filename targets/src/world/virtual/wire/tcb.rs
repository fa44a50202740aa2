//! One end of a TCP connection, without clock and without I/O: segments and
//! calls go in, segments come out.
//!
//! What a peer can see of TCP is here: retransmission with backoff, fast
//! retransmission, congestion and flow control, keepalive, user timeout, half
//! close, and resets. What only costs or saves packets is not: no delayed
//! acknowledgements, no Nagle, no TIME-WAIT.

use std::io;

use bytes::Bytes;

use super::inbox::Inbox;
use super::outbox::Outbox;
use super::rtt::Rtt;
use super::segment::{MSS, Nanos, Segment};
use crate::net::SocketOptions;

/// Bytes a sender may have written and not seen acknowledged.
pub(super) const SEND_BYTES: usize = 256 << 10;
/// Bytes a receiver holds for its reader.
pub(super) const RECEIVE_BYTES: usize = 256 << 10;
/// RFC 6928.
const INITIAL_WINDOW: u64 = 10 * MSS as u64;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Our SYN is on its way.
    SynSent,
    /// Theirs came; ours is on its way.
    SynReceived,
    /// Both ends know of each other.
    Open,
}

/// The state of one end.
#[derive(Debug)]
pub(super) struct Tcb {
    pub(super) phase: Phase,
    /// It has ended, with this error.
    pub(super) error: Option<io::ErrorKind>,
    /// Nothing is left to do; it can be forgotten.
    pub(super) gone: bool,
    /// The application has let go of it.
    pub(super) closed: bool,
    pub(super) options: SocketOptions,
    /// The most bytes of one segment.
    pub(super) mss: usize,

    /// The first number not acknowledged, and the next to send.
    pub(super) una: u64,
    pub(super) next: u64,
    pub(super) outbox: Outbox,
    /// The number of our FIN, once there is one.
    pub(super) fin: Option<u64>,
    /// Where the peer's window ends.
    pub(super) edge: u64,
    pub(super) cwnd: u64,
    pub(super) ssthresh: u64,
    /// Loss is being repaired up to here.
    pub(super) recover: Option<u64>,
    pub(super) rtt: Rtt,
    pub(super) retries: u32,
    /// Since when `una` has been waiting.
    pub(super) waiting_since: Option<Nanos>,
    /// Retransmission, or a probe of a closed window.
    pub(super) timer: Option<Nanos>,

    /// The next number waited for.
    pub(super) expected: u64,
    pub(super) inbox: Inbox,
    /// The number of the peer's FIN, which may be beyond a gap.
    pub(super) peer_fin_at: Option<u64>,
    /// The stream has ended.
    pub(super) peer_fin: bool,
    pub(super) last_heard: Nanos,
    pub(super) probes: u32,
    /// When an end that nobody holds any more is forgotten.
    pub(super) linger_until: Option<Nanos>,
}

impl Tcb {
    fn new(phase: Phase, options: SocketOptions, now: Nanos) -> Self {
        Self {
            phase,
            error: None,
            gone: false,
            closed: false,
            options,
            mss: MSS,
            una: 0,
            next: 0,
            outbox: Outbox::default(),
            fin: None,
            edge: 1,
            cwnd: INITIAL_WINDOW,
            ssthresh: u64::MAX,
            recover: None,
            rtt: Rtt::default(),
            retries: 0,
            waiting_since: None,
            timer: None,
            expected: 0,
            inbox: Inbox::default(),
            peer_fin_at: None,
            peer_fin: false,
            last_heard: now,
            probes: 0,
            linger_until: None,
        }
    }

    /// The end that connects.
    pub(super) fn connect(options: SocketOptions, now: Nanos, out: &mut Vec<Segment>) -> Self {
        let mut tcb = Self::new(Phase::SynSent, options, now);
        tcb.send_syn(now, out);
        tcb
    }

    /// The end that answers a SYN.
    pub(super) fn accept(
        syn: &Segment,
        options: SocketOptions,
        now: Nanos,
        out: &mut Vec<Segment>,
    ) -> Self {
        let mut tcb = Self::new(Phase::SynReceived, options, now);
        tcb.expected = syn.end();
        tcb.edge = 1 + syn.window;
        tcb.send_syn(now, out);
        tcb
    }

    fn send_syn(&mut self, now: Nanos, out: &mut Vec<Segment>) {
        let syn = self.syn();
        out.push(syn);
        self.next = 1;
        self.rtt.sent(1, now);
        self.waiting_since = Some(now);
        self.timer = Some(now + self.rtt.timeout(0));
    }

    pub(super) fn syn(&self) -> Segment {
        Segment {
            syn: true,
            ack: (self.phase == Phase::SynReceived).then_some(self.expected),
            window: self.window(),
            ..Segment::default()
        }
    }

    /// Room for bytes that come.
    pub(super) fn window(&self) -> u64 {
        RECEIVE_BYTES.saturating_sub(self.inbox.unread()) as u64
    }

    /// A read would not wait.
    pub(super) fn readable(&self) -> bool {
        self.inbox.unread() > 0 || self.peer_fin || self.error.is_some()
    }

    /// A write would not wait; so a connection that comes up says that it did.
    pub(super) fn writable(&self) -> bool {
        let room = self.fin.is_some() || self.outbox.len() < SEND_BYTES;
        self.error.is_some() || (self.phase == Phase::Open && room)
    }

    /// Reads into `put`; `Ok(None)` where there is nothing yet, `Ok(Some(0))`
    /// at the end of the stream. What came before an error is read before it.
    pub(super) fn read(
        &mut self,
        room: usize,
        out: &mut Vec<Segment>,
        put: impl FnMut(&[u8]),
    ) -> io::Result<Option<usize>> {
        if self.inbox.unread() > 0 {
            let before = self.window();
            let moved = self.inbox.read(room, put);
            // A sender that was stopped hears that there is room again.
            if before < MSS as u64 && self.window() >= MSS as u64 && self.error.is_none() {
                out.push(self.ack());
            }
            return Ok(Some(moved));
        }
        match self.error {
            Some(kind) => Err(kind.into()),
            None if self.peer_fin => Ok(Some(0)),
            None => Ok(None),
        }
    }

    /// Takes bytes to send; `Ok(None)` where there is no room.
    pub(super) fn write(
        &mut self,
        now: Nanos,
        out: &mut Vec<Segment>,
        data: impl FnOnce(usize) -> Bytes,
    ) -> io::Result<Option<usize>> {
        if let Some(kind) = self.error {
            // What a writer is told of a reset after the peer's end.
            let broken = kind == io::ErrorKind::ConnectionReset && self.peer_fin;
            let kind = if broken {
                io::ErrorKind::BrokenPipe
            } else {
                kind
            };
            return Err(kind.into());
        }
        if self.fin.is_some() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = SEND_BYTES.saturating_sub(self.outbox.len());
        if room == 0 {
            return Ok(None);
        }
        let data = data(room);
        let taken = data.len();
        if taken > 0 {
            self.outbox.push(data);
            self.transmit(now, out);
        }
        Ok(Some(taken))
    }

    /// Ends what this end sends; it may go on reading.
    pub(super) fn shut_down(&mut self, now: Nanos, out: &mut Vec<Segment>) {
        if self.fin.is_none() && self.error.is_none() {
            self.fin = Some(self.stream_end());
            self.transmit(now, out);
        }
    }

    /// The application lets go. Unread bytes make this a reset (RFC 2525,
    /// 2.17), as it does where the socket is asked for that.
    pub(super) fn close(&mut self, now: Nanos, out: &mut Vec<Segment>) {
        if self.closed {
            return;
        }
        self.closed = true;
        if self.error.is_some() || self.phase == Phase::SynSent {
            self.gone = true;
        } else if self.options.reset_on_close || self.inbox.unread() > 0 {
            out.push(self.reset());
            self.gone = true;
        } else {
            self.shut_down(now, out);
            self.settle(now);
        }
    }

    /// An end without owner is gone once both streams have ended, or when the
    /// peer does not end its own for long.
    pub(super) fn settle(&mut self, now: Nanos) {
        /// Linux's `tcp_fin_timeout`.
        const FIN_TIMEOUT: Nanos = 60_000_000_000;
        let ours = self.fin.is_some_and(|fin| self.una > fin);
        if self.closed && ours {
            self.linger_until.get_or_insert(now + FIN_TIMEOUT);
            self.gone |= self.peer_fin;
        }
    }

    /// Ends with an error.
    pub(super) fn fail(&mut self, kind: io::ErrorKind) {
        self.error.get_or_insert(kind);
        self.timer = None;
        self.gone |= self.closed;
    }

    pub(super) fn ack(&self) -> Segment {
        Segment {
            seq: self.next,
            ack: Some(self.expected),
            window: self.window(),
            sack: self.inbox.has_gap(),
            ..Segment::default()
        }
    }

    pub(super) fn reset(&self) -> Segment {
        Segment {
            seq: self.next,
            ack: Some(self.expected),
            rst: true,
            ..Segment::default()
        }
    }
}
