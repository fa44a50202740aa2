//! Two ends and a link between them that loses, doubles and reorders.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::neighbour::{Fate, Neighbour, NeighbourTimes};
use super::super::segment::{MSS, Nanos, Segment};
use super::super::tcb::{Phase, Tcb};
use crate::net::{Keepalive, SocketOptions};

const SECOND: Nanos = 1_000_000_000;
const MS: Nanos = 1_000_000;

/// What becomes of one segment.
#[derive(Clone, Copy, Debug)]
enum Luck {
    Lost,
    After(Nanos),
    Twice(Nanos, Nanos),
}

fn luck() -> impl Strategy<Value = Luck> {
    let delay = || (0..40_u64).prop_map(|ms| ms * MS);
    prop_oneof![
        2 => Just(Luck::Lost),
        6 => delay().prop_map(Luck::After),
        1 => (delay(), delay()).prop_map(|(a, b)| Luck::Twice(a, b)),
    ]
}

/// A connection in one place.
struct Pair {
    now: Nanos,
    ends: [Tcb; 2],
    /// Due, order, receiver, segment.
    flying: Vec<(Nanos, u64, usize, Segment)>,
    order: u64,
    out: Vec<Segment>,
}

fn pair(client: SocketOptions) -> Pair {
    let mut out = Vec::new();
    let connecting = Tcb::connect(client, 0, &mut out);
    let syn = out.remove(0);
    let answering = Tcb::accept(&syn, SocketOptions::default(), 0, &mut out);
    let mut pair = Pair {
        now: 0,
        ends: [connecting, answering],
        flying: Vec::new(),
        order: 0,
        out: Vec::new(),
    };
    let answer = out.remove(0);
    pair.post(0, Luck::After(0), answer);
    pair
}

impl Pair {
    /// To `receiver`.
    fn post(&mut self, receiver: usize, luck: Luck, segment: Segment) {
        let mut fly = |delay: Nanos| {
            self.order += 1;
            self.flying
                .push((self.now + delay, self.order, receiver, segment.clone()));
        };
        match luck {
            Luck::Lost => {}
            Luck::After(delay) => fly(delay),
            Luck::Twice(one, two) => {
                fly(one);
                fly(two);
            }
        }
    }

    fn act<T>(
        &mut self,
        end: usize,
        luck: &mut impl FnMut() -> Luck,
        act: impl FnOnce(&mut Tcb, Nanos, &mut Vec<Segment>) -> T,
    ) -> T {
        let mut out = std::mem::take(&mut self.out);
        let result = act(&mut self.ends[end], self.now, &mut out);
        for segment in out.drain(..) {
            self.post(1 - end, luck(), segment);
        }
        self.out = out;
        result
    }

    /// Goes to the next thing that happens; false when nothing ever will.
    fn step(&mut self, luck: &mut impl FnMut() -> Luck) -> bool {
        let arrival = self.flying.iter().map(|f| (f.0, f.1)).min();
        let timers = [0, 1].map(|end| self.ends[end].deadline());
        let timer = timers.iter().flatten().min().copied();
        match (arrival, timer) {
            (Some((due, order)), timer) if timer.is_none_or(|t| due <= t) => {
                self.now = self.now.max(due);
                let at = self.flying.iter().position(|f| f.1 == order).unwrap();
                let (_, _, end, segment) = self.flying.swap_remove(at);
                self.act(end, luck, |tcb, now, out| tcb.on_segment(now, segment, out));
            }
            (_, Some(due)) => {
                self.now = self.now.max(due);
                let end = usize::from(timers[0] != Some(due));
                self.act(end, luck, |tcb, now, out| tcb.on_time(now, out));
            }
            _ => return false,
        }
        true
    }

    fn read_all(&mut self, end: usize, luck: &mut impl FnMut() -> Luck, into: &mut Vec<u8>) {
        while self.ends[end].inbox.unread() > 0 {
            let read = self.act(end, luck, |tcb, _, out| {
                tcb.read(usize::MAX, out, |bytes| into.extend_from_slice(bytes))
            });
            assert!(matches!(read, Ok(Some(_))));
        }
    }
}

fn good() -> Luck {
    Luck::After(MS)
}

fn never() -> Luck {
    Luck::Lost
}

