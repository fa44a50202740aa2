use proptest::prelude::*;

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
        },
        begun_us: 10,
        sent_us,
        rtt_us: answered.iter().map(|seq| (*seq, 5)).collect(),
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

proptest! {
    #[test]
    fn packets_come_out_as_they_went_in(answer: bool, token: u64, seq: u32) {
        let bytes = packet(u8::from(answer), token, seq);
        prop_assert_eq!(parse(&bytes), Some((answer, token, seq)));
    }

    #[test]
    fn other_packets_are_not_ours(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assume!(!bytes.starts_with(&MAGIC));
        prop_assert_eq!(parse(&bytes), None);
    }
}
