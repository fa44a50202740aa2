use std::io;
use std::sync::{Mutex, Weak};

use crate::fabric::rules::Acting;
use crate::units::Span;
use crate::world::{Impairment, RuleId};

use super::super::parse::mac_key;
use super::super::view::{LinkView, PortView, lock};
use super::*;

const MS: u64 = 1_000_000;

/// A device in memory: keeps what is written to it.
#[derive(Default)]
struct Memory {
    written: Mutex<Vec<Vec<u8>>>,
    broken: bool,
    /// A port that is declared dark in the middle of a write, which the real
    /// handshake forbids.
    betrays: Mutex<Option<Weak<Life<Memory>>>>,
}

impl Device for Memory {
    fn read(&self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn write(&self, frame: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        lock(&self.written).push(frame.to_vec());
        if let Some(victim) = lock(&self.betrays).as_ref().and_then(Weak::upgrade) {
            victim.darken();
            victim.declare_dark();
        }
        Ok(frame.len())
    }
}

struct Bench {
    published: Arc<Published<Memory>>,
    forwarder: Forwarder<Memory>,
    lives: Vec<Arc<Life<Memory>>>,
}

fn mac(port: usize) -> [u8; 6] {
    [2, 0x72, 0, 0, 0, port as u8]
}

impl Bench {
    fn new(ports: usize) -> Self {
        Self::with((0..ports).map(|_| Memory::default()))
    }

    fn with(devices: impl Iterator<Item = Memory>) -> Self {
        let lives = devices
            .enumerate()
            .map(|(port, device)| Arc::new(Life::new(port, device)));
        let published = Arc::new(Published::new());
        let forwarder = Forwarder::new(1, Arc::clone(&published), Arc::new(Gate::default()), None);
        let bench = Self {
            published,
            forwarder,
            lives: lives.collect(),
        };
        bench.publish(&[]);
        bench
    }

    /// Publishes all ports that are not dark, and rules by direction.
    fn publish(&self, rules: &[(usize, usize, u64, Impairment)]) {
        let ports = self.lives.iter().map(|life| PortView {
            segment: 0,
            uplink: false,
            life: (!life.is_dark()).then(|| Arc::clone(life)),
            counters: Arc::clone(&life.counters),
        });
        let links = rules.iter().map(|(from, to, id, impairment)| LinkView {
            from: *from,
            to: *to,
            rules: vec![Acting {
                id: RuleId(*id),
                impairment: impairment.clone(),
                port: None,
                since: 0,
                tally: Arc::default(),
            }],
        });
        self.published.publish(View {
            ports: ports.collect(),
            by_mac: (0..self.lives.len())
                .map(|at| (mac_key(mac(at)), at))
                .collect(),
            links: links.collect(),
        });
    }

    fn send(&mut self, from: usize, to: [u8; 6], word: u8, now: Nanos) {
        let mut bytes = vec![0; VNET_HEADER + 60];
        bytes[VNET_HEADER..VNET_HEADER + 6].copy_from_slice(&to);
        bytes[VNET_HEADER + 12] = 8;
        bytes[VNET_HEADER + 59] = word;
        let from = Arc::clone(&self.lives[from]);
        self.forwarder.receive(&from, &bytes, || now);
    }

    fn heard(&self, port: usize) -> Vec<u8> {
        let written = lock(&self.lives[port].device.written);
        written
            .iter()
            .map(|frame| frame[VNET_HEADER + 59])
            .collect()
    }