proptest! {
    /// Whatever the link does: every byte, once, in order, and then the end.
    #[test]
    fn bytes_arrive_whole_and_in_order(
        lucks in prop::collection::vec(luck(), 20..200),
        writes in prop::collection::vec(1_usize..40_000, 1..8),
        mss in prop_oneof![Just(MSS), Just(44 * MSS)],
    ) {
        let mut pair = pair(SocketOptions::default());
        let mut next = lucks.iter().cycle();
        // Luck turns good in the end, as that of a link that was healed.
        let mut bad = 400;
        // Where one end has tried this often in vain it might soon give up, and
        // rightly: then luck turns for a while.
        let mercy = Rc::new(Cell::new(false));
        let merciful = Rc::clone(&mercy);
        let mut luck = move || {
            bad -= 1;
            let luck = if bad > 0 { *next.next().unwrap() } else { good() };
            if mercy.get() { good() } else { luck }
        };
        let total: usize = writes.iter().sum();
        let sent: Vec<u8> = (0..total).map(|i| (i / 7) as u8).collect();
        let (mut offset, mut got, mut closed) = (0, Vec::new(), false);
        for _ in 0..200_000 {
            pair.ends[0].mss = mss;
            if pair.ends[0].phase == Phase::Open && offset < total {
                let write = |room: usize| {
                    Bytes::copy_from_slice(&sent[offset..(offset + room.min(9_000)).min(total)])
                };
                let wrote = pair.act(0, &mut luck, |tcb, now, out| tcb.write(now, out, write));
                offset += wrote.unwrap().unwrap_or(0);
            } else if offset == total && !closed {
                closed = true;
                pair.act(0, &mut luck, |tcb, now, out| tcb.close(now, out));
            }
            pair.read_all(1, &mut luck, &mut got);
            if pair.ends[1].peer_fin || !pair.step(&mut luck) {
                break;
            }
            merciful.set(pair.ends.iter().any(|end| end.retries >= 4));
        }
        prop_assert_eq!(got.len(), total);
        prop_assert!(got == sent);
        prop_assert!(pair.ends[1].peer_fin);
    }

    /// No segment, however odd, makes an end lose its footing.
    #[test]
    fn odd_segments_do_no_harm(
        odd in prop::collection::vec(
            (0_u64..100_000, any::<[bool; 3]>(), prop::option::of(0_u64..100_000), 0_usize..3_000),
            1..40,
        ),
    ) {
        let mut pair = pair(SocketOptions::default());
        pair.step(&mut good);
        pair.step(&mut good);
        for (seq, [syn, fin, sack], ack, len) in odd {
            let segment = Segment {
                seq, syn, fin, sack, ack,
                window: 1_000,
                data: Bytes::from(vec![0; len]),
                ..Segment::default()
            };
            let mut out = Vec::new();
            pair.ends[1].on_segment(pair.now, segment, &mut out);
            let _ = pair.ends[1].read(1_000, &mut out, |_| {});
            prop_assert!(pair.ends[1].una <= pair.ends[1].next);
        }
    }
}

fn open(options: SocketOptions) -> Pair {
    let mut pair = pair(options);
    while pair.ends[1].phase != Phase::Open {
        assert!(pair.step(&mut good));
    }
    pair
}

/// Runs until an end has an error; returns it and when.
fn error_of(pair: &mut Pair, end: usize) -> (io::ErrorKind, Nanos) {
    let from = pair.now;
    for _ in 0..1_000 {
        if let Some(kind) = pair.ends[end].error {
            return (kind, pair.now - from);
        }
        assert!(pair.step(&mut never), "nothing will ever happen");
    }
    panic!("no error");
}

fn write(pair: &mut Pair, end: usize, luck: &mut impl FnMut() -> Luck) {
    let wrote = pair.act(end, luck, |tcb, now, out| {
        tcb.write(now, out, |_| Bytes::from_static(b"data"))
    });
    assert_eq!(wrote.unwrap(), Some(4));
}

#[test]
fn a_reader_without_keepalive_never_notices() {
    let mut pair = open(SocketOptions::default());
    while pair.step(&mut good) {}
    assert_eq!(pair.ends[0].deadline(), None);
}

#[test]
fn keepalive_gives_up_after_its_probes() {
    let keepalive = Keepalive {
        idle: Duration::from_secs(1),
        interval: Duration::from_secs(1),
        count: 3,
    };
    let mut pair = open(SocketOptions {
        keepalive: Some(keepalive),
        ..SocketOptions::default()
    });
    pair.flying.clear();
    let (kind, after) = error_of(&mut pair, 0);
    assert_eq!(kind, io::ErrorKind::TimedOut);
    assert!((3 * SECOND..=4 * SECOND).contains(&after), "{after}");
}

