use proptest::prelude::*;

use super::*;

fn pool(size: usize) -> Pool {
    let at = |n| ReplicaRef {
        name: format!("r{n}"),
        host: "localhost".into(),
        port: 1,
    };
    Pool::new(&(0..size).map(at).collect::<Vec<_>>())
}

#[test]
fn equals_take_turns() {
    let pool = pool(3);
    for peer in pool.peers() {
        peer.health.force(true);
    }
    let names: Vec<String> = (0..6)
        .filter_map(|_| pool.pick(None))
        .map(|p| p.at.name.clone())
        .collect();
    assert_eq!(names, ["r0", "r1", "r2", "r0", "r1", "r2"]);
}

#[test]
fn the_avoided_one_is_better_than_none() {
    let pool = pool(2);
    pool.peers()[0].health.force(true);
    assert_eq!(
        pool.pick(Some("r0")).map(|p| p.at.name.clone()).as_deref(),
        Some("r0")
    );
    pool.peers()[1].health.force(true);
    pool.peers()[1].in_flight.store(9, Ordering::Relaxed);
    assert_eq!(
        pool.pick(Some("r0")).map(|p| p.at.name.clone()).as_deref(),
        Some("r1")
    );
}

proptest! {
    #[test]
    fn load_stays_even_among_the_healthy(
        health in prop::collection::vec(any::<bool>(), 1..6),
        steps in prop::collection::vec(any::<Option<prop::sample::Index>>(), 0..200),
    ) {
        let pool = pool(health.len());
        for (peer, healthy) in pool.peers().iter().zip(&health) {
            peer.health.force(*healthy);
        }
        let mut held: Vec<Arc<Peer>> = Vec::new();
        for step in steps {
            match step {
                Some(index) if !held.is_empty() => {
                    let gone = held.remove(index.index(held.len()));
                    gone.in_flight.fetch_sub(1, Ordering::Relaxed);
                }
                _ => {
                    let least = pool.peers().iter().filter(|p| p.is_healthy())
                        .map(|p| p.in_flight.load(Ordering::Relaxed)).min();
                    let picked = pool.pick(None);
                    prop_assert_eq!(picked.is_some(), health.contains(&true));
                    if let Some(peer) = picked {
                        prop_assert!(peer.is_healthy());
                        prop_assert_eq!(Some(peer.in_flight.fetch_add(1, Ordering::Relaxed)), least);
                        held.push(peer);
                    }
                }
            }
        }
    }
}
