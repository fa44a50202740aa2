//! What a writer writes.

use std::collections::BTreeSet;

use super::payload;

#[test]
fn every_payload_is_its_own_and_the_same_again() {
    let mut seen = BTreeSet::new();
    for seed in 0..3 {
        for writer in ["a", "b"] {
            for index in 0..50 {
                let bytes = payload(seed, writer, index, 200);
                assert_eq!(bytes.len(), 200);
                assert_eq!(bytes, payload(seed, writer, index, 200));
                assert!(seen.insert(bytes), "{seed} {writer} {index} again");
            }
        }
    }
}

#[test]
fn a_payload_says_whose_it_is_however_short() {
    assert_eq!(payload(1, "ledger", 7, 1), b"ledger-7 ");
}
