use proptest::prelude::*;

use crate::units::{PerUnit, Span};

use super::*;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn port(name: &str) -> Vec<usize> {
    NAMES.iter().position(|n| *n == name).into_iter().collect()
}

fn rule(a: &[usize], b: &[usize], direction: Direction, impairment: Impairment) -> LinkRule {
    let names = |ports: &[usize]| ports.iter().map(|port| NAMES[*port].to_string()).collect();
    LinkRule {
        a: names(a),
        b: names(b),
        direction,
        port: None,
        impairment,
    }
}

fn pairs(book: &RuleBook) -> Vec<(usize, usize)> {
    let all = (0..5).flat_map(|from| (0..5).map(move |to| (from, to)));
    all.filter(|(from, to)| !book.between(*from, *to).is_empty())
        .collect()
}

fn book(rule: &LinkRule) -> RuleBook {
    let mut book = RuleBook::default();
    book.install(rule, 0, port).expect("the names are known");
    book
}

#[test]
fn one_way_is_one_way() {
    let one = book(&rule(&[0], &[1], Direction::AToB, Impairment::Drop));
    assert_eq!(pairs(&one), [(0, 1)]);
    let both = book(&rule(&[0], &[1], Direction::Both, Impairment::Drop));
    assert_eq!(pairs(&both), [(0, 1), (1, 0)]);
}

#[test]
fn an_empty_side_is_everyone_else() {
    let book = book(&rule(&[0, 1], &[], Direction::AToB, Impairment::Drop));
    assert_eq!(
        pairs(&book),
        [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4)]
    );
}

#[test]
fn an_unknown_node_is_named_and_nothing_installed() {
    let mut book = RuleBook::default();
    let mut wrong = rule(&[0], &[1], Direction::Both, Impairment::Drop);
    wrong.b.push("nobody".to_string());
    assert_eq!(book.install(&wrong, 0, port), Err("nobody".to_string()));
    assert!(pairs(&book).is_empty());
}

#[test]
fn rules_go_by_their_ids() {
    let mut book = RuleBook::default();
    let drop = rule(&[0], &[1], Direction::AToB, Impairment::Drop);
    let first = book.install(&drop, 0, port).expect("known");
    let second = book.install(&drop, 0, port).expect("known");
    assert_ne!(first, second);
    assert_eq!(book.between(0, 1).len(), 2);
    assert!(book.remove(first) && !book.remove(first));
    let left: Vec<RuleId> = book.between(0, 1).iter().map(|rule| rule.id).collect();
    assert_eq!(left, [second]);
    assert!(book.counters(first).is_some(), "asked for after it is gone");
    assert_eq!(book.counters(RuleId(99)), None);
}

#[test]
fn only_senders_under_loss_or_rate_need_single_packets() {
    let loss = Impairment::Loss {
        probability: PerUnit(0.1),
    };
    let one_way = book(&rule(&[0], &[1], Direction::AToB, loss));
    let senders: Vec<_> = (0..5)
        .filter(|port| one_way.needs_packets(*port, 5))
        .collect();
    assert_eq!(senders, [0]);
    let delay = Impairment::delay(Span::from_millis(1), Span::default());
    let delayed = book(&rule(&[0], &[], Direction::Both, delay));
    assert!((0..5).all(|port| !delayed.needs_packets(port, 5)));
}

proptest! {
    #[test]
    fn pairs_are_those_of_the_sets(
        a in prop::collection::btree_set(0..5_usize, 1..5),
        b in prop::collection::btree_set(0..5_usize, 1..5),
        both in any::<bool>(),
    ) {
        let (a, b): (Vec<_>, Vec<_>) = (a.into_iter().collect(), b.into_iter().collect());
        let direction = if both { Direction::Both } else { Direction::AToB };
        let book = book(&rule(&a, &b, direction, Impairment::Drop));
        let mut expected = Vec::new();
        for from in &a {
            for to in b.iter().filter(|to| *to != from) {
                expected.push((*from, *to));
                if both {
                    expected.push((*to, *from));
                }
            }
        }
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(pairs(&book), expected);
    }
}
