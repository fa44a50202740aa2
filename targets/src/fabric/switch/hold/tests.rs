use proptest::prelude::*;

use super::*;

fn lives() -> [Arc<Life<()>>; 3] {
    [0, 1, 2].map(|port| Arc::new(Life::new(port, ())))
}

proptest! {
    #[test]
    fn frames_leave_when_due_and_in_order(dues in prop::collection::vec(0..50_u64, 0..200)) {
        let [a, b, _] = lives();
        let mut queue = HoldQueue::new();
        for (number, due) in dues.iter().enumerate() {
            queue.push(*due, &a, &b, &number.to_be_bytes());
        }
        prop_assert_eq!(queue.bytes(), dues.len() * 8);
        let mut expected: Vec<(u64, usize)> = dues.iter().copied().zip(0..).collect();
        expected.sort_unstable();
        for (due, number) in expected {
            prop_assert_eq!(queue.next_due(), Some(due));
            prop_assert!(due == 0 || queue.pop_due(due - 1).is_none());
            let held = queue.pop_due(due).expect("due now");
            prop_assert_eq!(&held.bytes, &number.to_be_bytes());
            queue.recycle(held.bytes);
        }
        prop_assert_eq!((queue.bytes(), queue.next_due()), (0, None));
    }
}

#[test]
fn a_purge_takes_both_directions_of_dark_ports_only() {
    let [a, b, c] = lives();
    let mut queue = HoldQueue::new();
    queue.push(1, &a, &b, b"from");
    queue.push(2, &b, &a, b"to");
    queue.push(3, &b, &c, b"stays");
    assert!(queue.purge().is_empty());
    a.darken();
    assert_eq!(queue.purge().len(), 2);
    assert_eq!(queue.bytes(), 5);
    assert_eq!(
        queue.pop_due(3).map(|held| held.bytes),
        Some(b"stays".to_vec())
    );
}

#[test]
fn spare_buffers_come_back_empty() {
    let [a, b, _] = lives();
    let mut queue = HoldQueue::new();
    queue.recycle(b"old".to_vec());
    queue.push(1, &a, &b, b"new");
    assert_eq!(
        queue.pop_due(1).map(|held| held.bytes),
        Some(b"new".to_vec())
    );
}
