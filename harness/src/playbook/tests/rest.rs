//! What is told of a playbook that cannot be read in full: all that is wrong
//! with the rest, and nothing that only follows from the gap.

use std::path::Path;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::super::load::load_parts;
use super::super::parse::parse;
use super::super::source::Place;
use super::super::tree::{Node, Value};
use super::{GOOD, RESOLVED, errors, shown};
use crate::plan::plan_source;

#[test]
fn a_bad_value_hides_no_name() {
    assert_snapshot!(errors(&[
        ("rate: 20/s", "rate: fast"),
        ("utility_outage: {}}", "utility_outage: {utility: 5}}"),
        ("rack: r2", "rack: r7"),
        ("for: 5s", "for: 20 parsecs"),
        ("at: 26s", "at: 40s"),
        ("fails: failover", "fails: failovr"),
    ]));
}

#[test]
fn a_missing_part_hides_no_other() {
    assert_snapshot!(errors(&[
        ("stack: stacks/reference.yaml", "stack: stacks/none.yaml"),
        ("phases: {baseline: 5s, outage: 20s, recovery: 10s}", ""),
        ("rack: r2", "rack: r7"),
        ("during: outage}", "during: outrage}"),
        ("fails: failover", "fails: battery"),
    ]));
}

#[test]
fn what_a_misspelt_key_holds_is_looked_at() {
    assert_snapshot!(errors(&[
        ("faults:", "fauls:"),
        ("rack: r2", "rack: r7"),
        ("delay: 5ms", "delay: quick"),
    ]));
}

/// The places of all values that hold no other.
fn leaves(node: &Node, found: &mut Vec<Place>) {
    match &node.value {
        Value::Null => {}
        // Whatever stands in a block of text is text.
        Value::Text(text) if text.contains('\n') => {}
        Value::Map(entries) => entries.iter().for_each(|e| leaves(&e.value, found)),
        Value::List(items) => items.iter().for_each(|i| leaves(i, found)),
        _ => found.push(node.place),
    }
}

fn keys(node: &Node, found: &mut Vec<Place>) {
    match &node.value {
        Value::Map(entries) => entries.iter().for_each(|e| {
            found.push(e.key_place);
            keys(&e.value, found);
        }),
        Value::List(items) => items.iter().for_each(|i| keys(i, found)),
        _ => {}
    }
}

fn with(text: &str, place: Place, put: &str) -> String {
    let (before, after) = (&text[..place.start], &text[place.start + place.len..]);
    format!("{before}{put}{after}")
}

#[test]
fn nothing_follows_from_a_value_that_cannot_be_read() {
    let text = &*RESOLVED;
    let tree = parse(text, 0, &mut Vec::new()).expect("a tree");
    let mut places = Vec::new();
    leaves(&tree, &mut places);
    assert!(places.len() > 150, "{} values", places.len());
    for place in places {
        // No value of a playbook that is not a list may be this one.
        let broken = with(text, place, "[[]]");
        // A control's values are held against what they change, later.
        if let Err(bad) = load_parts(Path::new(GOOD), &broken) {
            assert_eq!(bad.rest.len(), 2, "nothing is left:\n{}", shown(&broken));
        }
        let Err(errors) = plan_source(Path::new(GOOD), &broken) else {
            panic!("no error where {place:?} cannot be read");
        };
        for error in errors.iter() {
            let at = error.span().expect("a span").offset();
            let own = (place.start..place.start + 4).contains(&at);
            assert!(own, "{}", errors.render(false));
        }
    }
}

#[test]
fn nothing_follows_from_a_key_that_is_not_known() {
    let text = &*RESOLVED;
    let tree = parse(text, 0, &mut Vec::new()).expect("a tree");
    let mut places = Vec::new();
    keys(&tree, &mut places);
    for place in places {
        let broken = with(text, place, "qqqqq");
        let Err(errors) = plan_source(Path::new(GOOD), &broken) else {
            continue;
        };
        let unknown = |message: &str| message.starts_with("unknown") && message.contains("qqqqq");
        // Where any name will do, another one is a change and not a gap.
        if !errors.iter().any(|e| unknown(e.message())) {
            continue;
        }
        for error in errors.iter() {
            let message = error.message();
            let own = unknown(message) || message.contains("missing");
            assert!(own, "{}", errors.render(false));
        }
    }
}

/// As the loader sees a text at a path: every span lies in the file it is shown
/// with.
pub(super) fn spans_of(path: &str, text: &str) -> Result<(), TestCaseError> {
    let Err(errors) = plan_source(Path::new(path), text) else {
        return Ok(());
    };
    prop_assert!(errors.count() > 0);
    for error in errors.iter() {
        prop_assert!(error.line() >= 1 && error.column() >= 1);
        let included = (error.file() != path).then(|| std::fs::read_to_string(error.file()));
        let included = included.map(|text| text.expect("a file that was read before"));
        let text = included.as_deref().unwrap_or(text);
        let span = error.span().expect("a span");
        let end = span.offset() + span.len();
        prop_assert!(end <= text.len(), "{end} of {}", text.len());
        prop_assert!(text.is_char_boundary(span.offset()) && text.is_char_boundary(end));
    }
    prop_assert!(!errors.render(true).is_empty());
    // What the validator lets through, the types take.
    prop_assert!(!errors.render(false).contains("in this playbook"));
    Ok(())
}

/// Every shipped playbook, with its text.
fn shipped() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for theme in ["network", "node", "power"] {
        let folder = format!("../playbooks/{theme}");
        let files = std::fs::read_dir(&folder).expect("shipped playbooks");
        for file in files {
            let path = file.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("text");
            found.push((path.display().to_string(), text));
        }
    }
    found.sort();
    assert!(found.len() > 5);
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_single_character_breaks_the_loader(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        put in "[ -~\n\tµé]{0,1}",
        takes in 0usize..2,
    ) {
        let all = shipped();
        let (path, text) = &all[which.index(all.len())];
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..(at + takes).min(chars.len()), put.chars());
        spans_of(path, &chars.into_iter().collect::<String>())?;
    }
}
