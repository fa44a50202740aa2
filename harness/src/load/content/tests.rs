use proptest::prelude::*;

use super::*;

fn oracle() -> Oracle {
    Oracle::from_key(b"a request")
}

fn check(indices: impl IntoIterator<Item = u32>, asked: u32) -> Option<Defect> {
    let oracle = oracle();
    let mut checker = Checker::new(oracle.clone(), asked);
    for n in indices {
        checker.take(&Word::Token {
            n,
            hash: oracle.hash(n),
        });
    }
    checker.defect().cloned()
}

#[test]
fn each_defect_by_its_name() {
    assert_eq!(check(0..40, 40), None);
    assert_eq!(check((0..5).chain(7..40), 40), Some(Defect::Gap(5, 7)));
    assert_eq!(check(3..40, 40), Some(Defect::Gap(0, 3)));
    assert_eq!(check((0..5).chain(4..40), 40), Some(Defect::Duplicated(4)));
    assert_eq!(
        check((0..18).chain(10..40), 40),
        Some(Defect::Duplicated(10))
    );
    assert_eq!(check([0, 0, 1, 2], 3), Some(Defect::Duplicated(0)));
    assert_eq!(check((0..18).chain(0..40), 40), Some(Defect::Restarted(18)));
    let worse = |indices: Vec<u32>| matches!(check(indices, 4), Some(Defect::Corrupted(_)));
    assert!(worse(vec![0, 2, 1, 3]), "out of order");
    assert!(worse(vec![0, 1, 2, 3, 4]), "more than asked for");
}

#[test]
fn foreign_tokens_and_text() {
    let mut checker = Checker::new(oracle(), 4);
    let other = Oracle::from_key(b"another request");
    assert!(checker.take(&Word::Token {
        n: 0,
        hash: other.hash(0)
    }));
    assert!(matches!(checker.defect(), Some(Defect::Corrupted(_))));
    assert_eq!(checker.tokens(), 1);

    let mut checker = Checker::new(oracle(), 4);
    assert!(!checker.take(&Word::Foreign("hello".into())));
    assert!(matches!(checker.defect(), Some(Defect::Corrupted(_))));
    assert_eq!(checker.tokens(), 0);
}

proptest! {
    /// Only the one right sequence is without defect; a prefix of it is right so far.
    #[test]
    fn only_a_prefix_is_right(indices in prop::collection::vec(0u32..12, 0..14)) {
        let right = indices.iter().copied().eq(0..indices.len() as u32) && indices.len() <= 10;
        prop_assert_eq!(check(indices, 10).is_none(), right);
    }

    /// A single change to a right answer is named for what it is.
    #[test]
    fn one_change_is_named(asked in 3u32..200, at in any::<prop::sample::Index>()) {
        let at = 1 + at.index(asked as usize - 2) as u32;
        prop_assert_eq!(check((0..at).chain(at + 1..asked), asked), Some(Defect::Gap(at, at + 1)));
        prop_assert_eq!(check((0..=at).chain(at..asked), asked), Some(Defect::Duplicated(at)));
        prop_assert_eq!(check((0..=at).chain(0..asked), asked), Some(Defect::Restarted(at + 1)));
    }
}
