use proptest::prelude::*;

use super::packet::MAGIC;
use super::*;

fn probe(sent_us: Vec<u64>, answered: &[u32]) -> Probe {
    Probe {
        order: ProbeOrder {
            id: 1,
            token: 9,
            to: Ipv4Addr::LOCALHOST,
            count: 3,
            interval_us: 100,
            wait_us: 1000,
            payload: 40,
            port: None,
        },
        socket: None,
        begun_us: 10,
        sent_us,
        rtt_us: answered.iter().map(|seq| (*seq, 5)).collect(),
        back: Vec::new(),
    }
}

#[test]
fn packets_are_due_at_their_interval_and_then_the_wait() {
    assert_eq!(probe(vec![], &[]).due_us(), 10);
    assert_eq!(probe(vec![10], &[]).due_us(), 110);
    assert_eq!(probe(vec![10, 110, 230], &[]).due_us(), 1230);
}

#[test]
fn a_probe_is_done_when_all_is_answered_or_the_wait_is_over() {
    assert!(!probe(vec![10, 110], &[0, 1]).done(5000));
    assert!(probe(vec![10, 110, 230], &[0, 1, 2]).done(231));
    assert!(!probe(vec![10, 110, 230], &[0, 2]).done(1229));
    assert!(probe(vec![10, 110, 230], &[0, 2]).done(1230));
}

#[test]
fn the_way_is_told_by_the_hosts_clock() {
    let packet = Packet {
        token: 1,
        seq: 7,
        answers: None,
        begun_us: 1_000,
        sent_us: 200,
    };
    assert_eq!(packet.seen(1_250), Seen(7, 200, 50));
    let answer = Packet {
        answers: Some(3),
        ..packet
    };
    assert_eq!(answer.seen(1_100), Seen(3, 200, 0), "never negative");
}

proptest! {
    #[test]
    fn packets_come_out_as_they_went_in(
        token: u64, seq: u32, answers in prop::option::of(0..u32::MAX), begun_us: u64, sent_us: u32,
        length in 0..1500_u32,
    ) {
        let packet = Packet { token, seq, answers, begun_us, sent_us };
        let bytes = packet.bytes(length);
        prop_assert_eq!(bytes.len(), length.max(40) as usize);
        prop_assert_eq!(Packet::parse(&bytes), Some(packet));
    }

    #[test]
    fn other_packets_are_not_ours(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assume!(!bytes.starts_with(&MAGIC));
        prop_assert_eq!(Packet::parse(&bytes), None);
    }
}