    fn dropped(&self, port: usize) -> u64 {
        self.lives[port].counters.read().dropped
    }
}

fn delay(ms: u64) -> Impairment {
    Impairment::delay(Span::from_millis(ms), Span::default())
}

#[test]
fn unicast_goes_to_one_and_is_counted() {
    let mut bench = Bench::new(3);
    bench.send(0, mac(1), 7, 0);
    assert_eq!((bench.heard(1), bench.heard(2)), (vec![7], vec![]));
    let (from, to) = (
        bench.lives[0].counters.read(),
        bench.lives[1].counters.read(),
    );
    assert_eq!((from.frames_in, from.bytes_in, from.dropped), (1, 60, 0));
    assert_eq!((to.frames_out, to.bytes_out), (1, 60));
}

#[test]
fn groups_go_to_everyone_else_who_is_lit() {
    let mut bench = Bench::new(4);
    bench.lives[3].darken();
    bench.publish(&[]);
    bench.send(0, [0xff; 6], 7, 0);
    assert_eq!((bench.heard(0), bench.heard(1)), (vec![], vec![7]));
    assert_eq!((bench.heard(2), bench.heard(3)), (vec![7], vec![]));
}

#[test]
fn strangers_and_oneself_get_nothing() {
    let mut bench = Bench::new(2);
    bench.send(0, [2, 9, 9, 9, 9, 9], 7, 0);
    bench.send(0, mac(0), 7, 0);
    assert_eq!((bench.heard(0), bench.heard(1)), (vec![], vec![]));
}

#[test]
fn a_fragment_of_a_frame_is_dropped() {
    let mut bench = Bench::new(2);
    let from = Arc::clone(&bench.lives[0]);
    bench.forwarder.receive(&from, &[0; 12], || 0);
    assert_eq!(bench.dropped(0), 1);
}

#[test]
fn dark_ports_neither_hear_nor_speak() {
    let mut bench = Bench::new(3);
    bench.lives[1].darken();
    // Before the thread learns of it, the flag alone must hold.
    bench.send(0, mac(1), 1, 0);
    bench.send(1, mac(0), 2, 0);
    assert_eq!((bench.heard(0), bench.heard(1)), (vec![], vec![]));
    assert_eq!((bench.dropped(0), bench.dropped(1)), (1, 2));
    bench.publish(&[]);
    bench.send(0, mac(1), 1, 0);
    assert_eq!((bench.dropped(0), bench.dropped(1)), (2, 3));
}

#[test]
fn a_leak_is_seen() {
    let mut bench = Bench::new(2);
    *lock(&bench.lives[1].device.betrays) = Some(Arc::downgrade(&bench.lives[0]));
    bench.send(0, mac(1), 7, 0);
    assert_eq!(bench.lives[0].counters.read().leaked, 1);
    bench.send(0, mac(1), 7, 0);
    assert_eq!(bench.lives[0].counters.read().leaked, 1);
}

#[test]
fn a_device_that_refuses_is_a_drop() {
    let broken = Memory {
        broken: true,
        ..Memory::default()
    };
    let mut bench = Bench::with([Memory::default(), broken].into_iter());
    bench.send(0, mac(1), 7, 0);
    assert_eq!((bench.dropped(0), bench.dropped(1)), (1, 1));
}

#[test]
fn delayed_frames_leave_when_due() {
    let mut bench = Bench::new(2);
    bench.publish(&[(0, 1, 1, delay(10))]);
    bench.send(0, mac(1), 1, 0);
    bench.send(0, mac(1), 2, MS);
    bench.send(1, mac(0), 3, MS);
    assert_eq!(bench.heard(0), [3], "the other way is not delayed");
    assert_eq!(bench.forwarder.next_due(), Some(10 * MS));
    assert!(!bench.forwarder.release(10 * MS - 1));
    assert!(bench.forwarder.release(10 * MS));
    assert_eq!(bench.heard(1), [1]);
    bench.forwarder.release(11 * MS);
    assert_eq!(bench.heard(1), [1, 2]);
}

#[test]
fn nothing_overtakes_when_a_delay_is_removed() {
    let mut bench = Bench::new(2);
    bench.publish(&[(0, 1, 1, delay(10))]);
    bench.send(0, mac(1), 1, 0);
    bench.publish(&[]);
    bench.send(0, mac(1), 2, MS);
    assert!(bench.heard(1).is_empty());
    bench.forwarder.release(10 * MS);
    assert_eq!(bench.heard(1), [1, 2]);
    bench.send(0, mac(1), 3, 11 * MS);
    assert_eq!(bench.heard(1), [1, 2, 3]);
}

#[test]
fn a_drop_takes_what_is_on_its_way() {
    let mut bench = Bench::new(2);
    bench.publish(&[(0, 1, 1, delay(10))]);
    bench.send(0, mac(1), 1, 0);
    bench.publish(&[(0, 1, 2, Impairment::Drop)]);
    bench.forwarder.release(10 * MS);
    assert!(bench.heard(1).is_empty());
    assert_eq!((bench.dropped(0), bench.dropped(1)), (1, 1));
}

#[test]
fn a_cut_takes_what_is_held_both_ways() {
    let mut bench = Bench::new(3);
    let rules = [
        (0, 1, 1, delay(10)),
        (1, 0, 1, delay(10)),
        (0, 2, 1, delay(10)),
    ];
    bench.publish(&rules);
    bench.send(0, mac(1), 1, 0);
    bench.send(1, mac(0), 2, 0);
    bench.send(0, mac(2), 3, 0);
    bench.lives[1].darken();
    bench.publish(&rules);
    bench.forwarder.refresh();
    assert_eq!(
        (bench.dropped(0), bench.dropped(1), bench.dropped(2)),
        (2, 2, 0)
    );
    bench.forwarder.release(10 * MS);
    assert_eq!((bench.heard(0), bench.heard(1)), (vec![], vec![]));
    assert_eq!(bench.heard(2), [3]);
}

#[test]
fn a_frame_of_an_earlier_boot_does_not_reach_this_one() {
    let mut bench = Bench::new(2);
    bench.publish(&[(0, 1, 1, delay(10))]);
    bench.send(0, mac(1), 1, 0);
    bench.lives[1].darken();
    // Dark and lit again before the thread looked once.
    bench.lives[1] = Arc::new(Life::new(1, Memory::default()));
    bench.publish(&[(0, 1, 1, delay(10))]);
    bench.forwarder.release(10 * MS);
    assert!(bench.heard(1).is_empty());
    bench.send(0, mac(1), 2, 10 * MS);
    bench.forwarder.release(20 * MS);
    assert_eq!(bench.heard(1), [2]);
}

#[test]
fn what_a_direction_holds_is_bounded() {
    let mut bench = Bench::new(2);
    bench.publish(&[(0, 1, 1, delay(10))]);
    let mut large = vec![0; 64 << 10];
    large[VNET_HEADER..VNET_HEADER + 6].copy_from_slice(&mac(1));
    let from = Arc::clone(&bench.lives[0]);
    let fits = LINK_LIMIT / large.len();
    for _ in 0..fits + 3 {
        bench.forwarder.receive(&from, &large, || 0);
    }
    assert_eq!(bench.dropped(0), 3);
    bench.forwarder.release(10 * MS);
    assert_eq!(bench.lives[1].counters.read().frames_out, fits as u64);
}
