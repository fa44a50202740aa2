use proptest::prelude::*;

use super::*;

fn library(texts: &[String]) -> Arc<Library> {
    let answer = |text: &String| RecordedAnswer {
        text: text.clone(),
        pieces: 1,
        finish: Some("stop".into()),
        usage: None,
    };
    Arc::new(Library::new(&texts.iter().map(answer).collect::<Vec<_>>()))
}

/// What becomes of an answer to the first prompt that comes in these pieces.
fn read(library: &Arc<Library>, pieces: &[String]) -> RecordedText {
    let mut text = RecordedText::new(Arc::clone(library), 0);
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        text.feed(piece);
    }
    text
}

fn whole(text: &RecordedText) -> bool {
    let Basis::Recorded {
        reached, length, ..
    } = text.basis()
    else {
        return false;
    };
    text.defect().is_none() && reached == length
}

/// Words that differ at every place, as pieces of a stream.
fn words(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!("{n}:{:03x} ", (n * 2_654_435) % 4096))
        .collect()
}

/// The same text cut elsewhere.
fn cut(text: &str, at: &[usize]) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut at: Vec<usize> = at.iter().map(|n| n % (chars.len() + 1)).collect();
    at.extend([0, chars.len()]);
    at.sort_unstable();
    at.windows(2)
        .map(|ends| chars[ends[0]..ends[1]].iter().collect())
        .collect()
}

fn defect(text: &str) -> Option<Defect> {
    let known = library(&["the quick brown fox jumps over the lazy dog, and back again".into()]);
    read(&known, &[text.into()]).defect()
}

#[test]
fn every_defect_has_its_name() {
    let gap = defect("the quick brown over the lazy dog, and back again");
    assert_eq!(gap, Some(Defect::Gap(16, 26)));
    let twice = defect("the quick brown fox brown fox jumps over the lazy dog, and back again");
    assert_eq!(twice, Some(Defect::Duplicated(10)));
    let again =
        defect("the quick brown the quick brown fox jumps over the lazy dog, and back again");
    assert_eq!(again, Some(Defect::Restarted(16)));
    let end_twice = defect("the quick brown fox jumps over the lazy dog, and back again again");
    assert_eq!(end_twice, Some(Defect::Duplicated(53)));
    let foreign = defect("the quick brown hen lays an egg");
    let Some(Defect::Corrupted(what)) = foreign else {
        panic!("{foreign:?}")
    };
    assert_eq!(
        what,
        "text \"hen lays an egg\" after character 16 was never recorded"
    );
    assert_eq!(defect("the quick brown fox"), None);
}

#[test]
fn the_worst_of_several_defects_is_told() {
    let text = "the quick fox jumps over the quick brown fox jumps over the lazy dog";
    // Six characters of the 31 that it had reached were missing.
    assert_eq!(defect(text), Some(Defect::Restarted(31)));
    let then_foreign = "the quick fox jumps over the moon";
    assert!(matches!(defect(then_foreign), Some(Defect::Corrupted(_))));
}

#[test]
fn a_text_of_another_prompt_is_known() {
    let known = library(&[words(20).concat(), "one two three four five six".into()]);
    let mut pieces = words(5);
    pieces.push("three four five six".into());
    let Some(Defect::Corrupted(what)) = read(&known, &pieces).defect() else {
        panic!("cross-talk is corruption")
    };
    assert!(what.ends_with("is of the answer to prompt 1"), "{what}");
}

#[test]
fn letters_of_more_than_one_byte_count_once() {
    let known = library(&["grüße aus dem süden, schöne grüße aus dem norden".into()]);
    let missing = read(
        &known,
        &["grüße aus dem schöne grüße aus dem norden".into()],
    );
    // The missing text and what follows it begin alike.
    assert_eq!(missing.defect(), Some(Defect::Gap(15, 22)));
}

proptest! {
    /// However a whole answer is cut, it is whole.
    #[test]
    fn no_way_to_cut_it_is_a_defect(count in 1usize..40, at in prop::collection::vec(any::<usize>(), 0..40)) {
        let words = words(count);
        let known = library(&[words.concat()]);
        prop_assert!(whole(&read(&known, &cut(&words.concat(), &at))));
    }

    /// A piece that is missing, comes twice, or after which the answer begins
    /// again, is found and named, however the text is then cut.
    #[test]
    fn every_single_fault_is_found(
        (count, at) in (3usize..40).prop_flat_map(|count| (Just(count), 0..count)),
        cuts in prop::collection::vec(any::<usize>(), 0..40),
    ) {
        let good = words(count);
        let known = library(&[good.concat()]);
        let (before, after) = good.split_at(at);
        let seen = |pieces: Vec<String>| read(&known, &cut(&pieces.concat(), &cuts));
        let missing = seen([before, &after[1..]].concat());
        if at + 1 == count {
            prop_assert!(missing.defect().is_none() && !whole(&missing));
        } else {
            let size = after[0].len() as u32;
            prop_assert!(matches!(missing.defect(), Some(Defect::Gap(a, b)) if b - a == size), "{:?}", missing.defect());
        }
        let twice = seen([before, &after[..1], after].concat());
        match twice.defect() {
            Some(Defect::Duplicated(_)) => prop_assert!(at > 0),
            Some(Defect::Restarted(_)) => prop_assert_eq!(at, 0),
            other => prop_assert!(false, "{:?}", other),
        }
        let again = seen([before, &after[..1], &good].concat());
        let said = (before.concat() + &after[0]).len() as u32;
        prop_assert_eq!(again.defect(), Some(Defect::Restarted(said)));
    }

    /// Whatever comes that is not the recorded text is never taken for it, also
    /// where the text says the same things over and over.
    #[test]
    fn only_the_recorded_text_is_whole(
        good in "[ab]{1,30}",
        came in prop::collection::vec("[abc]{1,5}", 0..12),
    ) {
        let known = library(std::slice::from_ref(&good));
        let seen = read(&known, &came);
        prop_assert_eq!(whole(&seen), came.concat() == good);
        // A text that is too long or turns aside has a defect; a shorter one has none.
        prop_assert_eq!(seen.defect().is_none(), good.starts_with(&came.concat()));
    }
}