#[test]
fn keepalive_is_answered_by_a_kernel_that_lives() {
    let keepalive = Keepalive {
        idle: Duration::from_secs(1),
        interval: Duration::from_secs(1),
        count: 3,
    };
    let mut pair = open(SocketOptions {
        keepalive: Some(keepalive),
        ..SocketOptions::default()
    });
    while pair.now < 600 * SECOND {
        assert!(pair.step(&mut good));
    }
    assert_eq!(pair.ends[0].error, None);
}

#[test]
fn a_writer_gives_up_after_fifteen_minutes_by_default() {
    let mut pair = open(SocketOptions::default());
    write(&mut pair, 0, &mut never);
    let (kind, after) = error_of(&mut pair, 0);
    assert_eq!(kind, io::ErrorKind::TimedOut);
    // tcp(7): 13 to 30 minutes with the default of 15 retransmissions.
    assert!((780 * SECOND..=1_800 * SECOND).contains(&after), "{after}");
}

#[test]
fn a_user_timeout_bounds_unacknowledged_data() {
    let mut pair = open(SocketOptions {
        user_timeout: Some(Duration::from_secs(3)),
        ..SocketOptions::default()
    });
    write(&mut pair, 0, &mut never);
    let (kind, after) = error_of(&mut pair, 0);
    assert_eq!((kind, after), (io::ErrorKind::TimedOut, 3 * SECOND));
}

#[test]
fn a_connect_into_silence_takes_two_minutes() {
    let mut out = Vec::new();
    let tcb = Tcb::connect(SocketOptions::default(), 0, &mut out);
    let mut silent = pair(SocketOptions::default());
    silent.ends[0] = tcb;
    silent.flying.clear();
    let (kind, after) = error_of(&mut silent, 0);
    // 1 + 2 + 4 + 8 + 16 + 32 + 64 s.
    assert_eq!((kind, after), (io::ErrorKind::TimedOut, 127 * SECOND));
}

#[test]
fn data_for_a_closed_end_is_reset() {
    let mut pair = open(SocketOptions::default());
    pair.act(1, &mut good, |tcb, now, out| tcb.close(now, out));
    while !pair.ends[0].peer_fin {
        assert!(pair.step(&mut good));
    }
    write(&mut pair, 0, &mut good);
    while pair.ends[0].error.is_none() {
        assert!(pair.step(&mut good));
    }
    let again = pair.act(0, &mut good, |tcb, now, out| {
        tcb.write(now, out, |_| Bytes::from_static(b"data"))
    });
    assert_eq!(again.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn closing_with_unread_bytes_is_a_reset() {
    let mut pair = open(SocketOptions::default());
    write(&mut pair, 0, &mut good);
    while pair.ends[1].inbox.unread() == 0 {
        assert!(pair.step(&mut good));
    }
    pair.act(1, &mut good, |tcb, now, out| tcb.close(now, out));
    let (kind, _) = error_of(&mut pair, 0);
    assert_eq!(kind, io::ErrorKind::ConnectionReset);
}

#[test]
fn what_came_before_a_reset_can_be_read() {
    let mut pair = open(SocketOptions::default());
    write(&mut pair, 1, &mut good);
    let reset = pair.ends[1].reset();
    while pair.ends[0].inbox.unread() == 0 {
        assert!(pair.step(&mut good));
    }
    let mut out = Vec::new();
    let tcb = &mut pair.ends[0];
    tcb.on_segment(pair.now, reset, &mut out);
    let mut got = Vec::new();
    let read = tcb.read(100, &mut out, |bytes| got.extend_from_slice(bytes));
    assert_eq!((read.unwrap(), &got[..]), (Some(4), &b"data"[..]));
    let error = tcb.read(100, &mut out, |_| {}).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn a_neighbour_is_believed_then_checked_then_asked_for() {
    let times = NeighbourTimes::default();
    let mut entry = Neighbour::default();
    entry.confirm(0);
    assert_eq!(entry.silent(29 * SECOND, &times), Fate::Sent);
    // Old: used while it is being checked, for 5 + 3 s.
    assert_eq!(entry.silent(31 * SECOND, &times), Fate::Sent);
    assert_eq!(entry.silent(38 * SECOND, &times), Fate::Sent);
    assert_eq!(entry.silent(40 * SECOND, &times), Fate::Waits(43 * SECOND));
    assert_eq!(entry.silent(41 * SECOND, &times), Fate::Waits(43 * SECOND));
    assert_eq!(entry.silent(44 * SECOND, &times), Fate::Waits(47 * SECOND));
    entry.confirm(45 * SECOND);
    assert_eq!(entry.silent(46 * SECOND, &times), Fate::Sent);
}
